import { CLOSE, WireError } from '../../protocol/frames.ts'
import { MAX_OWED_BARRIERS } from '../config/limits.ts'
import type { Head } from '../storage/chain.ts'
import type { Connection } from './connection.ts'
import { barrierFrame } from './outgoing/frame-writer.ts'

export interface Barrier {
  connection: Connection
  nonce: number
}

/**
 * The barriers of a room. A barrier is answered once all earlier updates are on disk and sent to
 * its connection.
 */
export class Barriers {
  #waiting: Barrier[] = []
  readonly #refuse: (connection: Connection, error: WireError) => void
  readonly #head: () => Head | null

  /**
   * `refuse` closes a connection that does not read its answers. `head` returns the newest durable head of the log's
   * chain, null while it is unknown.
   */
  constructor(refuse: (connection: Connection, error: WireError) => void, head: () => Head | null) {
    this.#refuse = refuse
    this.#head = head
  }

  add(connection: Connection, nonce: number): void {
    this.#waiting.push({ connection, nonce })
  }

  /** The barriers that the commit which begins now covers. */
  take(): readonly Barrier[] {
    const taken = this.#waiting
    this.#waiting = []
    return taken
  }

  /** Notes that all updates before these barriers are on disk; `durable` is the log's position. */
  answer(barriers: readonly Barrier[], durable: number): void {
    for (const { connection, nonce } of barriers) {
      connection.owed.owe(nonce, durable)
      this.pay(connection)
      if (connection.owed.size > MAX_OWED_BARRIERS) {
        this.#refuse(connection, new WireError(CLOSE.slowReader, 'does not read its answers'))
      }
    }
  }

  /** Sends a connection the answers that are due at its position. */
  pay(connection: Connection): void {
    const { owed, reader } = connection
    if (owed.size === 0 || reader.isRereading || reader.wants !== null) return
    const due = owed.takeDue(reader.cursor)
    const head = connection.keepsHeads && due.length > 0 ? this.#head() : null
    connection.send(due.map((nonce) => barrierFrame(nonce, head)))
  }
}
