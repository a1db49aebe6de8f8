import { byteLength } from '../text/bytes.ts'
import { diffTokens, type Effort, type Hunk, newEffort } from './diff.ts'
import type { TextEdit } from './edits.ts'
import { changedSpan, sameEnds } from './ends.ts'

/** The edits that turn one text into another, and their size. */
export interface TextDelta {
  /** In order and apart; each index counts in the text before all edits. */
  edits: TextEdit[]
  /** An edited line counts as one removed and one added. */
  addedLines: number
  removedLines: number
  /** UTF-8 bytes inserted and removed; of an edited line only the part that differs. */
  addedBytes: number
  removedBytes: number
}

/**
 * Texts with longer lines (UTF-16 units, average) are compared by words, so that their edits stay
 * small.
 */
const LONG_LINE = 256
/** Part of the work of a merge that a delta may take: it need not be the smallest. */
const HASTE = 8
/**
 * With more lines, or words of a long line, in both texts the change is one edit: this bounds the
 * time to about 0.1 s.
 */
const MAX_TOKENS = 500_000
/** With more of them, texts that share less than an eighth are not compared further. */
const MANY_TOKENS = 10_000
/** Edits with fewer units between them are joined: each edit costs space of its own. */
const NEAR = 16

/**
 * The edits that turn `from` into `to`: exact, small for most changes, deterministic.
 * `applyEdits(from, textDelta(from, to).edits)` is `to`. Surrogate pairs stay whole.
 */
export const textDelta = (from: string, to: string, effort = newEffort()): TextDelta => {
  const delta: TextDelta = {
    edits: [],
    addedLines: 0,
    removedLines: 0,
    addedBytes: 0,
    removedBytes: 0,
  }
  if (from === to) return delta
  const [start, tail] = changedSpan(from, to)
  const before = linesOf(from.slice(start, from.length - tail))
  const after = linesOf(to.slice(start, to.length - tail))
  let offset = start
  let done = 0
  for (const { a0, a1, b0, b1 } of diffQuickly(before, after, effort)) {
    for (; done < a0; done++) offset += before[done]!.length
    const [old, now] = [before.slice(a0, a1).join(''), after.slice(b0, b1).join('')]
    delta.removedLines += a1 - a0
    delta.addedLines += b1 - b0
    const lines = Math.max(a1 - a0, b1 - b0)
    for (const { index, remove, insert } of editsWithin(old, now, lines, effort)) {
      delta.removedBytes += byteLength(old.slice(index, index + remove))
      delta.addedBytes += byteLength(insert)
      delta.edits.push({ index: offset + index, remove, insert })
    }
  }
  return delta
}

const diffQuickly = (a: readonly string[], b: readonly string[], effort: Effort): Hunk[] => {
  const tokens = a.length + b.length
  if (tokens > MAX_TOKENS || (tokens > MANY_TOKENS && !isAlike(a, b))) {
    return [{ a0: 0, a1: a.length, b0: 0, b1: b.length }]
  }
  return diffTokens(a, b, HASTE * tokens, effort)
}

const isAlike = (a: readonly string[], b: readonly string[]): boolean => {
  const known = new Set(a)
  return b.reduce((shared, token) => shared + Number(known.has(token)), 0) * 8 >= b.length
}

const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? []

/** Words with the space after them; everything else by characters. */
const WORD = /[\p{L}\p{N}_]{1,32}\s?|[\s\S]/gu

/** The edits that turn `old`, some `lines`, into `now`. */
const editsWithin = (old: string, now: string, lines: number, effort: Effort): TextEdit[] => {
  const [head, tail] = sameEnds(old, now)
  const [was, is] = [old.slice(head, old.length - tail), now.slice(head, now.length - tail)]
  const whole = { index: head, remove: was.length, insert: is }
  if (was === '' || is === '' || was.length + is.length < 2 * LONG_LINE * lines) return [whole]
  const a: string[] = was.match(WORD) ?? []
  const b: string[] = is.match(WORD) ?? []
  const edits: TextEdit[] = []
  let offset = head
  let done = 0
  for (const { a0, a1, b0, b1 } of diffQuickly(a, b, effort)) {
    for (; done < a0; done++) offset += a[done]!.length
    const remove = a.slice(a0, a1).join('').length
    const insert = b.slice(b0, b1).join('')
    const last = edits[edits.length - 1]
    const end = last === undefined ? 0 : last.index + last.remove
    if (last !== undefined && offset - end < NEAR) {
      last.insert += old.slice(end, offset) + insert
      last.remove = offset + remove - last.index
    } else edits.push({ index: offset, remove, insert })
  }
  return edits
}

/**
 * Applies many deltas one after the other. The text is joined once, at the end: the cost grows with
 * the edits, not with the text. Throws where a delta does not fit.
 */
export const applyDeltas = (text: string, deltas: readonly (readonly TextEdit[])[]): string =>
  deltas.reduce<string[]>(patch, [text]).join('')

/** A text in pieces, with edits made in it. */
const patch = (pieces: readonly string[], edits: readonly TextEdit[]): string[] => {
  const patched: string[] = []
  let next = 0
  let rest = ''
  const take = (units: number, keep: boolean): void => {
    for (let left = units; left > 0; ) {
      if (rest === '') {
        if (next === pieces.length) throw new Error('a delta does not fit the text before')
        rest = pieces[next++]!
      }
      const part = rest.slice(0, left)
      if (keep && part !== '') patched.push(part)
      rest = rest.slice(part.length)
      left -= part.length
    }
  }
  let done = 0
  for (const { index, remove, insert } of edits) {
    take(index - done, true)
    take(remove, false)
    if (insert !== '') patched.push(insert)
    done = index + remove
  }
  return [...patched, rest, ...pieces.slice(next)]
}
