/** One connection's position in its room's log, and its pending SyncStep1. */
export class Reader {
  #cursor: number | null = null
  #wants: Uint8Array | null = null
  #isRereading = false
  #missedAwareness = false

  /**
   * The log position up to which the connection has all updates; null before the answer to its
   * first SyncStep1.
   */
  get cursor(): number | null {
    return this.#cursor
  }

  /**
   * State vector of the unanswered SyncStep1; at most one is kept, so that repeated requests cost
   * no memory.
   */
  get wants(): Uint8Array | null {
    return this.#wants
  }

  /** True while the log is being read from disk for the connection. */
  get isRereading(): boolean {
    return this.#isRereading
  }

  /** Notes a SyncStep1; it replaces an unanswered one. */
  ask(stateVector: Uint8Array): void {
    this.#wants = stateVector
  }

  answered(): void {
    this.#wants = null
  }

  advance(seq: number): void {
    this.#cursor = seq
  }

  beginRereading(): void {
    this.#isRereading = true
    this.#cursor = null
  }

  endRereading(): void {
    this.#isRereading = false
  }

  /** Notes a change of awareness that could not be written to the connection. */
  missAwareness(): void {
    this.#missedAwareness = true
  }

  /** True if the connection missed awareness since the last call. */
  takeMissedAwareness(): boolean {
    const missed = this.#missedAwareness
    this.#missedAwareness = false
    return missed
  }
}
