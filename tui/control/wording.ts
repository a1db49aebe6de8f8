import { NO_WORDS, type WordedText, type Words } from '../highlight/texts.ts'
import { PAUSE_MS, type WordedLine, wordedLines } from '../highlight/tokens.ts'

/** Texts that are remembered besides those that are shown (count). */
const REMEMBERED = 32

/** Finds the colours of the words of texts that pages show, once these have stood still for a while. */
export class Wording {
  words: Words = NO_WORDS
  readonly #onFound: (words: Words) => void
  #wanted: readonly WordedText[] = []
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(onFound: (words: Words) => void) {
    this.#onFound = onFound
  }

  want(texts: readonly WordedText[]): void {
    const isSame =
      texts.length === this.#wanted.length &&
      texts.every(({ text, language }, i) => {
        const known = this.#wanted[i]!
        return text === known.text && language === known.language
      })
    if (isSame) return
    this.#wanted = texts
    clearTimeout(this.#timer)
    if (this.#missing.length === 0) return
    // Without colours the texts are whole, too.
    this.#timer = setTimeout(() => void this.#find().catch(() => {}), PAUSE_MS)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  get #missing(): readonly WordedText[] {
    return this.#wanted.filter(({ language, text }) => !this.words.get(language)?.has(text))
  }

  async #find(): Promise<void> {
    const found: [WordedText, WordedLine[]][] = []
    for (const one of this.#missing) found.push([one, await wordedLines(one.text, one.language)])
    if (this.#isClosed) return
    const words = new Map([...this.words].map(([language, texts]) => [language, new Map(texts)]))
    for (const [{ language, text }, lines] of found) {
      const texts = words.get(language) ?? new Map<string, WordedLine[]>()
      words.set(language, texts.set(text, lines))
    }
    for (const [language, texts] of words) {
      const shown = new Set(
        this.#wanted.filter((one) => one.language === language).map((one) => one.text),
      )
      const others = [...texts.keys()].filter((text) => !shown.has(text))
      for (const oldest of others.slice(0, Math.max(0, others.length - REMEMBERED))) {
        texts.delete(oldest)
      }
    }
    this.words = words
    this.#onFound(words)
  }
}
