/** The state of the server's data: the store's failure, and the damaged workspaces. */
export class Health {
  #failure: string | null = null
  /** By workspace, so that damage to one does not stop the others. */
  readonly #damage = new Set<string>()

  /** The store's failure; null while it works. */
  get failure(): string | null {
    return this.#failure
  }

  /** The damage found so far in single workspaces; null for none. */
  get damage(): string | null {
    return this.#damage.size === 0 ? null : `damaged: ${[...this.#damage].join('; ')}`
  }

  /**
   * Notes that the store failed. Returns false if that is known already; the first reason is kept.
   */
  fail(reason: string): boolean {
    if (this.#failure !== null) return false
    this.#failure = reason
    return true
  }

  recover(): void {
    this.#failure = null
  }

  addDamage(message: string): void {
    this.#damage.add(message)
  }
}
