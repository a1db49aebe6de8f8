import { diffTokens, type Effort } from '../../../lib/merge/diff.ts'
import { changedSpan } from '../../../lib/merge/ends.ts'

/** The way from one text to another, by lines (counts). */
export interface Steps {
  /** Lines of the first text. */
  lines: number
  /** Of those, lines that are in the second as well. */
  kept: number
  /** Lines removed and lines inserted. */
  changed: number
  /** Places with changes. */
  places: number
}

export const stepsBetween = (from: string, to: string, effort: Effort): Steps => {
  const lines = countOf(from)
  const steps = { lines, kept: lines, changed: 0, places: 0 }
  if (from === to) return steps
  const [start, tail] = changedSpan(from, to)
  const [a, b] = [from, to].map((text) => text.slice(start, text.length - tail).split('\n'))
  for (const { a0, a1, b0, b1 } of diffTokens(a!, b!, undefined, effort)) {
    steps.kept -= a1 - a0
    steps.changed += a1 - a0 + (b1 - b0)
    steps.places++
  }
  return steps
}

const countOf = (text: string): number => {
  let count = 1
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++
  return count
}
