import { newEffort } from '../../../lib/merge/diff.ts'
import { type Steps, stepsBetween } from './steps.ts'

/** Within this time after a replacement a tool may be about to write what it had read before (ms). */
const RACE_MS = 2_000
/** A tool on a busy machine rests for up to this time between its read and its write (ms). */
const REST_MS = 10_000
/** A line of fewer characters, like `}`, stands in many texts. */
const TELLING_CHARACTERS = 3

/** A text that the mirror replaced. */
export interface Replaced {
  text: string
  /** Time from the replacement to the write that is judged (ms). */
  age: number
}

/** Texts that a tool may have read before its write. */
export interface Origins {
  /** The base first; the text that was to replace it when a mirror ended. */
  bases: readonly string[]
  /** Newest first. */
  replaced: readonly Replaced[]
}

/**
 * Returns the text that `written` was most likely made from. A tool that read a file before the
 * mirror replaced it, and writes after that, has edited the replaced text; taken for an edit of the
 * base, its write would take back what others did in between.
 *
 * A replaced text is chosen if most of its lines were kept, it takes fewer changes than the base,
 * and the write came within RACE_MS. Later the write must also take back all that came in since, in
 * a place where it changes nothing else; within REST_MS also in the place of its own change, unless
 * that rewords what came in. A write of exactly an old text is deliberate after RACE_MS. What is
 * ambiguous keeps text: who removes the lines again writes an old text, and they stay removed.
 */
export const originOf = ({ bases, replaced }: Origins, written: string): string => {
  const effort = newEffort()
  const same = replaced.filter(({ text }) => text === written)
  const isRace = same.some(({ age }) => age <= RACE_MS)
  let [base, ...others] = bases as [string, ...string[]]
  if (same.length > 0) return isRace ? written : base
  let fromBase = stepsBetween(base, written, effort)
  for (const one of others) {
    const steps = stepsBetween(one, written, effort)
    if (isNearer(steps, fromBase)) [base, fromBase] = [one, steps]
  }
  let [best, least] = [base, fromBase]
  for (const { text, age } of replaced) {
    if (least.changed <= 1) break
    const steps = stepsBetween(text, written, effort)
    if (!isNearer(steps, least)) continue
    if (age > RACE_MS) {
      const news = newsBetween(text, base)
      if (!isTakenBack(news, written)) continue
      const isElsewhere = fromBase.places > steps.places
      if (!isElsewhere && (age > REST_MS || isReworded(news, text, written))) continue
    }
    ;[best, least] = [text, steps]
  }
  return best
}

/** Of two equal ways the one that removes fewer lines is nearer: what is ambiguous keeps text. */
const isNearer = (steps: Steps, than: Steps): boolean =>
  2 * steps.kept > steps.lines &&
  (steps.changed < than.changed ||
    (steps.changed === than.changed && steps.lines - steps.kept < than.lines - than.kept))

type Lines = ReadonlyMap<string, number>

/** Each telling line of a text, with its number of times. */
const linesOf = (text: string): Lines => {
  const found = new Map<string, number>()
  for (const line of text.split('\n')) {
    if (line.trim().length >= TELLING_CHARACTERS) found.set(line, (found.get(line) ?? 0) + 1)
  }
  return found
}

/** Lines that came in and lines that went, each with its number of times before. */
interface News {
  came: Lines
  went: Lines
}

const newsBetween = (before: string, now: string): News => {
  const [from, to] = [linesOf(before), linesOf(now)]
  const more = (of: Lines, than: Lines): Lines =>
    new Map(
      [...of.keys()]
        .filter((line) => of.get(line)! > (than.get(line) ?? 0))
        .map((line) => [line, from.get(line) ?? 0]),
    )
  return { came: more(to, from), went: more(from, to) }
}

/** True if all that came in is missing in `written`, and all that went is back. */
const isTakenBack = ({ came, went }: News, written: string): boolean => {
  if (came.size + went.size === 0) return false
  const lines = linesOf(written)
  return (
    [...came].every(([line, before]) => (lines.get(line) ?? 0) <= before) &&
    [...went].every(([line, before]) => (lines.get(line) ?? 0) >= before)
  )
}

const wordsOf = (lines: Iterable<string>): string[] => [
  ...new Set([...lines].join('\n').match(/[\p{L}\p{N}]+/gu)),
]

/** True if the lines that `written` adds to `before` share most of their words with those that came in. */
const isReworded = ({ came }: News, before: string, written: string): boolean => {
  const theirs = new Set(wordsOf(came.keys()))
  const mine = wordsOf(newsBetween(before, written).came.keys())
  const common = mine.filter((word) => theirs.has(word)).length
  return 2 * common > Math.min(mine.length, theirs.size)
}
