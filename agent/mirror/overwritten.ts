import { closeSync } from 'node:fs'
import { readText } from './folder.ts'

/** For so long a tool may have had in its hands what it then writes (ms): longer, and it has read what the mirror wrote. */
const READ_MS = 300
/** For so long is known what was overwritten, and looked what becomes of it (ms). */
const KEPT_MS = 2_000
/** How often to look what was written to a file that is not in its place any more (ms). */
const LATE_MS = 400
/** One that was written to within this is left for the next time (ms). */
const SETTLE_MS = 40
/** Files that are kept open for that (count). */
const MAX_OPEN = 128
/** Texts kept in memory (UTF-16 units). */
const MAX_UNITS = 32 * 1024 * 1024

interface Old {
  rel: string
  text: string
  /** When it was overwritten, milliseconds since the epoch. */
  at: number
  fd: number | null
  /** What was in the file when it was looked at last. */
  seen: string
}

/**
 * What the mirror wrote over a moment ago. A tool that had read that, or had it open, does not know of the mirror: what
 * it writes then is an edit of the old text, in the new file or still in the old one.
 */
export class Overwritten {
  /** Called with what was written to a file after another had taken its place. */
  readonly #onLate: (rel: string, before: string, text: string) => void
  readonly #old: Old[] = []
  #units = 0
  #timer: NodeJS.Timeout | null = null

  constructor(onLate: (rel: string, before: string, text: string) => void) {
    this.#onLate = onLate
  }

  add(rel: string, text: string, fd: number | null): void {
    this.#old.push({ rel, text, at: Date.now(), fd, seen: text })
    this.#units += text.length
    const open = this.#old.filter((old) => old.fd !== null)
    for (const old of open.slice(0, -MAX_OPEN)) this.#check(old, true)
    while (this.#units > MAX_UNITS) this.#forget()
    this.#timer ??= setTimeout(() => this.#onTime(), LATE_MS)
  }

  /**
   * What a text that was written at `writtenAt` (milliseconds since the epoch) may have been made from, besides what it
   * replaced; newest first.
   */
  texts(rel: string, writtenAt: number): string[] {
    const since = writtenAt - READ_MS
    const found = this.#old.filter((old) => old.rel === rel && old.at >= since)
    return found.map(({ text }) => text).reverse()
  }

  #onTime(): void {
    this.#timer = null
    const now = Date.now()
    for (const old of this.#old) this.#check(old, false)
    while (this.#old[0] !== undefined && now - this.#old[0].at > KEPT_MS) this.#forget()
    if (this.#old.length > 0) this.#timer = setTimeout(() => this.#onTime(), LATE_MS)
  }

  /** Looks at an old file; one that is being written is left for later, unless this is the last time. */
  #check(old: Old, isLast: boolean): void {
    if (old.fd === null) return
    const found = readText(old.fd)
    if (isLast) {
      closeSync(old.fd)
      old.fd = null
    }
    if (found.kind !== 'text' || found.text === '' || found.text === old.seen) return
    if (!isLast && Date.now() - found.at < SETTLE_MS) return
    const before = old.seen
    old.seen = found.text
    this.#onLate(old.rel, before, found.text)
  }

  #forget(): void {
    const old = this.#old.shift()
    if (old === undefined) return
    this.#check(old, true)
    this.#units -= old.text.length
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    while (this.#old.length > 0) this.#forget()
  }
}
