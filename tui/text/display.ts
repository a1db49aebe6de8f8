import { escapeHidden, replaceHidden } from '../../lib/text/visible.ts'
import { cellsOf } from './cells.ts'
import { isNarrow } from './narrow.ts'

/** Text in one line by the cells that it takes. What others wrote goes through `harmless` before it is measured. */

/** A text without a match needs no replacement. */
const SUSPECT = /[\p{C}\p{M}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u

/**
 * Any text as one line that does nothing but stand there: line ends and tabs become spaces, controls their pictures, what
 * shows nothing its code.
 */
export const harmless = (text: string): string => {
  if (!SUSPECT.test(text)) return text
  const line = replaceHidden(text.replace(/[\n\r\t]/g, ' '), (char) =>
    /[\p{Cc}\p{Cs}]/u.test(char) ? char : escapeHidden(char),
  )
  return cellsOf(line).reduce((shown, cell) => shown + cell.text, '')
}

/** Cells that a harmless text takes. */
export const widthOf = (text: string): number =>
  isNarrow(text) ? text.length : cellsOf(text).reduce((sum, { width }) => sum + width, 0)

/** True if more than `width` cells at the beginning are narrow, so that nothing has to be measured to cut there. */
const beginsNarrow = (text: string, width: number): boolean =>
  text.length > width && isNarrow(text.slice(0, width + 1))

/** The part of a harmless text that fits into `width` cells; characters stay whole. */
export const clip = (text: string, width: number): string => {
  if (width <= 0) return ''
  if (beginsNarrow(text, width) || isNarrow(text)) return text.slice(0, width)
  let used = 0
  for (const cell of cellsOf(text)) {
    used += cell.width
    if (used > width) return text.slice(0, cell.at)
  }
  return text
}

/** The text if it fits into `width` cells, else its beginning and an ellipsis. */
export const cut = (text: string, width: number): string => {
  // A cell is at least half a UTF-16 unit's worth of text: what is far too long is not measured whole.
  const head = text.length > width * 8 ? text.slice(0, width * 8) : text
  if (head === text && !beginsNarrow(text, width) && widthOf(text) <= width) return text
  return width <= 0 ? '' : `${clip(head, width - 1)}…`
}

/** The text in exactly `width` cells: cut, or followed by spaces. */
export const fitText = (text: string, width: number): string => {
  const shown = cut(text, width)
  return shown + ' '.repeat(Math.max(0, width - widthOf(shown)))
}

/** The text in lines of at most `width` cells, broken at spaces where there are any; its own line ends stay. */
export const wrap = (text: string, width: number): string[] => {
  const lines: string[] = []
  for (const paragraph of text.split(/\r\n|\r|\n/)) lines.push(...wrapLine(paragraph, width))
  return lines
}

const wrapLine = (raw: string, width: number): string[] => {
  const lines: string[] = []
  let line = ''
  let used = 0
  for (const word of harmless(raw.replaceAll('\t', '  ')).split(/(?<= )(?! )/)) {
    let rest = word
    if (used + widthOf(rest.trimEnd()) > width && used > 0) {
      lines.push(line.trimEnd())
      line = ''
      used = 0
    }
    while (widthOf(rest.trimEnd()) > width) {
      const part = clip(rest, width) || rest.slice(0, 1)
      lines.push(part)
      rest = rest.slice(part.length)
    }
    line += rest
    used += widthOf(rest)
  }
  lines.push(line.trimEnd())
  return lines
}
