import type { Stored } from '../storage/update-log.ts'
import type { Connection } from './connection.ts'
import { Shared } from './held.ts'
import { SYNC_DONE, updateFragments } from './outgoing/frame-writer.ts'
import { type Chunk, Ring } from './outgoing/ring.ts'

interface StoredFrames {
  seq: number
  frames: Buffer[]
  /** Their memory, counted once for all connections that they are sent to. */
  shared: Shared
}

/** Small frames side by side in few buffers: one write for this many. */
const FRAMES_A_WRITE = 512

const framesOf = ({ checkpoint, tail, seq }: Stored): StoredFrames => {
  const frames = checkpoint === null ? [] : updateFragments(checkpoint)
  for (let at = 0; at < tail.length; at += FRAMES_A_WRITE) {
    frames.push(Buffer.concat(tail.slice(at, at + FRAMES_A_WRITE).flatMap(updateFragments)))
  }
  return { seq, frames, shared: new Shared(frames.reduce((sum, { length }) => sum + length, 0)) }
}

/**
 * Brings what is committed to a room's readers, each from its own position in the log: from memory while it keeps
 * up, from disk when it is new or fell behind. Nothing waits in memory for a reader that takes nothing.
 */
export class Feed {
  readonly #ring = new Ring()
  readonly #opened: Promise<void>
  readonly #load: () => Promise<Stored>
  /** The stored document as frames, shared by newcomers between two commits. */
  #stored: Promise<StoredFrames> | null = null

  /** `opened` is the room's first read of the log. */
  constructor(opened: Promise<Stored>, load: () => Promise<Stored>) {
    this.#stored = opened.then(framesOf)
    this.#opened = this.#stored.then(() => {})
    this.#opened.catch(() => {})
    this.#load = load
  }

  /** A new commit; `catchUp` sends it. */
  push(chunk: Chunk): void {
    this.#stored = null
    this.#ring.push(chunk)
  }

  /** Lets go of what is only kept to be shared. */
  forget(): void {
    this.#stored = null
  }

  /**
   * Sends a reader everything committed that it does not have, as far as its socket takes it. Returns a promise
   * only where the log has to be read for it.
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
   * Sends what is stored as it is, without decoding anything: to a newcomer, and to a reader that fell behind
   * further than the ring reaches. The empty SyncStep2 comes last, so that `synced` is true when it says so.
   * Rejects if the log cannot be read.
   */
  async sendStored(connection: Connection): Promise<void> {
    const { reader } = connection
    if (reader.isRereading) return
    reader.beginRereading()
    await this.#opened
    this.#stored ??= this.#load().then(framesOf)
    const { seq, frames, shared } = await this.#stored
    reader.endRereading()
    connection.sendShared(frames, shared)
    if (reader.wants !== null) connection.send([SYNC_DONE])
    reader.answered()
    reader.advance(seq)
    await this.catchUp(connection)
  }
}
