/** Runs asynchronous work one piece at a time, in the order of the calls. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve()

  /** Runs `work` after all earlier work has settled. Settles as `work` does; a rejection does not stop the work behind it. */
  run<T>(work: () => T | PromiseLike<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => {}) // the caller of `run` handles it
    return done
  }

  /** Resolves to a function that releases the lock, once all earlier work has settled. Call it exactly once. */
  acquire(): Promise<() => void> {
    return new Promise((resolve) => {
      void this.run(() => new Promise<void>((release) => resolve(release)))
    })
  }

  /** Resolves when all work so far has settled; never rejects. */
  async settled(): Promise<void> {
    await this.#last
  }
}
