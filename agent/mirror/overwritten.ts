import { closeSync, fstatSync } from 'node:fs'
import type { MirrorOld, Replica } from '../../client/replica/replica.ts'
import { readOpenText } from './disk/text-file.ts'
import type { Replaced } from './texts/origin.ts'

/** Time that a replaced text is kept (ms): somebody who writes a whole file has read it before. */
const KEPT_MS = 10 * 60_000
/** Time that a replaced file is kept open and checked (ms): a tool that has it open may write to it. */
const OPEN_MS = 10_000
/** Time between two checks of replaced files (ms). */
const LATE_MS = 400
/** A file written to within this time is left for the next check (ms). */
const SETTLE_MS = 40
/** The clock of a file system may be behind by this (ms). */
const TICK_MS = 50
/** Replaced files kept open for the checks (count). */
const MAX_OPEN = 128
/** Texts kept per file, and in all (count). */
const MAX_OF_FILE = 64
const MAX_TEXTS = 4096
/** Texts kept in memory and in the replica (UTF-16 units). */
const MAX_UNITS = 16 * 1024 * 1024

interface Old extends MirrorOld {
  number: number
  fd: number | null
  /** Its text, its size and its time (bytes; ms since the epoch) at the last check. */
  seen: string
  size: number
  writtenAt: number
}

/** The first check reads the file, as it may have been written to just before. */
const UNCHECKED = { size: -1, writtenAt: -1 }

/**
 * Texts that the mirror replaced on disk. A tool that had read or opened such a file does not know
 * about the mirror: its write is an edit of the old text, in the new file or still in the old one.
 * Also stored in the replica, so that the next mirror finds the last writes of this one. The oldest
 * are dropped beyond any of the limits.
 */
export class Overwritten {
  readonly #replica: Replica
  readonly #mirror: string
  /** Called with a text that was written to a replaced file. */
  readonly #onLate: (rel: string, before: string, text: string) => void
  /** Oldest first. */
  readonly #old = new Map<number, Old>()
  readonly #byRel = new Map<string, Old[]>()
  #open: Old[] = []
  #next: number
  #units = 0
  #timer: NodeJS.Timeout | null = null
  /** When the timer ends (ms since the epoch). */
  #due = 0
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
    for (const [number, old] of known) {
      this.#keep({ ...old, number, fd: null, seen: old.text, ...UNCHECKED })
    }
    this.#next = (known.at(-1)?.[0] ?? -1) + 1
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
    const one = { ...old, number, fd, seen: text, ...UNCHECKED }
    this.#keep(one)
    if (fd !== null) this.#open.push(one)
    for (const old of this.#open.splice(0, this.#open.length - MAX_OPEN)) this.#check(old, true)
    const ofFile = this.#byRel.get(rel)!
    if (ofFile.length > MAX_OF_FILE) this.#forget(ofFile[0]!)
    for (const old of this.#old.values()) {
      if (this.#units <= MAX_UNITS && this.#old.size <= MAX_TEXTS) break
      this.#forget(old)
    }
    if (this.#isStarted && fd !== null) this.#schedule(LATE_MS)
  }

  #keep(old: Old): void {
    this.#old.set(old.number, old)
    const ofFile = this.#byRel.get(old.rel)
    if (ofFile === undefined) this.#byRel.set(old.rel, [old])
    else ofFile.push(old)
    this.#units += old.text.length
  }

  /**
   * Texts that a file written at `writtenAt` (milliseconds since the epoch) may have been made
   * from, apart from its base; newest first. A write time before the replacement is a restored one,
   * and does not count.
   */
  texts(rel: string, writtenAt: number): Replaced[] {
    const now = Date.now()
    const found = (this.#byRel.get(rel) ?? []).map(({ text, at }) => ({
      text,
      age: Math.max(0, (writtenAt >= at - TICK_MS ? writtenAt : now) - at),
    }))
    return found.filter(({ age }) => age <= KEPT_MS).reverse()
  }

  #schedule(ms: number): void {
    const due = Date.now() + ms
    if (this.#timer !== null && this.#due <= due) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#onTime(), ms)
    this.#due = due
  }

  #onTime(): void {
    this.#timer = null
    const now = Date.now()
    const [due, open] = [[] as Old[], [] as Old[]]
    for (const old of this.#open) (now - old.at > OPEN_MS ? due : open).push(old)
    this.#open = open
    for (const old of due) this.#check(old, true)
    for (const old of open) this.#check(old, false)
    for (const old of this.#old.values()) {
      if (now - old.at <= KEPT_MS) break
      this.#forget(old)
    }
    if (this.#open.length > 0) this.#schedule(LATE_MS)
    else if (this.#old.size > 0) this.#schedule(KEPT_MS / 10)
  }

  /**
   * Checks an old file. A file that is being written waits for the next check unless this is the
   * last.
   */
  #check(old: Old, isLast: boolean): void {
    if (old.fd === null) return
    const { size, mtimeMs } = fstatSync(old.fd)
    if (!isLast && size === old.size && mtimeMs === old.writtenAt) return
    const found = readOpenText(old.fd)
    if (isLast) {
      closeSync(old.fd)
      old.fd = null
    }
    if (found.kind !== 'text' || found.text === '') return
    if (!isLast && Date.now() - found.at < SETTLE_MS) return
    const before = old.seen
    ;[old.seen, old.size, old.writtenAt] = [found.text, size, found.at]
    if (found.text !== before) this.#onLate(old.rel, before, found.text)
  }

  #forget(old: Old): void {
    this.#check(old, true)
    this.#open = this.#open.filter((one) => one !== old)
    this.#replica.keepMirrorOld(this.#mirror, old.number, null)
    this.#old.delete(old.number)
    const ofFile = this.#byRel.get(old.rel)!.filter((one) => one !== old)
    if (ofFile.length === 0) this.#byRel.delete(old.rel)
    else this.#byRel.set(old.rel, ofFile)
    this.#units -= old.text.length
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    for (const old of this.#open.splice(0)) this.#check(old, true)
  }
}
