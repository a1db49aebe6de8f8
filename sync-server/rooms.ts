import type { Connection } from './connection.ts'
import { Room, type RoomEnv } from './room.ts'

/** The rooms in memory, by workspace name. */
export class Rooms {
  readonly #rooms = new Map<string, Room>()
  readonly #env: RoomEnv
  #closed = false

  readonly #onUnload: (room: Room) => void

  constructor(env: Omit<RoomEnv, 'onIdle'>, onUnload: (room: Room) => void) {
    this.#env = { ...env, onIdle: (room) => this.#unload(room) }
    this.#onUnload = onUnload
  }

  get size(): number {
    return this.#rooms.size
  }

  has(name: string): boolean {
    return this.#rooms.has(name)
  }

  get all(): Iterable<Room> {
    return this.#rooms.values()
  }

  /** The room of a workspace, loaded on first use; all who ask meanwhile get the same one. */
  open(name: string): Room {
    if (this.#closed) throw new Error('the server is stopping')
    let room = this.#rooms.get(name)
    if (room === undefined) {
      room = new Room(name, this.#env)
      this.#rooms.set(name, room)
    }
    return room
  }

  attach(name: string, connection: Connection): Room {
    const room = this.open(name)
    room.attach(connection)
    return room
  }

  /** The store failed: closes every connection, and lets go of what is in memory. The next rooms are loaded from disk. */
  drop(error: Error): void {
    for (const room of this.#rooms.values()) {
      room.fail(error)
      this.#onUnload(room)
      room.dispose()
    }
    this.#rooms.clear()
  }

  #unload(room: Room): void {
    if (this.#rooms.get(room.name) === room) this.#rooms.delete(room.name)
    this.#onUnload(room)
    room.dispose()
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#rooms.values()].map((room) => room.close()))
  }
}
