/** Replaces `remove` UTF-16 units at `index` by `insert`. */
export interface TextEdit {
  index: number
  remove: number
  insert: string
}

/** Lines of a text, 1-based, inclusive. */
export interface LineRange {
  from_line: number
  to_line: number
}

/** Lines of the merged text that both sides changed in different ways. */
export interface Conflict extends LineRange {
  /** Half-open ranges of UTF-16 offsets in `theirs`: the text there that `base` has not. */
  theirs: [number, number][]
}

export interface MergeResult {
  text: string
  /**
   * The edits that turn `theirs` into `text`: in order and apart. Each index counts in `theirs`
   * before all edits.
   */
  edits: TextEdit[]
  conflicts: Conflict[]
  /**
   * Lines of `text` that the edits changed, in order and apart; a removal is at the line that
   * follows it.
   */
  lines: LineRange[]
}

/** Applies edits that are in order and apart. */
export const applyEdits = (text: string, edits: readonly TextEdit[]): string => {
  const parts: string[] = []
  let done = 0
  for (const { index, remove, insert } of edits) {
    parts.push(text.slice(done, index), insert)
    done = index + remove
  }
  return parts.join('') + text.slice(done)
}

/**
 * Edits of one merge (count). Yjs splits a text at each, and the cost of that grows faster than
 * their number.
 */
export const MAX_EDITS = 1_000

/**
 * Joins the edits with the smallest gaps between them until MAX_EDITS are left; a joined edit
 * writes its gap anew.
 */
export const joinNearest = (edits: readonly TextEdit[], text: string): TextEdit[] => {
  if (edits.length <= MAX_EDITS) return [...edits]
  const gaps = edits.slice(1).map(({ index }, i) => index - edits[i]!.index - edits[i]!.remove)
  const widest = Float64Array.from(gaps)
    .sort()
    .reverse()
    .subarray(0, MAX_EDITS - 1)
  const least = widest.at(-1)!
  /** Gaps as wide as the narrowest that stays (count): this many of them stay. */
  let ties = widest.length - widest.indexOf(least)
  const joined: TextEdit[] = []
  let insert: string[] = []
  const close = (): void => {
    joined.at(-1)!.insert = insert.join('')
  }
  for (const [i, edit] of edits.entries()) {
    const last = joined.at(-1)
    const gap = gaps[i - 1]!
    if (last !== undefined && (gap < least || (gap === least && ties-- <= 0))) {
      insert.push(text.slice(last.index + last.remove, edit.index), edit.insert)
      last.remove = edit.index + edit.remove - last.index
      continue
    }
    if (last !== undefined) close()
    joined.push({ ...edit })
    insert = [edit.insert]
  }
  close()
  return joined
}

/**
 * The lines of `text` that the edits made: in order and apart. A removal is at the line that
 * follows it.
 */
export const changedLines = (text: string, edits: readonly TextEdit[]): LineRange[] => {
  const found: LineRange[] = []
  let [line, at, shift] = [1, 0, 0]
  const lineOf = (offset: number): number => {
    for (
      let end = text.indexOf('\n', at);
      end !== -1 && end < offset;
      end = text.indexOf('\n', at)
    ) {
      line++
      at = end + 1
    }
    return line
  }
  for (const { index, remove, insert } of edits) {
    const from_line = lineOf(index + shift)
    // A final line end of the insertion belongs to its last line.
    const to_line = lineOf(index + shift + Math.max(0, insert.length - 1))
    shift += insert.length - remove
    const last = found.at(-1)
    if (last !== undefined && from_line <= last.to_line + 1) last.to_line = to_line
    else found.push({ from_line, to_line })
  }
  return found
}
