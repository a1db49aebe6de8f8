import * as Y from 'yjs'
import type { TextEdit } from '../../lib/merge/edits.ts'
import { firstItem, isElement, itemAfter, stringIn } from '../../lib/yjs/internals.ts'

/**
 * Indexes and offsets of a Y.Text. ClawLink writes characters only, but another Yjs program may
 * have put embeds or types into a text. Yjs counts each of them as one unit or more; the string of
 * the text has none of them. An `index` counts as Yjs does, an `offset` counts UTF-16 units of the
 * string.
 */

/** Stands for each unit of the text that its string lacks. */
export const OBJECT = '\ufffc'

interface Part {
  item: Y.Item
  index: number
  offset: number
  /** Units of the string; 0: the part has none. */
  units: number
}

/** The visible parts of the text, in order. */
export const partsOf = function* (text: Y.Text): Generator<Part> {
  let [index, offset] = [0, 0]
  for (let item = firstItem(text); item !== null; item = itemAfter(item)) {
    if (!isElement(item)) continue
    const units = stringIn(item) === null ? 0 : item.length
    yield { item, index, offset, units }
    index += item.length
    offset += units
  }
}

interface Run {
  index: number
  offset: number
  units: number
}

/** The runs of characters between embeds and types; at most one where there are none of these. */
const runsOf = (text: Y.Text): Run[] => {
  const runs: Run[] = []
  for (const { index, offset, units } of partsOf(text)) {
    const last = runs[runs.length - 1]
    if (last !== undefined && units > 0 && last.index + last.units === index) last.units += units
    else if (units > 0) runs.push({ index, offset, units })
  }
  return runs
}

/** The index of an offset: right after the character before it. */
export const indexAt = (text: Y.Text, offset: number): number => {
  let found = 0
  for (const part of partsOf(text)) {
    if (part.offset >= offset) break
    found = part.index + Math.min(part.units, offset - part.offset)
  }
  return found
}

/** Returns the function from index to offset, after one walk through the text. */
export const offsetsOf = (text: Y.Text): ((index: number) => number) => {
  const runs = runsOf(text)
  return (index) => {
    let found = 0
    for (const run of runs) {
      if (run.index >= index) break
      found = run.offset + Math.min(run.units, index - run.index)
    }
    return found
  }
}

/** The offset of an index. */
export const offsetAt = (text: Y.Text, index: number): number => offsetsOf(text)(index)

/**
 * The same edits, in order and apart, by index instead of offset. Embeds and types between removed
 * characters stay.
 */
export const indexEdits = (text: Y.Text, edits: readonly TextEdit[]): readonly TextEdit[] => {
  const runs = runsOf(text)
  if (runs.length === 0 || (runs.length === 1 && runs[0]!.index === 0)) return edits
  const byIndex: TextEdit[] = []
  let r = 0
  for (const { index: offset, remove, insert } of edits) {
    while (r < runs.length - 1 && runs[r]!.offset + runs[r]!.units < offset) r++
    let [from, left] = [offset, remove]
    for (let k = r; k === r || (left > 0 && k < runs.length); k++) {
      const run = runs[k]!
      const part = Math.min(left, run.offset + run.units - from)
      const edit = { index: run.index + from - run.offset, remove: part }
      byIndex.push({ ...edit, insert: k === r ? insert : '' })
      from += part
      left -= part
    }
  }
  return byIndex
}

/** Tells whether the text holds anything but characters, embeds and types. */
export const hasOthers = (text: Y.Text): boolean => {
  for (const { item } of partsOf(text)) {
    const { content } = item
    const isTold = [Y.ContentString, Y.ContentEmbed, Y.ContentType].some(
      (kind) => content instanceof kind,
    )
    if (!isTold) return true
  }
  return false
}

/** The text with a placeholder for each unit that its string lacks. */
export const indexedString = (text: Y.Text): string => {
  let shown = ''
  for (const { item } of partsOf(text)) {
    shown += stringIn(item) ?? OBJECT.repeat(item.length)
  }
  return shown
}

/**
 * A position at an index that moves along with the character before it, as JSON. It has every field
 * of Yjs' RelativePosition: y-codemirror.next passes awareness states to Yjs unchanged, and Yjs
 * treats null and undefined differently.
 */
export const placeAt = (
  text: Y.Text,
  index: number,
): Pick<Y.RelativePosition, 'type' | 'tname' | 'item' | 'assoc'> => {
  const { type, tname, item, assoc } = Y.createRelativePositionFromTypeIndex(text, index, -1)
  const id = (of: Y.ID | null) => (of === null ? null : { client: of.client, clock: of.clock })
  return { type: id(type), tname, item: id(item), assoc } as Y.RelativePosition
}
