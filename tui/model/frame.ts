import type { Words } from '../highlight/texts.ts'
import type { Reads } from './reads.ts'
import type { Snapshot } from './snapshot.ts'
import type { UiState } from './state.ts'

/** The input of a frame. */
export interface UiFrame {
  snapshot: Snapshot
  state: UiState
  /** Answers of the server that open pages show. */
  reads: Reads
  /** Colours of words in the texts that open pages show. */
  words: Words
  columns: number
  rows: number
  /** For a screen reader: words instead of symbols, nothing side by side that belongs apart. */
  plain: boolean
}

/** The function, which computes again only when its arguments are others: it remembers the last ones. */
export const latest = <A extends readonly unknown[], R>(
  compute: (...args: A) => R,
): ((...args: A) => R) => {
  let known: { args: A; result: R } | null = null
  return (...args) => {
    if (known?.args.every((arg, i) => arg === args[i])) return known.result
    known = { args, result: compute(...args) }
    return known.result
  }
}

const UNITS: readonly [number, string][] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
]

/** The age of an ISO time in at most 4 characters; a time ahead is `now`. */
export const ago = (iso: string, now: number): string => {
  const ms = now - Date.parse(iso)
  for (const [unit, letter] of UNITS) if (ms >= unit) return `${Math.floor(ms / unit)}${letter}`
  return 'now'
}

const two = (n: number): string => String(n).padStart(2, '0')

/** The zone of this machine's clock at a time: `UTC`, `+09:00`. */
export const zoneAt = (at: number): string => {
  const minutes = -new Date(at).getTimezoneOffset()
  if (minutes === 0) return 'UTC'
  const size = Math.abs(minutes)
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
}

/** Times that a date can be of (milliseconds since the epoch). */
const LAST_TIME = 8.64e15

/** A time by this machine's clock, with its zone: `2026-11-28 04:57 +09:00`. */
export const localTime = (time: number | string): string => {
  const ms = typeof time === 'number' ? time : Date.parse(time)
  if (Number.isNaN(ms)) return '–'
  const date = new Date(Math.min(Math.max(ms, 0), LAST_TIME))
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())} ${zoneAt(date.getTime())}`
}

/** The time of day, and the day where it is not today's. */
export const clock = (at: number, now: number): string => {
  const date = new Date(at)
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`
  const day = `${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return new Date(now).toDateString() === date.toDateString() ? time : `${day} ${time}`
}
