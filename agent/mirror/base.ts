import { createHash } from 'node:crypto'
import { diffTokens } from '../../lib/merge/diff.ts'
import { merge3 } from '../../lib/merge/merge.ts'

/** Digest of a text: SHA-256, base64url. */
export const textDigest = (text: string): string =>
  createHash('sha256').update(text).digest('base64url')

/** The lines that two texts have in common, in order; the base to merge two texts without one. */
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

/** Merges two texts without a base: common lines once, and all other lines of both. */
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
 * Returns the text, of several from newest to oldest, that `text` was most likely made from: a tool
 * that read a file just before a write by the mirror, and wrote it just after, has edited the older
 * text. An older text is chosen only if most of its lines were kept and it takes fewer changes than
 * any newer one.
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
