import type { MergeResult } from './edits.ts'
import { changedSpan } from './ends.ts'

/**
 * A merge that takes the change of each side as one span, from its first to its last differing
 * line.
 */
export const mergeSpans = (
  base: string,
  mine: string,
  theirs: string,
): Pick<MergeResult, 'edits' | 'conflicts'> => {
  if (mine === base) return { edits: [], conflicts: [] }
  if (theirs === base) {
    const [start, tail] = changedSpan(base, mine)
    const insert = mine.slice(start, mine.length - tail)
    return { edits: [{ index: start, remove: base.length - tail - start, insert }], conflicts: [] }
  }
  const [mStart, mTail] = changedSpan(base, mine)
  const [tStart, tTail] = changedSpan(base, theirs)
  const [mEnd, tEnd] = [base.length - mTail, base.length - tTail]
  const grown = theirs.length - base.length
  const now = mine.slice(mStart, mine.length - mTail)
  if (mEnd <= tStart && mStart < tEnd) {
    return { edits: [{ index: mStart, remove: mEnd - mStart, insert: now }], conflicts: [] }
  }
  if (tEnd <= mStart) {
    return { edits: [{ index: mStart + grown, remove: mEnd - mStart, insert: now }], conflicts: [] }
  }
  // Keeps both: theirs, then mine with the text of base around it.
  const [start, end] = [Math.min(mStart, tStart), Math.max(mEnd, tEnd)]
  const at = end + grown
  const old = theirs.slice(start, at)
  const added = mine.slice(start, mine.length - base.length + end)
  if (added === '' || added === old) return { edits: [], conflicts: [] }
  const gap = old === '' || old.endsWith('\n') ? '' : '\n'
  const from_line = 1 + lineEnds(theirs.slice(0, start))
  const lines = lineEnds((old + gap + added).slice(0, -1)) + 1
  return {
    edits: [{ index: at, remove: 0, insert: gap + added }],
    conflicts: [{ from_line, to_line: from_line + lines - 1, theirs: [[start, at]] }],
  }
}

/** Line ends in a text (count). */
export const lineEnds = (text: string): number => {
  let count = 0
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++
  return count
}
