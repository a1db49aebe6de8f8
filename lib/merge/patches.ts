import type { TextEdit } from './edits.ts'

/** Replaces lines [from, to) of `theirs` by `lines`. */
export interface Patch {
  from: number
  to: number
  lines: string[]
  byCharacters: boolean
}

/**
 * Appends a patch; joins it to the last one if no line is between them, so that each has a line end
 * of its own.
 */
export const addPatch = (patches: Patch[], patch: Patch): void => {
  const last = patches[patches.length - 1]
  if (last?.to !== patch.from) {
    patches.push(patch)
    return
  }
  last.to = patch.to
  for (const line of patch.lines) last.lines.push(line)
  last.byCharacters &&= patch.byCharacters
}

/** The offset of each line, and one more past the end of the text. */
export const lineStarts = (lines: readonly string[], eolLength: number): number[] => {
  const starts = [0]
  for (const line of lines) starts.push(starts[starts.length - 1]! + line.length + eolLength)
  return starts
}

/**
 * The edit of a patch. Line ends stand between lines only, so the last line takes the one before
 * it.
 */
export const editOf = (
  { from, to, lines }: Patch,
  starts: readonly number[],
  eol: string,
): TextEdit => {
  const last = starts.length - 1
  const length = starts[last]! - eol.length
  if (to < last) {
    const index = starts[from]!
    return { index, remove: starts[to]! - index, insert: lines.map((line) => line + eol).join('') }
  }
  if (from === 0) return { index: 0, remove: length, insert: lines.join(eol) }
  const index = starts[from]! - eol.length
  return { index, remove: length - index, insert: lines.map((line) => eol + line).join('') }
}
