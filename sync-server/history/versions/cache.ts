/** Texts by key, the ones used last, of at most `max` UTF-16 units together. */
export class TextCache {
  readonly #max: number
  /** Oldest use first. */
  readonly #texts = new Map<string, { version: number; text: string }>()
  #units = 0

  constructor(max: number) {
    this.#max = max
  }

  get(key: string, version: number): string | null {
    const found = this.#texts.get(key)
    if (found?.version !== version) return null
    this.#texts.delete(key)
    this.#texts.set(key, found)
    return found.text
  }

  set(key: string, version: number, text: string): void {
    this.#delete(key)
    this.#texts.set(key, { version, text })
    this.#units += text.length
    for (const oldest of this.#texts.keys()) {
      if (this.#units <= this.#max) return
      this.#delete(oldest)
    }
  }

  /** Forgets the texts whose keys begin so. */
  forget(prefix: string): void {
    for (const key of [...this.#texts.keys()]) if (key.startsWith(prefix)) this.#delete(key)
  }

  #delete(key: string): void {
    this.#units -= this.#texts.get(key)?.text.length ?? 0
    this.#texts.delete(key)
  }
}
