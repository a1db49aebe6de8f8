/** How far one connection has read its room's log, and what it waits for. */
export class Reader {
  #cursor: number | null = null
  #wants: Uint8Array | null = null
  #isRereading = false
  #missedAwareness = false

  /** Position in the log up to which it has everything; null before the answer to its first SyncStep1. */
  get cursor(): number | null {
    return this.#cursor
  }

  /** State vector of a SyncStep1 without an answer; at most one, so that asking costs no memory. */
  get wants(): Uint8Array | null {
    return this.#wants
  }

  /** The log is being read from disk for it. */
  get isRereading(): boolean {
    return this.#isRereading
  }

  /** A SyncStep1 came; it replaces one that has no answer yet. */
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

  /** Awareness changed while nothing could be written to it. */
  missAwareness(): void {
    this.#missedAwareness = true
  }

  /** Whether it missed awareness since the last call. */
  takeMissedAwareness(): boolean {
    const missed = this.#missedAwareness
    this.#missedAwareness = false
    return missed
  }
}
