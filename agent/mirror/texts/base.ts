import { createHash } from 'node:crypto'
import { diffTokens } from '../../../lib/merge/diff.ts'
import { merge3 } from '../../../lib/merge/merge.ts'

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
