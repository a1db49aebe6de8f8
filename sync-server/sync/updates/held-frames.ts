import { CLOSE, type Frame, WireError } from '../../../protocol/frames.ts'
import { MAX_FRAME_BYTES, MAX_HELD_FRAMES } from '../../config/limits.ts'

export type UpdateFrame = Extract<Frame, { type: 'update' }>

const sizeOf = (frame: Frame): number => (frame.type === 'update' ? frame.update.length : 0)

/**
 * Frames of one client that wait for its SyncStep2. A client may send an edit just before the
 * SyncStep2 that holds the edit's dependencies; afterwards a gap is an error.
 */
export class HeldFrames {
  readonly #frames: Frame[] = []
  #isSynced = false
  readonly #account: { add: (bytes: number) => void }

  /** `account` counts the bytes that are held. */
  constructor(account: { add: (bytes: number) => void }) {
    this.#account = account
  }

  get isEmpty(): boolean {
    return this.#frames.length === 0
  }

  /**
   * Holds an update with a gap. Throws WireError (4409) after the SyncStep2, and if too much is
   * held.
   */
  hold(frame: UpdateFrame): void {
    const count = this.#frames.length
    const bytes = this.#frames.reduce((sum, one) => sum + sizeOf(one), frame.update.length)
    const isError = frame.isSyncStep2 || this.#isSynced
    if (isError || count >= MAX_HELD_FRAMES || bytes > MAX_FRAME_BYTES) {
      throw new WireError(CLOSE.gap, 'update builds on operations that are not here')
    }
    this.#frames.push(frame)
    this.#account.add(frame.update.length)
  }

  /** Queues a frame behind the held updates. */
  queue(frame: Frame): void {
    this.#frames.push(frame)
  }

  /** Notes the SyncStep2. Returns the held frames, in order. */
  release(handle: (frame: Frame) => void): void {
    this.#isSynced = true
    for (const frame of this.#frames.splice(0)) {
      this.#account.add(-sizeOf(frame))
      handle(frame)
    }
  }
}
