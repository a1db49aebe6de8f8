import type { Stored } from '../storage/update-log.ts'
import type { Connection } from './connection.ts'
import { Shared } from './held.ts'
import { SYNC_DONE, updateFragments } from './outgoing/frame-writer.ts'
import { type Chunk, Ring } from './outgoing/ring.ts'

interface StoredFrames {
  seq: number
  frames: Buffer[]
  /** The same for a newcomer: with the SyncStep2 that ends them. */
  withEnd: Buffer[]
  /** The frames' memory, counted once for all connections that receive them. */
  shared: Shared
}

/** A stored document up to this size goes to a newcomer in one write (bytes). */
const SMALL_BYTES = 64 * 1024

/** Log updates in one buffer (count), to save writes. */
const FRAMES_A_WRITE = 512
const framesOf = ({ checkpoint, tail, seq }: Stored): StoredFrames => {
  const frames = checkpoint === null ? [] : updateFragments(checkpoint)
  for (let at = 0; at < tail.length; at += FRAMES_A_WRITE) {
    frames.push(Buffer.concat(tail.slice(at, at + FRAMES_A_WRITE).flatMap(updateFragments)))
  }
  const bytes = frames.reduce((sum, { length }) => sum + length, 0)
  const withEnd = [...frames, SYNC_DONE]
  return {
    ...{ seq, frames, shared: new Shared(bytes) },
    withEnd: bytes > SMALL_BYTES ? withEnd : [Buffer.concat(withEnd)],
  }
}

/**
 * Sends commits to a room's readers, each from its own log position: from memory if it keeps up,
 * from disk if it is new or fell behind. No data waits in memory for a slow reader.
 */
export class Feed {
  readonly #ring = new Ring()
  /** The room's first read of the log, without its result: a promise keeps the bytes that it resolved to. */
  readonly opened: Promise<void>
  readonly #load: () => Promise<Stored>
  /** The stored document as frames, shared by newcomers between two commits. */
  #stored: Promise<StoredFrames> | null = null

  /** `opened` is the room's first read of the log. */
  constructor(opened: Promise<Stored>, load: () => Promise<Stored>) {
    this.#stored = opened.then(framesOf)
    this.opened = this.#stored.then(() => {})
    this.opened.catch(() => {})
    this.#load = load
  }

  /** Adds a new commit; `catchUp` sends it. */
  push(chunk: Chunk): void {
    this.#stored = null
    this.#ring.push(chunk)
  }

  /** Call after `catchUp` for all `readers` of the room: the commits that all of them have leave memory. */
  release(readers: ReadonlySet<Connection>): void {
    this.#ring.release(readers)
  }

  /** Releases the shared frames. */
  forget(): void {
    this.#stored = null
  }

  /**
   * Sends a reader all commits that it lacks, as far as its socket takes them. Returns a promise
   * only if the log must be read.
   */
  catchUp(connection: Connection): Promise<void> | null {
    const { reader } = connection
    while (connection.ready && reader.cursor !== null) {
      const chunk = this.#ring.after(reader.cursor)
      if (chunk === undefined) return null
      if (chunk === null) return this.sendStored(connection)
      connection.sendChunk(chunk)
      reader.advance(chunk.seq)
    }
    return null
  }

  /**
   * Sends the stored updates without decoding them: to a newcomer, and to a reader behind the ring.
   * The empty SyncStep2 comes last, so that `synced` only becomes true with all data. Rejects if
   * the log cannot be read.
   */
  async sendStored(connection: Connection): Promise<void> {
    const { reader } = connection
    if (reader.isRereading) return
    reader.beginRereading()
    await this.opened
    this.#stored ??= this.#load().then(framesOf)
    const { seq, frames, withEnd, shared } = await this.#stored
    reader.endRereading()
    connection.sendShared(reader.wants === null ? frames : withEnd, shared)
    reader.answered()
    reader.advance(seq)
    await this.catchUp(connection)
  }
}
