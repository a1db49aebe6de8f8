import stringWidth from 'string-width'

/**
 * ASCII, Latin letters, punctuation, arrows, signs, lines and blocks: each is one grapheme in one cell, beside any other of
 * them. To know that of others Node first makes tables of all emoji, which takes as long as a frame.
 */
const NARROW =
  /^[ -~\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2190-\u22ff\u2500-\u25fc\u2709\u270e\u2713\u2717\u2718]*$/
/** Sequences for colours and styles (ECMA-48, 8.3.117). */
const STYLES = /\u001b\[[\d;]*m/g

/** True for text of which each UTF-16 unit is one grapheme in one cell. */
export const isNarrow = (text: string): boolean => NARROW.test(text)

/** The cells of a text, which may have styles. The terminal UI's bundle has it in place of string-width. */
export const quickWidth = (text: string, options?: object): number => {
  if (options !== undefined) return stringWidth(text, options)
  const bare = text.includes('\u001b') ? text.replace(STYLES, '') : text
  return isNarrow(bare) ? bare.length : stringWidth(text)
}
