import { closeSync } from 'node:fs'
import type { MirrorOld, Replica } from '../../client/replica/replica.ts'
import { readOpenText } from './disk/text-file.ts'

/**
 * Longest time between a tool's read and its write of a file (ms); later it has read the mirror's
 * text.
 */
const READ_MS = 1_000
/** Time that an overwritten text is kept and its old file is checked (ms). */
const KEPT_MS = 2_000
/** Time between two checks of replaced files (ms). */
const LATE_MS = 400
/** A file written to within this time is left for the next check (ms). */
const SETTLE_MS = 40
/** Replaced files kept open for the checks (count). */
const MAX_OPEN = 128
/** Texts kept in memory (UTF-16 units). */
const MAX_UNITS = 32 * 1024 * 1024

interface Old extends MirrorOld {
  number: number
  fd: number | null
  /** Its text at the last check. */
  seen: string
}

/**
 * Texts that the mirror replaced on disk a moment ago. A tool that had read or opened such a file
 * does not know about the mirror: its write is an edit of the old text, in the new file or still in
 * the old one. Also stored in the replica, so that the next mirror finds the last writes of this
 * one.
 */
export class Overwritten {
  readonly #replica: Replica
  readonly #mirror: string
  /** Called with a text that was written to a replaced file. */
  readonly #onLate: (rel: string, before: string, text: string) => void
  readonly #old: Old[]
  #next: number
  #units: number
  #timer: NodeJS.Timeout | null = null
  #isStarted = false

  /** `known`: texts stored by the previous mirror. */
  constructor(
    replica: Replica,
    mirror: string,
    known: readonly [number, MirrorOld][],
    onLate: (rel: string, before: string, text: string) => void,
  ) {
    this.#replica = replica
    this.#mirror = mirror
    this.#onLate = onLate
    this.#old = known.map(([number, old]) => ({ ...old, number, fd: null, seen: old.text }))
    this.#next = (known.at(-1)?.[0] ?? -1) + 1
    this.#units = this.#old.reduce((sum, { text }) => sum + text.length, 0)
  }

  /** Ends the first pass: from now on old texts expire. */
  start(): void {
    this.#isStarted = true
    this.#onTime()
  }

  add(rel: string, text: string, fd: number | null): void {
    const old: MirrorOld = { rel, text, at: Date.now() }
    const number = this.#next++
    this.#replica.keepMirrorOld(this.#mirror, number, old)
    this.#old.push({ ...old, number, fd, seen: text })
    this.#units += text.length
    const open = this.#old.filter((old) => old.fd !== null)
    for (const old of open.slice(0, -MAX_OPEN)) this.#check(old, true)
    while (this.#units > MAX_UNITS) this.#forget()
    if (this.#isStarted) this.#timer ??= setTimeout(() => this.#onTime(), LATE_MS)
  }

  /**
   * Texts that a file written at `writtenAt` (milliseconds since the epoch) may have been made
   * from, apart from its base; newest first.
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

  /**
   * Checks an old file. A file that is being written waits for the next check unless this is the
   * last.
   */
  #check(old: Old, isLast: boolean): void {
    if (old.fd === null) return
    const found = readOpenText(old.fd)
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
    this.#replica.keepMirrorOld(this.#mirror, old.number, null)
    this.#units -= old.text.length
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    for (const old of this.#old) this.#check(old, true)
  }
}
