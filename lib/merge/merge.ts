import { changesOf, combine, groupsOf } from './changes.ts'
import { diffTokens, type Effort, newEffort } from './diff.ts'
import {
  applyEdits,
  type Conflict,
  changedLines,
  joinNearest,
  type MergeResult,
  type TextEdit,
} from './edits.ts'
import { changedSpan } from './ends.ts'
import { lineEnds, mergeSpans } from './merge-spans.ts'
import { addPatch, editOf, lineStarts, type Patch } from './patches.ts'
import { byCharacter, withinLines } from './within-lines.ts'

/**
 * Three-way merge by lines: applies the change from `base` to `mine` to `theirs`.
 *
 * Changes of different lines both stay, also of neighbouring ones. A change that both made is there
 * once. Where both inserted, theirs comes first. Where both changed the same lines in different
 * ways, the new lines of both stay, theirs first, and the place is a conflict; so is a removal of
 * lines that the other side edited: they stay. Lines that only `mine` changed are edited by
 * characters: what stays of them is untouched.
 *
 * `effort` and MAX_EDITS bound the cost: beyond them changes are joined into larger ones. No change
 * is lost then, but more unchanged text is written anew, and more places count as changed by both.
 */
export const merge3 = (
  base: string,
  mine: string,
  theirs: string,
  effort = newEffort(),
): MergeResult => {
  if (mine === base || mine === theirs) {
    return { text: theirs, edits: [], conflicts: [], lines: [] }
  }
  if (base === '' && theirs === '') {
    const edits = [{ index: 0, remove: 0, insert: mine }]
    return { text: mine, edits, conflicts: [], lines: changedLines(mine, edits) }
  }
  const size = base.length + mine.length + theirs.length
  const { edits, conflicts } =
    size > LONG_TEXTS
      ? mergeMiddle(base, mine, theirs, effort)
      : mergeLines(base, mine, theirs, effort)
  const few = joinNearest(edits, theirs)
  const text = applyEdits(theirs, few)
  return {
    ...{ text, edits: few, conflicts: joinConflicts(conflicts) },
    lines: changedLines(text, few),
  }
}

type Found = Pick<MergeResult, 'edits' | 'conflicts'>

/**
 * Longer merges (UTF-16 units of all three texts) leave out the lines that all texts share at their
 * ends …
 */
const LONG_TEXTS = 64 * 1024
/** … except for this many UTF-16 units, so that similar lines find their place. */
const CONTEXT = 4 * 1024
/**
 * Comparisons per UTF-16 unit that a merge by lines needs; with fewer left, the change of each side
 * is one span.
 */
const STEPS_A_UNIT = 5

const mergeMiddle = (base: string, mine: string, theirs: string, effort: Effort): Found => {
  const [m, t] = [changedSpan(base, mine), changedSpan(base, theirs)]
  const head = lineStart(base, Math.min(m[0], t[0]) - CONTEXT)
  const tail = Math.min(m[1], t[1])
  const left = base.length - lineStart(base, base.length - tail + CONTEXT)
  const end = Math.min(tail, left)
  const [from, to, other] = [base, mine, theirs].map((text) => text.slice(head, text.length - end))
  const { edits, conflicts } = mergeLines(from!, to!, other!, effort)
  const line = lineEnds(base.slice(0, head))
  return {
    edits: edits.map((edit) => ({ ...edit, index: edit.index + head })),
    conflicts: conflicts.map(({ from_line, to_line, theirs }) => ({
      from_line: from_line + line,
      to_line: to_line + line,
      theirs: theirs.map(([from, to]) => [from + head, to + head]),
    })),
  }
}

/** Start of the line that contains `at`, or of the next one. */
const lineStart = (text: string, at: number): number =>
  at <= 0 ? 0 : Math.min(text.length, text.lastIndexOf('\n', at - 1) + 1)

const mergeLines = (base: string, mine: string, theirs: string, effort: Effort): Found => {
  const size = base.length + mine.length + theirs.length
  if (size * STEPS_A_UNIT > effort.left) {
    effort.giveUp?.()
    return mergeSpans(base, mine, theirs)
  }
  const eol = lineEnd(base + mine + theirs)
  const [from, to, other] = [base.split(eol), mine.split(eol), theirs.split(eol)]
  const groups = groupsOf(changesOf(from, to, effort), changesOf(from, other, effort))

  const starts = lineStarts(other, eol.length)
  const patches: Patch[] = []
  const conflicts: Conflict[] = []
  let shift = 0 // of a line of `base` in `theirs`
  let grown = 0 // lines that the patches so far have added to `theirs`
  for (const { a0, a1, mine, theirs: others } of groups) {
    const at = a0 + shift
    for (const { a0, a1, lines } of others) shift += lines.length - (a1 - a0)
    const end = a1 + shift
    if (mine.length === 0) continue

    const { lines, clean } = combine(mine, others, effort)
    const old = other.slice(at, end)
    for (const { a0, a1, b0, b1 } of diffTokens(old, lines, undefined, effort)) {
      const byCharacters = others.length === 0
      addPatch(patches, { from: at + a0, to: at + a1, lines: lines.slice(b0, b1), byCharacters })
    }
    if (!clean) {
      const line = at + grown + 1
      const [before, now] = [from.slice(a0, a1).join(eol), old.join(eol)]
      conflicts.push({
        from_line: line,
        to_line: line + lines.length - 1,
        theirs: byCharacter(now, before, size, effort)
          .filter(({ remove }) => remove > 0)
          .map(({ index, remove }) => [starts[at]! + index, starts[at]! + index + remove]),
      })
    }
    grown += lines.length - old.length
  }

  const edits: TextEdit[] = []
  for (const patch of patches) {
    const { index, remove, insert } = editOf(patch, starts, eol)
    const old = theirs.slice(index, index + remove)
    for (const part of patch.byCharacters
      ? withinLines(old, insert, size, effort)
      : [{ index: 0, remove, insert }]) {
      edits.push({ ...part, index: index + part.index })
    }
  }
  return { edits, conflicts }
}

/** Conflicts of one merge (count): their authors are told of each. */
const MAX_CONFLICTS = 64

/** Joins consecutive conflicts until at most MAX_CONFLICTS are left. */
const joinConflicts = (conflicts: readonly Conflict[]): Conflict[] => {
  const each = Math.ceil(conflicts.length / MAX_CONFLICTS)
  const joined: Conflict[] = []
  for (let i = 0; i < conflicts.length; i += each) {
    const some = conflicts.slice(i, i + each)
    joined.push({
      from_line: some[0]!.from_line,
      to_line: some.at(-1)!.to_line,
      theirs: some.flatMap(({ theirs }) => theirs),
    })
  }
  return joined
}

/** CRLF where every line ends in it; otherwise LF, and a CR is part of its line. */
const lineEnd = (text: string): string =>
  text.includes('\r\n') && !/(?<!\r)\n/.test(text) ? '\r\n' : '\n'
