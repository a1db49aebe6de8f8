import { diffTokens, type Effort, newEffort } from './diff.ts'
import { changedSpan } from './ends.ts'
import { lineEnds, mergeSpans } from './merge-spans.ts'
import { byCharacter, withinLines } from './within-lines.ts'

/** At `index` of a text, `remove` UTF-16 units give way to `insert`. */
export interface Edit {
  index: number
  remove: number
  insert: string
}

/** Lines of a text, 1-based, inclusive. */
export interface Lines {
  from_line: number
  to_line: number
}

/** Lines of the merged text that both sides changed, each in its own way. */
export interface Conflict extends Lines {
  /** What `theirs` has there that `base` has not: half-open ranges of UTF-16 offsets in `theirs`. */
  theirs: [number, number][]
}

export interface Merge {
  text: string
  /** What turns `theirs` into `text`: in order, apart; each index counts in `theirs` as it was. */
  edits: Edit[]
  conflicts: Conflict[]
  /** Lines of `text` that the edits changed, in order and apart; a removal is at the line it left. */
  lines: Lines[]
}

/**
 * Three-way merge by lines: carries the change from `base` to `mine` over into `theirs`.
 *
 * Changes of different lines, neighbours too, both stand. What both did in the same way is there once. Where both
 * inserted, theirs comes first. Where both changed the same lines differently, the new lines of both stay, theirs
 * first, and the place is reported; so is a removal of lines that the other side edited, which stay. A line that
 * only `mine` changed is edited by characters, so that nothing else in it is touched.
 *
 * What it costs is bounded by `effort`, and by MAX_EDITS: beyond them changes are joined to larger ones. None is lost then,
 * but more of what stays is written anew, and more counts as changed by both.
 */
export const merge3 = (base: string, mine: string, theirs: string, effort = newEffort()): Merge => {
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

type Found = Pick<Merge, 'edits' | 'conflicts'>

/** Texts of more UTF-16 units, all three together, are merged without the lines at their ends that all have … */
const LONG_TEXTS = 64 * 1024
/** … but for so many units of them, so that what is like them finds its place. */
const CONTEXT = 4 * 1024
/** Lines are looked at where there are so many comparisons left for each unit (count); else each side's change is one. */
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

/** Where the line begins that has this place in it, or comes after it. */
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

  const edits: Edit[] = []
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

/** Edits of one merge (count): Yjs splits a text at each of them, and the time that takes grows faster than they do. */
export const MAX_EDITS = 1_000

/** At most MAX_EDITS that do the same: those with the least between them are one, which writes that anew. */
const joinNearest = (edits: readonly Edit[], text: string): Edit[] => {
  if (edits.length <= MAX_EDITS) return [...edits]
  const gaps = edits.slice(1).map(({ index }, i) => index - edits[i]!.index - edits[i]!.remove)
  const widest = Float64Array.from(gaps)
    .sort()
    .reverse()
    .subarray(0, MAX_EDITS - 1)
  const least = widest.at(-1)!
  /** Of the gaps that are just so wide as the least of these: how many stay. */
  let ties = widest.length - widest.indexOf(least)
  const joined: Edit[] = []
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

/** Conflicts of one merge (count): their authors are told of each. */
const MAX_CONFLICTS = 64

/** At most MAX_CONFLICTS: beyond it some that follow each other are one. */
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

/** Where every line ends in CRLF it is the line end; else a CR is a part of its line. */
const lineEnd = (text: string): string =>
  text.includes('\r\n') && !/(?<!\r)\n/.test(text) ? '\r\n' : '\n'

/** Where the edits are in `text`, which they led to: lines in order and apart. A removal is at the line it left. */
const changedLines = (text: string, edits: readonly Edit[]): Lines[] => {
  const found: Lines[] = []
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
    // A line end that comes last in what was inserted is still of its line.
    const to_line = lineOf(index + shift + Math.max(0, insert.length - 1))
    shift += insert.length - remove
    const last = found.at(-1)
    if (last !== undefined && from_line <= last.to_line + 1) last.to_line = to_line
    else found.push({ from_line, to_line })
  }
  return found
}

/** Makes edits that are in order and apart. */
export const applyEdits = (text: string, edits: readonly Edit[]): string => {
  const parts: string[] = []
  let done = 0
  for (const { index, remove, insert } of edits) {
    parts.push(text.slice(done, index), insert)
    done = index + remove
  }
  return parts.join('') + text.slice(done)
}

/** Lines [a0, a1) of `base` became `lines`. */
interface Change {
  a0: number
  a1: number
  lines: string[]
}

const changesOf = (from: readonly string[], to: readonly string[], effort: Effort): Change[] =>
  diffTokens(from, to, undefined, effort).map(({ a0, a1, b0, b1 }) => ({
    a0,
    a1,
    lines: to.slice(b0, b1),
  }))

/** Changes that have to be looked at together; every line of `base` from a0 to a1 is changed by one of them. */
interface Group {
  a0: number
  a1: number
  mine: Change[]
  theirs: Change[]
}

/** In order of `base`; at one place an insertion comes before a replacement, and theirs before mine. */
const groupsOf = (mine: readonly Change[], theirs: readonly Change[]): Group[] => {
  const groups: Group[] = []
  let m = 0
  let t = 0
  while (m < mine.length || t < theirs.length) {
    const side = isBefore(mine[m], theirs[t]) ? 'mine' : 'theirs'
    const change = (side === 'mine' ? mine[m++] : theirs[t++])!
    const group = groups[groups.length - 1]
    const others = side === 'mine' ? group?.theirs : group?.mine
    if (group !== undefined && others?.findLast((other) => belongTogether(other, change))) {
      group.a1 = Math.max(group.a1, change.a1)
      group[side].push(change)
    } else {
      const { a0, a1 } = change
      groups.push({ a0, a1, mine: [], theirs: [], [side]: [change] })
    }
  }
  return groups
}

const isBefore = (mine: Change | undefined, theirs: Change | undefined): boolean => {
  if (mine === undefined || theirs === undefined) return mine !== undefined
  return mine.a0 < theirs.a0 || (mine.a0 === theirs.a0 && mine.a1 < theirs.a1)
}

/**
 * Whether two changes of different sides, the first of which starts first, touch the same lines, insert at the same
 * place, or are an insertion next to a change that has the same lines at that end.
 */
const belongTogether = (first: Change, second: Change): boolean => {
  if (second.a0 < first.a1 && first.a0 < second.a1) return true
  if (second.a0 !== first.a1) return false
  const [firstInserts, secondInserts] = [first.a0 === first.a1, second.a0 === second.a1]
  if (firstInserts && secondInserts) return true
  if (firstInserts) return isRunAt(second.lines, first.lines, 0)
  const end = first.lines.length - second.lines.length
  return secondInserts && isRunAt(first.lines, second.lines, end)
}

/** The lines that a group comes to, and whether nothing in it contradicts. */
const combine = (mine: readonly Change[], theirs: readonly Change[], effort: Effort) => {
  const others = theirs.flatMap(({ lines }) => lines)
  const added = mine
    .filter(({ lines }) => !hasRun(others, lines, effort))
    .flatMap(({ lines }) => lines)
  const lines = hasRun(added, others, effort) ? added : [...others, ...added]
  const bothInsert = [...mine, ...theirs].every(({ a0, a1 }) => a0 === a1)
  return {
    lines,
    clean:
      bothInsert ||
      lines.length === 0 ||
      isWithin(mine, theirs, effort) ||
      isWithin(theirs, mine, effort),
  }
}

/** Whether every one of `changes` is part of one of `larger`; not where `effort` does not last to find out. */
const isWithin = (changes: readonly Change[], larger: readonly Change[], effort: Effort): boolean =>
  changes.every(({ a0, a1, lines }) =>
    larger.some(
      (other) =>
        effort.left-- > 0 &&
        other.a0 <= a0 &&
        a1 <= other.a1 &&
        (lines.length === 0 ? other.lines.length === 0 : hasRun(other.lines, lines, effort)),
    ),
  )

const isRunAt = (lines: readonly string[], run: readonly string[], at: number): boolean =>
  at >= 0 && run.every((line, i) => lines[at + i] === line)

/** Whether one has the other in it; not where `effort` does not last to find out. */
const hasRun = (lines: readonly string[], run: readonly string[], effort: Effort): boolean => {
  if (run.length === 0) return true
  for (let at = 0; at <= lines.length - run.length && effort.left > 0; at++) {
    let same = 0
    while (same < run.length && lines[at + same] === run[same]) same++
    if (same === run.length) return true
    effort.left -= same + 1
  }
  return false
}

/** Lines [from, to) of `theirs` give way to `lines`. */
interface Patch {
  from: number
  to: number
  lines: string[]
  byCharacters: boolean
}

/** Appends a patch, joined to the last one if no line is between them: each then has a line end of its own. */
const addPatch = (patches: Patch[], patch: Patch): void => {
  const last = patches[patches.length - 1]
  if (last?.to !== patch.from) {
    patches.push(patch)
    return
  }
  last.to = patch.to
  for (const line of patch.lines) last.lines.push(line)
  last.byCharacters &&= patch.byCharacters
}

/** Offset of each line, and one line end past the text. */
const lineStarts = (lines: readonly string[], eolLength: number): number[] => {
  const starts = [0]
  for (const line of lines) starts.push(starts[starts.length - 1]! + line.length + eolLength)
  return starts
}

/** A patch in offsets. The lines of a text have line ends between them only, so the last has its before it. */
const editOf = ({ from, to, lines }: Patch, starts: readonly number[], eol: string): Edit => {
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
