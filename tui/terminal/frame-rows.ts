/** A step of Ink's class Output: it writes a text at a cell, or clips later ones. */
interface Step {
  type: string
  x?: number
  y?: number
  text?: string
  transformers?: readonly ((line: string, index: number) => string)[]
}

const RESET = '\u001b[0m'
/** Ink leaves such characters out. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u

/**
 * A frame whose rows are each one text at the left edge, as Ink's Output would return it. Ink makes a cell for each
 * character, which takes half of the time of a frame. Returns null for any other frame.
 */
export const frameRows = (frame: {
  operations: readonly Step[]
  height: number
}): { output: string; height: number } | null => {
  const { operations, height } = frame
  const rows: (string | null)[] = Array.from({ length: height }, () => null)
  for (const { type, x, y = -1, text = '', transformers = [] } of operations) {
    if (type !== 'write' || x !== 0 || rows[y] !== null) return null
    if (text.includes('\n') || INVISIBLE.test(text)) return null
    const row = transformers.reduce((line, transform) => transform(line, 0), text).trimEnd()
    rows[y] = row.includes('\u001b') ? row + RESET : row
  }
  return { output: rows.map((row) => row ?? '').join('\n'), height }
}
