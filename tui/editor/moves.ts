import { graphemeAt } from '../text/cells.ts'
import type { Lines } from './lines.ts'
import { columnOf, offsetIn, rowAt, rowsAway } from './rows.ts'

/** As much text as words and characters are looked for in at a time (units). */
const REACH = 512

const isWord = (text: string): boolean => /[\p{L}\p{N}\p{M}_]/u.test(text)

/** The offset before a character; a line end is one, also `\r\n`. */
export const charBefore = (lines: Lines, offset: number): number => {
  if (offset === 0) return 0
  const from = Math.max(0, offset - REACH)
  const text = lines.slice(from, offset)
  if (text.endsWith('\r\n')) return offset - 2
  return from + graphemeAt(text, text.length - 1).from
}

export const charAfter = (lines: Lines, offset: number): number => {
  const text = lines.slice(offset, offset + REACH)
  if (text === '') return offset
  return offset + (text.startsWith('\r\n') ? 2 : graphemeAt(text, 0).to)
}

/** The beginning of the word before, over what is between words. */
export const wordBefore = (lines: Lines, offset: number): number => {
  let at = offset
  const step = (): string => lines.slice(charBefore(lines, at), at)
  while (at > 0 && !isWord(step())) at = charBefore(lines, at)
  while (at > 0 && isWord(step())) at = charBefore(lines, at)
  return at
}

export const wordAfter = (lines: Lines, offset: number): number => {
  const end = lines.length
  let at = offset
  const step = (): string => lines.slice(at, charAfter(lines, at))
  while (at < end && !isWord(step())) at = charAfter(lines, at)
  while (at < end && isWord(step())) at = charAfter(lines, at)
  return at
}

export const lineStart = (lines: Lines, offset: number): number =>
  lines.line(lines.at(offset).line).start

export const lineEnd = (lines: Lines, offset: number): number => lines.lineEnd(lines.at(offset))

/** What a line begins with: another one begins so, too. */
export const indentAt = (lines: Lines, offset: number): string => {
  const start = lineStart(lines, offset)
  return /^[\t ]*/.exec(lines.slice(start, Math.min(offset, start + REACH)))![0]
}

/** The line ending that is used at an offset. */
export const endingAt = (lines: Lines, offset: number): '\n' | '\r\n' => {
  const place = lines.at(offset)
  const at = place.piece.ending === '' ? (lines.previous(place)?.piece ?? place.piece) : place.piece
  return at.ending === '\r\n' ? '\r\n' : '\n'
}

/** The offset so many rows further on, as near to a column as there is text. */
export const rowsFrom = (
  lines: Lines,
  offset: number,
  by: number,
  column: number,
  width: number,
): number => {
  const row = rowAt(lines, offset, width)
  const there = rowsAway(lines, row, by, width)
  if (there.from === row.from) return by < 0 ? row.from : row.to
  return offsetIn(there, column, width, lines)
}

/** The column at which an offset is drawn. */
export const columnAt = (lines: Lines, offset: number, width: number): number =>
  columnOf(rowAt(lines, offset, width), offset)
