import stringWidth from 'string-width'

/** Text by the cells that it takes on a terminal. What others wrote goes through `harmless` before it is measured. */

/**
 * Characters that can make a terminal do something, or show other text than is there: controls, DEL, line separators,
 * zero-width and bidirectional marks, the BOM, halves of surrogate pairs.
 */
const HARMFUL =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

const picture = (char: string): string => {
  const code = char.charCodeAt(0)
  if (char === '\n' || char === '\t' || char === '\r') return ' '
  if (code < 0x20) return String.fromCharCode(0x2400 + code)
  return code === 0x7f ? '␡' : '�'
}

/** Any text as one line that does nothing but stand there: line ends become spaces, controls their pictures. */
export const harmless = (text: string): string => text.replace(HARMFUL, picture)

const isAscii = (text: string): boolean => /^[\u0020-\u007e]*$/.test(text)

/** Cells that a harmless text takes. */
export const widthOf = (text: string): number => (isAscii(text) ? text.length : stringWidth(text))

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** What of a text fits into `width` cells; characters stay whole. */
export const clip = (text: string, width: number): string => {
  if (width <= 0) return ''
  if (isAscii(text)) return text.slice(0, width)
  let taken = ''
  let used = 0
  for (const { segment } of graphemes.segment(text)) {
    used += widthOf(segment)
    if (used > width) break
    taken += segment
  }
  return taken
}

/** The text if it fits into `width` cells, else its beginning and an ellipsis. */
export const cut = (text: string, width: number): string => {
  // A cell is at least half a UTF-16 unit's worth of text: what is far too long is not measured whole.
  const head = text.length > width * 8 ? text.slice(0, width * 8) : text
  if (head === text && widthOf(text) <= width) return text
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
