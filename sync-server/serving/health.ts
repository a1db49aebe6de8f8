/** The state of the server's data: why nothing can be stored, and which workspaces are damaged. */
export class Health {
  #failure: string | null = null
  /** By workspace, so that damage to one does not stop the others. */
  readonly #damage = new Set<string>()

  /** Why nothing can be stored; null while everything can. */
  get failure(): string | null {
    return this.#failure
  }

  /** The damage met so far in single workspaces; null for none. */
  get damage(): string | null {
    return this.#damage.size === 0 ? null : `damaged: ${[...this.#damage].join('; ')}`
  }

  /** Nothing can be stored from now on. Returns false where that is known already; the first reason stays. */
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
