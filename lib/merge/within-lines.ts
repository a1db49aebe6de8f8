import { diffTokens, type Effort } from './diff.ts'
import type { TextEdit } from './edits.ts'
import { sameEnds } from './ends.ts'

/**
 * One character as a reader sees it, approximately: combining marks, emoji sequences and flags stay
 * whole.
 */
const CHARACTER = /(?:\r\n|\p{RI}{2}|.)(?:[\p{M}\p{Emoji_Modifier}]|\u200d.)*/gsu

/** Lines that share less of the shorter one at their ends are different lines. */
const SAME_LINE = 0.5
/** Pairs of lines that are compared at most (count). */
const MAX_PAIRS = 40_000

/**
 * Edits from `old` to `text`: a line that became a similar one is edited by characters, every other line is removed or
 * inserted whole, so that concurrent insertions between two lines stay between two lines. Where one edit of all between
 * what both texts share at their ends writes less anew, and leaves at least half of the lines it begins and ends in, it
 * is that edit: so lines that are joined or cut keep their characters.
 */
export const withinLines = (
  old: string,
  text: string,
  among: number,
  effort: Effort,
): TextEdit[] => {
  const edits = byLines(old, text, among, effort)
  const removed = edits.reduce((sum, { remove }) => sum + remove, 0)
  const one = betweenEnds(old, text)
  return one.remove < removed && staysAlike(old, one) ? [one] : edits
}

/** Tells whether at least half of the lines in which an edit begins and ends stays. */
const staysAlike = (old: string, { index, remove, insert }: TextEdit): boolean => {
  const to = index + remove
  const start = index === 0 ? 0 : old.lastIndexOf('\n', index - 1) + 1
  const found = old.slice(to).search(/\r?\n/)
  const stop = found === -1 ? old.length : to + found
  const [head, tail] = [index - start, stop - to]
  const first = old.indexOf('\n', index)
  if (first === -1 || first >= to) {
    const left = head + tail
    return left >= SAME_LINE * Math.min(stop - start, left + insert.length)
  }
  const last = old.lastIndexOf('\n', to - 1) + 1
  return head >= SAME_LINE * (first - start) && tail >= SAME_LINE * (stop - last)
}

const byLines = (old: string, text: string, among: number, effort: Effort): TextEdit[] => {
  const linesIn = (side: string): string[] => side.match(/[^\n]*\n|[^\n]+/g) ?? []
  const [before, after] = [linesIn(old), linesIn(text)]
  const edits: TextEdit[] = []
  let [index, i, j] = [0, 0, 0]
  const whole = (toI: number, toJ: number): void => {
    const [removed, insert] = [before.slice(i, toI).join(''), after.slice(j, toJ).join('')]
    const edit = replacing(removed, insert)
    if (edit.remove > 0 || edit.insert !== '') edits.push({ ...edit, index })
    index += removed.length
  }
  if (before.length === 1 && after.length === 1) {
    const parts = joinNear(byCharacter(old, text, among, effort), old)
    const removed = parts.reduce((sum, { remove }) => sum + remove, 0)
    return removed <= old.length / 2 ? parts : [{ index: 0, ...replacing(old, text) }]
  }
  for (const [a, b] of pairsOf(before, after, effort)) {
    whole(a, b)
    const line = before[a]!
    for (const edit of joinNear(byCharacter(line, after[b]!, among, effort), line)) {
      edits.push({ ...edit, index: index + edit.index })
    }
    index += line.length
    ;[i, j] = [a + 1, b + 1]
  }
  whole(before.length, after.length)
  return edits
}

/** Replaces what is between the ends that both texts share, in whole characters. */
const betweenEnds = (old: string, text: string): TextEdit => {
  let [head, tail] = sameEnds(old, text)
  while (head > 0 && !(isBetween(old, head) && isBetween(text, head))) head--
  while (tail > 0 && !(isBetween(old, old.length - tail) && isBetween(text, text.length - tail))) {
    tail--
  }
  return {
    index: head,
    remove: old.length - head - tail,
    insert: text.slice(head, text.length - tail),
  }
}

/** The beginning of a text that continues the character before it. */
const GOES_ON = /^(?:\p{M}|\p{Emoji_Modifier}|\p{RI}|\u200d|[\udc00-\udfff])/u
/** The end of a text that the next character continues. */
const IS_OPEN = /[\u200d\ud800-\udbff]$/

/** Tells whether a character of a text ends at an offset. Flags in a row are one character. */
const isBetween = (text: string, at: number): boolean =>
  !(text[at - 1] === '\r' && text[at] === '\n') &&
  !IS_OPEN.test(text.slice(at - 1, at)) &&
  !GOES_ON.test(text.slice(at, at + 2))

/**
 * Replaces `old` by `text`, except for a final line end that both have: a concurrent insertion
 * after it stays after it.
 */
const replacing = (old: string, text: string): Omit<TextEdit, 'index'> => {
  const end = /\r?\n$/.exec(old)?.[0] ?? ''
  const keep = end !== '' && text.endsWith(end) ? end.length : 0
  return { remove: old.length - keep, insert: text.slice(0, text.length - keep) }
}

/** Units at either end of a line that are compared (UTF-16 units). */
const LOOKED_AT = 2_000

/** Part of the shorter of two lines that both begin and end with: 0 to 1. */
const likeness = (a: string, b: string, effort: Effort): number => {
  const [x, y] = [a.replace(/\r?\n$/, ''), b.replace(/\r?\n$/, '')]
  const shorter = Math.min(x.length, y.length)
  if (shorter === 0) return x.length === y.length ? 1 : 0
  const most = Math.min(shorter, LOOKED_AT)
  let head = 0
  while (head < most && x[head] === y[head]) head++
  const rest = Math.min(shorter - head, LOOKED_AT)
  let tail = 0
  while (tail < rest && x.charCodeAt(x.length - 1 - tail) === y.charCodeAt(y.length - 1 - tail)) {
    tail++
  }
  effort.left -= PAIR_STEPS + head + tail
  return (head + tail) / Math.min(shorter, 2 * LOOKED_AT)
}

/** Cost of comparing two lines, in token comparisons. */
const PAIR_STEPS = 20

/**
 * Pairs the lines of both sides, in order, with the highest similarity in all; none where `effort`
 * runs out.
 */
const pairsOf = (
  before: readonly string[],
  after: readonly string[],
  effort: Effort,
): [number, number][] => {
  const [n, m] = [before.length, after.length]
  if (n * m > MAX_PAIRS || effort.left <= 0) return []
  const like = before.map((line) => after.map((other) => likeness(line, other, effort)))
  const best = Array.from({ length: n + 1 }, () => new Float64Array(m + 1))
  for (let i = n - 1; i >= 0; i--) {
    for (let j = m - 1; j >= 0; j--) {
      const alike = like[i]![j]!
      const pair = alike < SAME_LINE ? 0 : alike + best[i + 1]![j + 1]!
      best[i]![j] = Math.max(pair, best[i + 1]![j]!, best[i]![j + 1]!)
    }
  }
  const pairs: [number, number][] = []
  for (let i = 0, j = 0; i < n && j < m; ) {
    if (best[i]![j] === best[i + 1]![j]) i++
    else if (best[i]![j] === best[i]![j + 1]) j++
    else pairs.push([i++, j++])
  }
  return pairs
}

/** Longer lines (UTF-16 units of both texts) are compared by words. */
const MANY_CHARACTERS = 128 * 1024
const WORD =
  /[\p{L}\p{N}\p{M}_]{1,64}\s?|(?:\r\n|\p{RI}{2}|.)(?:[\p{M}\p{Emoji_Modifier}]|\u200d.)*/gsu

/** The smallest edits from `old` to `text`. */
export const byCharacter = (
  old: string,
  text: string,
  among: number,
  effort: Effort,
): TextEdit[] => {
  if (old === text) return []
  if (effort.left <= 0) return [{ index: 0, ...replacing(old, text) }]
  const token = old.length + text.length > MANY_CHARACTERS ? WORD : CHARACTER
  const before: string[] = old.match(token) ?? []
  const after: string[] = text.match(token) ?? []
  const offsets = [0]
  for (const token of before) offsets.push(offsets.at(-1)! + token.length)
  return diffTokens(before, after, among, effort).map(({ a0, a1, b0, b1 }) => ({
    index: offsets[a0]!,
    remove: offsets[a1]! - offsets[a0]!,
    insert: after.slice(b0, b1).join(''),
  }))
}

/**
 * Joins edits with fewer units between them than either changes: letters that both happen to have
 * are not a kept part.
 */
const joinNear = (edits: readonly TextEdit[], old: string): TextEdit[] => {
  const size = ({ remove, insert }: TextEdit) => Math.max(remove, insert.length)
  const joined: TextEdit[] = []
  for (const edit of edits) {
    const last = joined[joined.length - 1]
    const end = last === undefined ? 0 : last.index + last.remove
    if (last !== undefined && edit.index - end < Math.min(size(last), size(edit))) {
      last.insert += old.slice(end, edit.index) + edit.insert
      last.remove = edit.index + edit.remove - last.index
    } else joined.push({ ...edit })
  }
  return joined
}
