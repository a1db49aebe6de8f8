import { graphemeAt } from '../text/cells.ts'
import type { Lines } from './lines.ts'

/** Places to which a key goes: never within a grapheme, and a line end is one step. */

/** Units around a place that are looked at for a word's end. */
const WORD_UNITS = 512

/** The beginning of the grapheme that an offset is within, else the offset itself. */
export const snap = (lines: Lines, offset: number): number => {
  const end = lines.length
  if (offset <= 0 || offset >= end) return Math.max(0, Math.min(offset, end))
  const { piece, start } = lines.at(offset)
  const within = offset - start
  if (within >= piece.text.length) return start + piece.text.length
  return start + graphemeAt(piece.text, within).from
}

export const stepLeft = (lines: Lines, offset: number): number => {
  const here = snap(lines, offset)
  return here < offset ? here : snap(lines, offset - 1)
}

export const stepRight = (lines: Lines, offset: number): number => {
  const { piece, start } = lines.at(offset)
  const within = offset - start
  if (within >= piece.text.length) return start + piece.text.length + piece.ending.length
  return start + graphemeAt(piece.text, within).to
}

export const wordLeft = (lines: Lines, offset: number): number => {
  const from = Math.max(0, offset - WORD_UNITS)
  const before = lines.slice(from, offset)
  const [word = ''] = /(?:[\p{L}\p{N}\p{M}_]+|[^\p{L}\p{N}\p{M}_\s]+|\s)\s*$/u.exec(before) ?? []
  return snap(lines, offset - word.length)
}

export const wordRight = (lines: Lines, offset: number): number => {
  const after = lines.slice(offset, offset + WORD_UNITS)
  const [word = ''] = /^\s*(?:[\p{L}\p{N}\p{M}_]+|[^\p{L}\p{N}\p{M}_\s]+|)/u.exec(after) ?? []
  const to = offset + word.length
  const at = snap(lines, to)
  return at > offset ? at : stepRight(lines, offset)
}

/** Offsets at which the line of an offset begins, its text after the indentation begins, and its text ends. */
export const lineAround = (
  lines: Lines,
  offset: number,
): { start: number; text: number; end: number } => {
  const place = lines.at(offset)
  const first = place.isFirst ? place : lines.line(place.line)
  const end = lines.lineEnd(place)
  const indent = /^[ \t]*/.exec(first.piece.text)?.[0].length ?? 0
  return { start: first.start, text: Math.min(end, first.start + indent), end }
}
