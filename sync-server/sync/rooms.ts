import { Faults } from '../storage/faults.ts'
import type { Connection } from './connection.ts'
import { Room } from './room.ts'
import type { RoomEnv } from './room-env.ts'

/** The rooms in memory, by workspace name. */
export class Rooms {
  readonly faults: Faults
  readonly #rooms = new Map<string, Room>()
  /** Rooms that end, by their names. */
  readonly #ending = new Map<string, Promise<void>>()
  /** When the newest unloaded room of a name has no write to the log under way. */
  readonly #written = new Map<string, Promise<void>>()
  readonly #env: RoomEnv
  #closed = false

  readonly #onUnload: (room: Room) => void
  readonly #onRelease: (room: Room) => Promise<void>

  /** `onRelease` resolves once all that belongs to the room's commits is stored. */
  constructor(
    env: Omit<RoomEnv, 'onIdle'>,
    onUnload: (room: Room) => void,
    onRelease: (room: Room) => Promise<void> = async () => {},
  ) {
    this.#env = { ...env, onIdle: (room) => this.#unload(room) }
    this.#onUnload = onUnload
    this.#onRelease = onRelease
    this.faults = new Faults(env.now)
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

  /**
   * The room of a workspace, loaded on first use; concurrent callers get the same one. Throws
   * Fault.
   */
  open(name: string): Room {
    if (this.#closed) throw new Error('the server is stopping')
    let room = this.#rooms.get(name)
    if (room === undefined) {
      this.faults.check(name)
      // Else its document could lack a record that is stored before its own.
      room = new Room(name, this.#env, this.#written.get(name))
      this.#rooms.set(name, room)
      if (this.faults.has(name)) {
        room.prove().then(
          () => this.faults.served(name),
          () => {}, // the new failure is reported already
        )
      }
    }
    return room
  }

  attach(name: string, connection: Connection): Room {
    const room = this.open(name)
    room.attach(connection)
    return room
  }

  /** Removes a failed room; a later request loads it from disk. */
  fault(room: Room, error: Error): void {
    this.faults.add(room.name, error, room.ended())
    this.#unload(room)
  }

  /**
   * Ends a room for good: what it received is stored, then its connections close with 1001. Resolves when it writes nothing
   * more.
   */
  end(name: string, reason: string): Promise<void> {
    const known = this.#ending.get(name)
    const room = this.#rooms.get(name)
    if (known !== undefined || room === undefined) return known ?? Promise.resolve()
    const ending = this.#end(room, reason).finally(() => this.#ending.delete(name))
    this.#ending.set(name, ending)
    return ending
  }

  async #end(room: Room, reason: string): Promise<void> {
    await room.flush().catch(() => {}) // it reports that itself
    room.close(reason)
    this.#unload(room)
    await room.ended()
  }

  /** Gives a room up to another process: what it received is stored, then its connections close with 4307. */
  async release(name: string): Promise<void> {
    const room = this.#rooms.get(name)
    if (room === undefined) return
    await room.flush().catch(() => {}) // it reports that itself
    await room.writeCheckpoint()
    await this.#onRelease(room)
    room.move()
    this.#unload(room)
    await room.ended()
  }

  /** Ends a room whose workspace another process serves, with 4307. */
  move(name: string): void {
    const room = this.#rooms.get(name)
    if (room === undefined) return
    room.move()
    this.#unload(room)
  }

  /** Drops a room whose workspace another process may own, which has closed its connections. */
  lose(room: Room): void {
    this.#unload(room)
  }

  /**
   * Call when the store failed: closes every connection, and drops the rooms. The next rooms are
   * loaded from disk.
   */
  drop(error: Error): void {
    const rooms = [...this.#rooms.values()]
    this.#rooms.clear()
    for (const room of rooms) {
      room.fail(error)
      this.#onUnload(room)
    }
  }

  #unload(room: Room): void {
    if (this.#rooms.get(room.name) === room) this.#rooms.delete(room.name)
    this.#onUnload(room)
    room.dispose()
    const written = room.ended().finally(() => {
      if (this.#written.get(room.name) === written) this.#written.delete(room.name)
    })
    this.#written.set(room.name, written)
  }

  /**
   * Resolves when all received updates are on disk and their barriers are answered. No room is
   * opened afterwards.
   */
  async flush(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#rooms.values()].map((room) => room.flush()))
  }

  /**
   * Writes the checkpoints of rooms, one after the other, until the signal aborts; without one a
   * room loads more slowly.
   */
  async writeCheckpoints(signal: AbortSignal): Promise<void> {
    for (const room of [...this.#rooms.values()]) {
      if (signal.aborted) return
      await room.writeCheckpoint()
    }
  }

  /** Closes every connection with 1001, and drops the rooms. */
  close(): void {
    this.#closed = true
    for (const room of this.#rooms.values()) room.close()
  }
}
