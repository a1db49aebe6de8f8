import { ClawError, type ErrorCode } from '../../protocol/errors.ts'

/**
 * An error after which a server accepts nothing: its message, and the wait before a retry, in
 * milliseconds.
 */
interface Row {
  message: string
  hint: string
  /** By itself. */
  retryMs: number
  /** Not sooner than this where somebody waits for it: the answer would be the same. */
  soonMs: number
}

const KEPT = 'your writes are kept here and sent once the server accepts them: do not repeat them'

const ROWS: Partial<Record<ErrorCode, Row>> = {
  quota: {
    message: 'the document of the workspace is full',
    hint: `${KEPT}; end tasks, or ask the operator of the server to raise its limit "document"`,
    ...{ retryMs: 60_000, soonMs: 2_000 },
  },
  not_allowed: {
    message: 'the server takes nothing from this credential any more',
    hint: `${KEPT}; ask the operator of the server for another invite`,
    ...{ retryMs: 15 * 60_000, soonMs: 60_000 },
  },
}

/**
 * Holds back what a replica has to send after the server refused it with a close code that says why: sent again at once it
 * would be refused again, and without it there is a connection on which to read on. It is tried again after a while.
 */
export class Hold {
  readonly #onLift: () => void
  #why: ClawError | null = null
  #since = 0
  #soonMs = 0
  #timer: NodeJS.Timeout | undefined

  /** `onLift` is called when it is to be tried again. */
  constructor(onLift: () => void) {
    this.#onLift = onLift
  }

  /** Why nothing is sent; null: all is. */
  get why(): ClawError | null {
    return this.#why
  }

  /** Begins where this is such a code. Where nothing was sent the reason is another: it ends. `said`: by the server. */
  begin(code: ErrorCode | null, said: string): void {
    const row = code === null || this.#why !== null ? undefined : ROWS[code]
    this.end()
    if (row === undefined) return
    this.#why = new ClawError(code!, `${row.message} (${said})`, row.hint)
    this.#since = Date.now()
    this.#soonMs = row.soonMs
    this.#timer = setTimeout(() => this.lift(), row.retryMs).unref()
  }

  /** Has it tried again; `isWanted`: somebody waits for it, so not if the answer is known from just now. */
  lift(isWanted = false): void {
    if (isWanted && Date.now() - this.#since < this.#soonMs) return
    if (this.#why === null) return
    this.end()
    this.#onLift()
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#why = null
  }
}
