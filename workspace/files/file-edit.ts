import { shorten } from '../../lib/text/shorten.ts'
import { ClawError } from '../../protocol/errors.ts'

/** Edits of a text as agents state them; `putFile` merges the result. */

/** Longer windows (lines) are not searched for the intended text. */
const MAX_NEAREST_LINES = 50_000
const SHOWN_LENGTH = 120
/** A shorter replacement (characters) occurs anywhere and proves nothing. */
const TELLING_LENGTH = 8

const lineOf = (text: string, index: number): number => text.slice(0, index).split('\n').length

/** A text typed with LF, with the CRLF line ends of the file. */
const endingAs = (content: string, typed: string): string =>
  content.includes('\r\n') && !/(?<!\r)\n/.test(content) ? typed.replace(/\r?\n/g, '\r\n') : typed

/**
 * Replaces `find` in `content`: it must occur once, or with `all` any number of times. Throws
 * `usage`, `ambiguous` with the lines of all occurrences, and `no_match` with the most similar
 * text.
 */
export const replaceText = (
  content: string,
  find: string,
  replace: string,
  all: boolean,
): { content: string; replaced: number } => {
  const [wanted, instead] = [endingAs(content, find), endingAs(content, replace)]
  if (wanted === '') throw new ClawError('usage', '--find is empty', 'give the text to replace')
  const found: number[] = []
  for (
    let at = content.indexOf(wanted);
    at !== -1;
    at = content.indexOf(wanted, at + wanted.length)
  ) {
    found.push(at)
  }
  if (found.length === 0) throw noMatch(content, wanted, instead)
  if (found.length > 1 && !all) {
    const lines = found.slice(0, 10).map((at) => lineOf(content, at))
    const more = found.length > 10 ? ', …' : ''
    throw new ClawError(
      'ambiguous',
      `the text is there ${found.length} times, at lines ${lines.join(', ')}${more}`,
      'include more of the text around it, or replace all with --all',
    )
  }
  return { content: content.split(wanted).join(instead), replaced: found.length }
}

const noMatch = (content: string, wanted: string, instead: string): ClawError => {
  const there = instead.trim().length < TELLING_LENGTH ? -1 : content.indexOf(instead)
  const near = nearestLines(content, wanted)
  const hint =
    there >= 0
      ? `the replacement is there already, at line ${lineOf(content, there)}`
      : near === null
        ? 'file-get it, and give the text as it is there'
        : `nearest is line ${near.line}: ${JSON.stringify(shorten(near.text, SHOWN_LENGTH))}`
  return new ClawError('no_match', 'the text to replace is not in the file', hint)
}

/** The pairs of neighbouring characters in a text, white space apart. */
const pairsOf = (text: string): Set<string> => {
  const plain = text.replace(/\s+/g, ' ').trim().toLowerCase()
  const pairs = new Set<string>()
  for (let i = 0; i + 1 < plain.length; i++) pairs.add(plain.slice(i, i + 2))
  return pairs
}

/**
 * The line most similar to the first telling line of `wanted`, by shared pairs of characters (Dice
 * coefficient); null: none reaches one half.
 */
const nearestLines = (content: string, wanted: string): { line: number; text: string } | null => {
  const telling = wanted.split(/\r?\n/).find((line) => line.trim().length > 2)
  if (telling === undefined) return null
  const pairs = pairsOf(telling)
  let best: { line: number; text: string } | null = null
  let bestScore = 0.5
  for (const [i, text] of content.split(/\r?\n/, MAX_NEAREST_LINES).entries()) {
    if (text.length > 4 * telling.length + 80) continue
    const others = pairsOf(text)
    let shared = 0
    for (const pair of pairs) if (others.has(pair)) shared++
    const score = (2 * shared) / (pairs.size + others.size || 1)
    if (score <= bestScore) continue
    bestScore = score
    best = { line: i + 1, text }
  }
  return best
}

/** Reads `A-B` or `A`, 1-based and inclusive. Throws `usage`. */
export const parseLines = (text: string): { from: number; to: number } => {
  const [, a, b] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text.trim()) ?? []
  const from = Number(a)
  const to = b === undefined ? from : Number(b)
  if (a !== undefined && from >= 1 && to >= from) return { from, to }
  throw new ClawError(
    'usage',
    `"${text.slice(0, 40)}" is not a range of lines`,
    'give them as 10-12, or as 10',
  )
}

/**
 * Offsets at which lines of `content` begin and end, line ends included. Throws `usage` where there
 * are fewer lines.
 */
const spanOf = (content: string, from: number, to: number): { start: number; end: number } => {
  const lines = content.split('\n')
  const count = lines.at(-1) === '' ? lines.length - 1 : lines.length
  if (to > count) {
    throw new ClawError(
      'usage',
      `line ${to} does not exist: the file has ${count}`,
      'file-get shows them',
    )
  }
  const lengthOf = (part: string[]): number => part.reduce((sum, line) => sum + line.length + 1, 0)
  const start = lengthOf(lines.slice(0, from - 1))
  return { start, end: Math.min(content.length, start + lengthOf(lines.slice(from - 1, to))) }
}

/** Lines `from` to `to` of `content`, line ends included. Throws `usage`. */
export const takeLines = (content: string, from: number, to: number): string => {
  const { start, end } = spanOf(content, from, to)
  return content.slice(start, end)
}

/**
 * Replaces the lines `from` to `to` of `content` by the lines of `text`; an empty `text` removes
 * them. Throws `usage`.
 */
export const replaceLines = (content: string, from: number, to: number, text: string): string => {
  const { start, end } = spanOf(content, from, to)
  const typed = endingAs(content, text)
  const eol = endingAs(content, '\n')
  const needsEnd = typed !== '' && !typed.endsWith('\n') && content.slice(start, end).endsWith('\n')
  return content.slice(0, start) + typed + (needsEnd ? eol : '') + content.slice(end)
}

/** Appends `text` to `content` as lines of its own. */
export const appendText = (content: string, text: string): string => {
  const typed = endingAs(content, text)
  const eol = endingAs(content, '\n')
  const gap = content === '' || content.endsWith('\n') ? '' : eol
  return content + gap + typed + (typed === '' || typed.endsWith('\n') ? '' : eol)
}
