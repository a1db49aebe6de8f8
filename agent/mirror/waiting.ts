import { foldersOf } from './rules/paths.ts'

/** Paths whose deletion waits for confirmation, each with the cause. */
export class WaitingDeletions {
  readonly #whys = new Map<string, string>()
  /** Waiting paths below each folder (count). */
  readonly #below = new Map<string, number>()

  constructor(known: readonly [string, string][]) {
    for (const [rel, why] of known) this.set(rel, why)
  }

  get size(): number {
    return this.#whys.size
  }

  entries(): [string, string][] {
    return [...this.#whys]
  }

  has(rel: string): boolean {
    return this.#whys.has(rel)
  }

  get(rel: string): string | undefined {
    return this.#whys.get(rel)
  }

  hasBelow(folder: string): boolean {
    return this.#below.has(folder)
  }

  set(rel: string, why: string): void {
    if (!this.#whys.has(rel)) this.#count(rel, 1)
    this.#whys.set(rel, why)
  }

  delete(rel: string): boolean {
    if (!this.#whys.delete(rel)) return false
    this.#count(rel, -1)
    return true
  }

  /** Removes all paths and returns them. */
  clear(): string[] {
    const rels = [...this.#whys.keys()]
    this.#whys.clear()
    this.#below.clear()
    return rels
  }

  #count(rel: string, by: number): void {
    for (const at of foldersOf(rel)) {
      const count = (this.#below.get(at) ?? 0) + by
      if (count === 0) this.#below.delete(at)
      else this.#below.set(at, count)
    }
  }
}
