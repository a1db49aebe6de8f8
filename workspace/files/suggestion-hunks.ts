import type * as Y from 'yjs'
import { diffTokens, newEffort } from '../../lib/merge/diff.ts'
import type { TextEdit } from '../../lib/merge/edits.ts'
import { textDelta } from '../../lib/merge/text-delta.ts'
import type { CharacterId, SuggestedHunk } from '../document/suggestion-schema.ts'
import { nameOfCharacter, placesOf, type TextRange } from './edit-ranges.ts'
import { partsOf } from './text-index.ts'

/**
 * Hunks of suggestions: whole lines of a text, and the lines proposed instead. A hunk keeps the Yjs ids of the characters
 * at its ends. So its place moves along with every edit around it, and it is never looked for by its text, which may
 * stand in several places.
 */

/**
 * `applies`: at its line. `moved`: at another line than in the version it was made from. `conflict`: its lines, or the
 * place of an insertion, were changed.
 */
export type HunkState = 'applies' | 'moved' | 'conflict'

/** A hunk in the text as it is now. */
export interface PlacedHunk {
  state: HunkState
  /** 1-based: the first line that it replaces, or that it stands before. Of a conflict, the line that it was made for. */
  line: number
  /** UTF-16 offsets of what it replaces; null: a conflict. */
  range: TextRange | null
}

const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? []

/** The hunks that turn the content of `text` into `proposed`, in order and with a line between any two. `steps`: as of `newEffort`. */
export const hunksOf = (text: Y.Text, proposed: string, steps: number): SuggestedHunk[] => {
  const content = text.toJSON()
  const [before, after] = [linesOf(content), linesOf(proposed)]
  const found = diffTokens(before, after, undefined, newEffort(steps))
  const starts = [0]
  for (const line of before) starts.push(starts.at(-1)! + line.length)
  const ranges = found.map(({ a0, a1 }): TextRange => [starts[a0]!, starts[a1]!])
  const idAt = charactersAt(text, ranges.flatMap(endsOf))
  return found.map(({ a0, a1, b0, b1 }, i) => {
    const [first, last] = endsOf(ranges[i]!) as [number, number]
    const [from, to] = [idAt.get(first), idAt.get(last)]
    return {
      ...{ line: a0 + 1, old: before.slice(a0, a1).join(''), new: after.slice(b0, b1).join('') },
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
    }
  })
}

/** Offsets of the characters that hold a range: its own ends, or those around an empty one. */
const endsOf = ([from, to]: TextRange): number[] => (to > from ? [from, to - 1] : [from - 1, to])

/** The ids of the characters at these offsets; offsets outside of the text have none. */
const charactersAt = (text: Y.Text, offsets: readonly number[]): Map<number, CharacterId> => {
  const wanted = [...new Set(offsets)].sort((a, b) => a - b).filter((offset) => offset >= 0)
  const found = new Map<number, CharacterId>()
  let next = 0
  for (const { item, offset, units } of partsOf(text)) {
    for (; next < wanted.length && wanted[next]! < offset + units; next++) {
      const at = wanted[next]!
      found.set(at, [item.id.client, item.id.clock + at - offset])
    }
  }
  return found
}

/** Finds the place of each hunk in `text` now. Hunks are untrusted: one that fits nothing is a conflict. */
export const placeHunks = (text: Y.Text, hunks: readonly SuggestedHunk[]): PlacedHunk[] => {
  const ends = hunks.flatMap(({ from, to }) => [from, to])
  const places = placesOf(
    text,
    ends.filter((id): id is CharacterId => id?.length === 2),
  )
  const content = text.toJSON()
  const placeOf = (id: CharacterId | undefined): TextRange | null =>
    (id && places.get(nameOfCharacter(...id))) ?? null
  const lineAt = lineCounter(content)
  return hunks.map((hunk) => {
    const range =
      hunk.old === '' ? insertionAt(content, hunk, placeOf) : linesAt(content, hunk, placeOf)
    if (range === null) return { state: 'conflict', line: hunk.line, range }
    const line = lineAt(range[0])
    return { state: line === hunk.line ? 'applies' : 'moved', line, range }
  })
}

type PlaceOf = (id: CharacterId | undefined) => TextRange | null

const isLineStart = (content: string, offset: number): boolean =>
  offset === 0 || content[offset - 1] === '\n'

/** The lines between the ends of a hunk, where they are still the old ones and nothing else stands on them. */
const linesAt = (
  content: string,
  { old, from, to }: SuggestedHunk,
  placeOf: PlaceOf,
): TextRange | null => {
  const [first, last] = [placeOf(from), placeOf(to)]
  if (first === null || last === null) return null
  const [start, end] = [first[0], last[1]]
  if (end - start !== old.length || content.slice(start, end) !== old) return null
  const endsLine = old.endsWith('\n') || end === content.length
  return isLineStart(content, start) && endsLine ? [start, end] : null
}

/**
 * The place between the characters around an insertion, of which one is still there. What others inserted in between
 * comes first, as in a merge. Null: both have gone, or no line begins there now.
 */
const insertionAt = (
  content: string,
  { from, to }: SuggestedHunk,
  placeOf: PlaceOf,
): TextRange | null => {
  const [before, after] = [placeOf(from), placeOf(to)]
  const isAlive = (place: TextRange | null): place is TextRange =>
    place !== null && place[1] > place[0]
  // An empty text has neither: the place is there as long as it is empty.
  if (from === undefined && to === undefined) return content === '' ? [0, 0] : null
  if (!isAlive(before) && !isAlive(after)) return null
  const offsets = [
    ...(to === undefined ? [content.length] : isAlive(after) ? [after[0]] : []),
    ...(from === undefined ? [0] : isAlive(before) ? [before[1]] : []),
  ]
  const offset = offsets.find((at) => isLineStart(content, at))
  return offset === undefined ? null : [offset, offset]
}

/** Line of an offset, 1-based; cheap for offsets in order. */
const lineCounter = (content: string): ((offset: number) => number) => {
  let [line, at] = [1, 0]
  return (offset) => {
    if (offset < at) [line, at] = [1, 0]
    for (
      let end = content.indexOf('\n', at);
      end !== -1 && end < offset;
      end = content.indexOf('\n', at)
    ) {
      line++
      at = end + 1
    }
    return line
  }
}

/**
 * The edits that replace the old lines of a hunk. A line that becomes a similar one is edited within, so that the rest of
 * it stays its authors'. Others are written whole: of characters that two lines happen to share, somebody who removes the
 * old line at the same time would take some along.
 */
const editsWithin = ({ old, new: now }: SuggestedHunk): TextEdit[] => {
  const [before, after] = [linesOf(old), linesOf(now)]
  if (before.length !== after.length) return [{ index: 0, remove: old.length, insert: now }]
  let start = 0
  return before.flatMap((line, i) => {
    const edits = editsOfLine(line, after[i]!).map((edit) => ({
      ...edit,
      index: start + edit.index,
    }))
    start += line.length
    return edits
  })
}

const editsOfLine = (old: string, now: string): TextEdit[] => {
  const { edits } = textDelta(old, now)
  const kept = edits.reduce((left, { remove }) => left - remove, old.length)
  return 2 * kept > Math.max(old.length, now.length)
    ? edits
    : [{ index: 0, remove: old.length, insert: now }]
}

/** The edits of some placed hunks, in order and apart. */
export const editsOfHunks = (
  chosen: readonly { hunk: SuggestedHunk; range: TextRange }[],
): TextEdit[] =>
  chosen
    .map((one, i) => ({ ...one, i }))
    .sort((a, b) => a.range[0] - b.range[0] || a.i - b.i)
    .flatMap(({ hunk, range: [start] }) =>
      editsWithin(hunk).map((edit) => ({ ...edit, index: start + edit.index })),
    )
