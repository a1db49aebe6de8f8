/** A value read from a database, kept until the entries behind it are written. */
export class Kept<T> {
  #value: T | null = null
  #writes = 0

  /** Null: not read since the last write. */
  get value(): T | null {
    return this.#value
  }

  /** Call once a write of its entries is on disk. */
  forget(): void {
    this.#value = null
    this.#writes++
  }

  /** The value, read by `load` unless it is known. A value read during a write is not kept. */
  async read(load: () => Promise<T>): Promise<T> {
    if (this.#value !== null) return this.#value
    const writes = this.#writes
    const value = await load()
    if (writes === this.#writes) this.#value = value
    return value
  }
}
