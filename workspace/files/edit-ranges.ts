import type * as Y from 'yjs'
import type { LineRange } from '../../lib/merge/edits.ts'
import { firstItem, itemAfter, stringIn } from '../../lib/yjs/internals.ts'
import { partsOf } from './text-index.ts'

/**
 * Ranges of a text that move along as it changes. Yjs relative positions cost a walk through the
 * text each; these cost one walk for all.
 */

/** From the first character to the last one, both included; each is given by client and clock. */
export type EditSpan = [fromClient: number, fromClock: number, toClient: number, toClock: number]

/** Half-open range of UTF-16 offsets. */
export type TextRange = [number, number]

/** Offsets at which these lines begin and end, line ends included; they are in order. */
export const rangesOfLines = (content: string, lines: readonly LineRange[]): TextRange[] => {
  const ranges: TextRange[] = []
  let [line, at] = [1, 0]
  const startOf = (wanted: number): number => {
    for (; line < wanted && at < content.length; line++) {
      const end = content.indexOf('\n', at)
      at = end === -1 ? content.length : end + 1
    }
    return at
  }
  for (const { from_line, to_line } of lines) {
    const from = startOf(from_line)
    ranges.push([from, startOf(to_line + 1)])
  }
  return ranges
}

/** The spans of ranges that are in order and apart. An empty range has none. */
export const spansOver = (text: Y.Text, ranges: readonly TextRange[]): EditSpan[] => {
  const wanted = ranges.filter(([from, to]) => to > from).flatMap(([from, to]) => [from, to - 1])
  const ids: number[] = []
  let next = 0
  for (const { item, offset, units } of partsOf(text)) {
    for (; next < wanted.length && wanted[next]! < offset + units; next++) {
      ids.push(item.id.client, item.id.clock + wanted[next]! - offset)
    }
  }
  const spans: EditSpan[] = []
  for (let i = 0; i + 3 < ids.length; i += 4) spans.push(ids.slice(i, i + 4) as EditSpan)
  return spans
}

/** The name of a character in the answer of `placesOf`. */
export const nameOfCharacter = (client: number, clock: number): string => `${client}:${clock}`

/**
 * The range of each of these characters now, by name, after one walk through the text: empty where the character was
 * deleted, absent where the text never had it.
 */
export const placesOf = (
  text: Y.Text,
  characters: Iterable<readonly [client: number, clock: number]>,
): Map<string, TextRange> => {
  const wanted = new Map<number, number[]>()
  for (const [client, clock] of characters) {
    const clocks = wanted.get(client)
    if (clocks === undefined) wanted.set(client, [clock])
    else clocks.push(clock)
  }
  for (const clocks of wanted.values()) clocks.sort((a, b) => a - b)

  const found = new Map<string, TextRange>()
  let at = 0
  for (let item = firstItem(text); item !== null; item = itemAfter(item)) {
    const isThere = !item.deleted && stringIn(item) !== null
    const { client, clock } = item.id
    const clocks = wanted.get(client)
    if (clocks !== undefined) {
      for (let i = firstFrom(clocks, clock); clocks[i]! < clock + item.length; i++) {
        const offset = isThere ? at + clocks[i]! - clock : at
        found.set(nameOfCharacter(client, clocks[i]!), [offset, isThere ? offset + 1 : offset])
      }
    }
    if (isThere) at += item.length
  }
  return found
}

/**
 * The range of each span now: from its first character, or the place where that was, to its last.
 */
export const rangesOfSpans = (text: Y.Text, spans: readonly EditSpan[]): TextRange[] => {
  const places = placesOf(
    text,
    spans.flatMap(([client, clock, toClient, toClock]) => [
      [client, clock] as const,
      [toClient, toClock] as const,
    ]),
  )
  return spans.flatMap(([fromClient, fromClock, toClient, toClock]) => {
    const from = places.get(nameOfCharacter(fromClient, fromClock))
    const to = places.get(nameOfCharacter(toClient, toClock))
    return from === undefined || to === undefined ? [] : [[from[0], to[1]] as TextRange]
  })
}

const firstFrom = (sorted: readonly number[], least: number): number => {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < least) low = middle + 1
    else high = middle
  }
  return low
}
