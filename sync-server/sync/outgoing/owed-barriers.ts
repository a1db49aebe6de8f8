/**
 * Durable barriers of one connection; each is answered once the connection has the log up to its
 * position.
 */
export class OwedBarriers {
  readonly #owed: { nonce: number; seq: number }[] = []

  get size(): number {
    return this.#owed.length
  }

  owe(nonce: number, seq: number): void {
    this.#owed.push({ nonce, seq })
  }

  /**
   * Nonces of the barriers due for a reader at `cursor`, in order; all for a connection that reads
   * nothing (null).
   */
  takeDue(cursor: number | null): number[] {
    const first = this.#owed.findIndex(({ seq }) => cursor !== null && seq > cursor)
    const due = this.#owed.splice(0, first === -1 ? this.#owed.length : first)
    return due.map(({ nonce }) => nonce)
  }
}
