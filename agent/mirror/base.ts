import { createHash } from 'node:crypto'
import { diffTokens } from '../../lib/merge/diff.ts'
import { merge3 } from '../../lib/merge/merge.ts'

/** By which texts are known again. */
export const textDigest = (text: string): string =>
  createHash('sha256').update(text).digest('base64url')

/** The lines that two texts have in common, in order: the base of a merge of two texts that never had one. */
export const commonLines = (a: string, b: string): string => {
  const lines = a.split('\n')
  const kept: string[] = []
  let done = 0
  for (const { a0, a1 } of diffTokens(lines, b.split('\n'))) {
    for (; done < a0; done++) kept.push(lines[done]!)
    done = a1
  }
  return [...kept, ...lines.slice(done)].join('\n')
}

/** Two texts that never had a base as one: the lines they have in common once, and every other line of both. */
export const united = (theirs: string, mine: string): string =>
  merge3(commonLines(theirs, mine), mine, theirs).text

/** Lines kept and lines removed or inserted between two texts (count). */
const stepsOf = (from: readonly string[], to: readonly string[]) => {
  let [kept, changed] = [from.length, 0]
  for (const { a0, a1, b0, b1 } of diffTokens(from, to)) {
    kept -= a1 - a0
    changed += a1 - a0 + (b1 - b0)
  }
  return { kept, changed }
}

/**
 * Which of several texts, newest first, somebody changed to get `text`: a tool that read a file just before the mirror
 * wrote it, and wrote it just after, has changed what was there before. An older one is it only where most of it was
 * kept, and where that takes fewer changes than from any newer one.
 */
export const nearest = (texts: readonly string[], text: string): string => {
  const [newest, ...older] = texts as [string, ...string[]]
  if (older.length === 0) return newest
  const lines = text.split('\n')
  let best = newest
  let least = stepsOf(newest.split('\n'), lines).changed
  for (const one of older) {
    const from = one.split('\n')
    const { kept, changed } = stepsOf(from, lines)
    if (changed >= least || 2 * kept <= from.length) continue
    best = one
    least = changed
  }
  return best
}
