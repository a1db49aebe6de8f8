import { asWireError, CLOSE, type Frame, WireError } from '../../protocol/frames.ts'
import type { Connection } from './connection.ts'
import type { Gate } from './gate.ts'
import { type Claim, claimOf } from './turn/credits.ts'
import { type Admit, hasNews, type Verdict } from './updates/check.ts'
import type { LiveDocument } from './updates/document.ts'
import type { UpdateFrame } from './updates/held-frames.ts'
import { slicesOf, WHOLE_BYTES } from './updates/slices.ts'

/** An update to commit. */
export interface Entry {
  /** Connection id; 0 is the server itself. */
  from: number
  connection: Connection | null
  update: Uint8Array
  claim: Claim
}

/**
 * Work over several turns, in small steps. It yields 'wait' if it can do no more in this turn, or a
 * number for milliseconds worked for it elsewhere.
 */
export type Work = Generator<'wait' | number, void>

/** A part of a large update; how long applying it took (milliseconds). */
interface Slice {
  ms: number
}

export const isLarge = (frame: Frame): frame is UpdateFrame =>
  frame.type === 'update' && frame.update.length > WHOLE_BYTES

/** The parts of the room that admission needs. */
export interface AdmissionEnv {
  /** True if only updates that make the document smaller are accepted. */
  isFull: () => boolean
  maxDocument: number
  /** Schedules a turn, for a commit or a checkpoint. */
  schedule: () => void
  /** Handles a frame that was held back. */
  handle: (connection: Connection, frame: Frame) => void
  refuse: (connection: Connection, error: unknown) => void
}

/** Accepts or rejects the updates of clients; accepted updates wait here for the next commit. */
export class Admission {
  readonly #live: LiveDocument
  readonly #gate: Gate
  readonly #env: AdmissionEnv
  #entries: Entry[] = []
  /** Large updates that are being sliced (count). */
  #cutting = 0
  /** The slice that waits for its commit. */
  #slice: Slice | null = null

  constructor(live: LiveDocument, gate: Gate, env: AdmissionEnv) {
    this.#live = live
    this.#gate = gate
    this.#env = env
  }

  /** Updates that wait for the next commit (count). */
  get waiting(): number {
    return this.#entries.length
  }

  /** True while a large update is only partly in the document. */
  get isPartial(): boolean {
    return this.#cutting > 0
  }

  /** The entries to commit now; set `slice.ms` to the milliseconds that applying them took. */
  take(): { entries: Entry[]; slice: Slice | null } {
    const taken = { entries: this.#entries, slice: this.#slice }
    this.#entries = []
    this.#slice = null
    return taken
  }

  /** Checks the waiting updates again, after the document was rebuilt. */
  again(): void {
    const { entries } = this.take()
    for (const { connection, update } of entries) {
      if (connection === null || !connection.open) continue
      try {
        this.accept(connection, { type: 'update', update, isSyncStep2: false })
      } catch (error) {
        this.#env.refuse(connection, error)
      }
    }
  }

  /**
   * Queues an update for the next commit. A client may send an edit just before the SyncStep2 that
   * holds the edit's dependencies; such an update is held back until then. Afterwards a gap is an
   * error, and so are too many held bytes.
   */
  accept(connection: Connection, frame: UpdateFrame): void {
    if (this.#accept(connection, frame.update, frame.isSyncStep2) === 'gap')
      connection.held.hold(frame)
    else if (frame.isSyncStep2) this.#synced(connection)
  }

  /** Like `accept`, for a large update in slices; other clients receive it in parts. */
  *acceptLarge(connection: Connection, frame: UpdateFrame): Work {
    this.#cutting++
    try {
      const { update, isSyncStep2 } = frame
      const known = (client: number) => this.#live.clockOf(client)
      const slices = slicesOf(update, known, this.#gate.mostNewIds(connection.speaker))
      let verdict: Verdict = 'empty'
      for (let last: Slice = { ms: 0 }; connection.open; ) {
        // One slice per turn, as other clients wait while a turn applies it.
        if (this.#slice !== null) {
          yield 'wait'
          continue
        }
        const { ms } = last
        last = { ms: 0 }
        const { done, value } = slices.next()
        if (value instanceof Uint8Array) {
          verdict = this.#accept(connection, value, isSyncStep2)
          if (verdict === 'ready' && value !== update) this.#slice = last
        }
        if (verdict === 'gap' || value === 'gap') return connection.held.hold(frame)
        if (done) return isSyncStep2 ? this.#synced(connection) : undefined
        yield ms
      }
    } catch (error) {
      this.#env.refuse(connection, asWireError(error))
    } finally {
      this.#cutting--
    }
  }

  /** Throws WireError. */
  #accept(connection: Connection, update: Uint8Array, isSyncStep2: boolean): Verdict {
    const { isFull, maxDocument, schedule } = this.#env
    let claim: Claim = { inserts: null, deletes: [], isRepeating: isSyncStep2 }
    const admit: Admit = (decoded, clocks) => {
      // Every SyncStep2 repeats all deletions of its document.
      if (isSyncStep2 && this.#live.has(decoded)) return false
      claim = claimOf(decoded, clocks, isSyncStep2)
      const isLet = this.#gate.admit(connection.speaker, decoded, clocks, isSyncStep2)
      if (isLet && isFull() && hasNews(decoded, clocks)) {
        schedule() // a checkpoint may make room
        throw new WireError(CLOSE.full, `the document has its ${maxDocument} bytes: only deletions`)
      }
      return isLet
    }
    try {
      const verdict = this.#live.accept(update, admit)
      if (verdict === 'ready') {
        this.#entries.push({ from: connection.id, connection, update, claim })
        schedule()
      }
      return verdict
    } catch (error) {
      throw asWireError(error)
    }
  }

  #synced(connection: Connection): void {
    connection.held.release((frame) => this.#env.handle(connection, frame))
  }
}
