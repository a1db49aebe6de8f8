import { diffTokens } from './diff.ts'

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
}

/**
 * Three-way merge by lines: carries the change from `base` to `mine` over into `theirs`.
 *
 * Changes of different lines, neighbours too, both stand. What both did in the same way is there once. Where both
 * inserted, theirs comes first. Where both changed the same lines differently, the new lines of both stay, theirs
 * first, and the place is reported; so is a removal of lines that the other side edited, which stay. A line that
 * only `mine` changed is edited by characters, so that nothing else in it is touched.
 */
export const merge3 = (base: string, mine: string, theirs: string): Merge => {
  if (mine === base || mine === theirs) return { text: theirs, edits: [], conflicts: [] }
  if (base === '' && theirs === '') {
    return { text: mine, edits: [{ index: 0, remove: 0, insert: mine }], conflicts: [] }
  }
  const eol = lineEnd(base + mine + theirs)
  const [from, to, other] = [base.split(eol), mine.split(eol), theirs.split(eol)]
  const size = base.length + mine.length + theirs.length
  const groups = groupsOf(changesOf(from, to), changesOf(from, other))

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

    const { lines, clean } = combine(mine, others)
    const old = other.slice(at, end)
    for (const { a0, a1, b0, b1 } of diffTokens(old, lines)) {
      const byCharacters = others.length === 0
      addPatch(patches, { from: at + a0, to: at + a1, lines: lines.slice(b0, b1), byCharacters })
    }
    if (!clean) {
      const line = at + grown + 1
      const [before, now] = [from.slice(a0, a1).join(eol), old.join(eol)]
      conflicts.push({
        from_line: line,
        to_line: line + lines.length - 1,
        theirs: byCharacter(now, before, size)
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
      ? withinLines(old, insert, size)
      : [{ index: 0, remove, insert }]) {
      edits.push({ ...part, index: index + part.index })
    }
  }
  return { text: applyEdits(theirs, edits), edits, conflicts }
}

/** Where every line ends in CRLF it is the line end; else a CR is a part of its line. */
const lineEnd = (text: string): string =>
  text.includes('\r\n') && !/(?<!\r)\n/.test(text) ? '\r\n' : '\n'

/** Where the edits are in `text`, which they led to: lines in order and apart. A removal is at the line it left. */
export const changedLines = ({ text, edits }: Pick<Merge, 'text' | 'edits'>): Lines[] => {
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

const changesOf = (from: readonly string[], to: readonly string[]): Change[] =>
  diffTokens(from, to).map(({ a0, a1, b0, b1 }) => ({ a0, a1, lines: to.slice(b0, b1) }))

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
    if (group !== undefined && others?.some((other) => belongTogether(other, change))) {
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
const combine = (mine: readonly Change[], theirs: readonly Change[]) => {
  const others = theirs.flatMap(({ lines }) => lines)
  const added = mine.filter(({ lines }) => !hasRun(others, lines)).flatMap(({ lines }) => lines)
  const lines = hasRun(added, others) ? added : [...others, ...added]
  const bothInsert = [...mine, ...theirs].every(({ a0, a1 }) => a0 === a1)
  return {
    lines,
    clean: bothInsert || lines.length === 0 || isWithin(mine, theirs) || isWithin(theirs, mine),
  }
}

/** Whether every one of `changes` is part of one of `larger`. */
const isWithin = (changes: readonly Change[], larger: readonly Change[]): boolean =>
  changes.every(({ a0, a1, lines }) =>
    larger.some(
      (other) =>
        other.a0 <= a0 &&
        a1 <= other.a1 &&
        (lines.length === 0 ? other.lines.length === 0 : hasRun(other.lines, lines)),
    ),
  )

const isRunAt = (lines: readonly string[], run: readonly string[], at: number): boolean =>
  at >= 0 && run.every((line, i) => lines[at + i] === line)

const hasRun = (lines: readonly string[], run: readonly string[]): boolean => {
  const [first] = run
  if (first === undefined) return true
  for (let at = lines.indexOf(first); at !== -1; at = lines.indexOf(first, at + 1)) {
    if (isRunAt(lines, run, at)) return true
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
  last.lines = [...last.lines, ...patch.lines]
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

/** What a reader sees as one character, near enough: combining marks, emoji sequences and flags stay whole. */
const CHARACTER = /(?:\r\n|\p{RI}{2}|.)(?:[\p{M}\p{Emoji_Modifier}]|\u200d.)*/gsu

/** Lines that share less than this part of the shorter one, at their ends, are different lines. */
const SAME_LINE = 0.5
/** Pairs of lines that are compared at most, to tell which became which. */
const MAX_PAIRS = 40_000

/**
 * Edits from `old` to `text` that never keep a part of one line for another: a line that became a similar one is edited
 * by characters, every other is removed or inserted whole. So what others insert between two lines at the same time
 * stays between two lines.
 */
const withinLines = (old: string, text: string, among: number): Edit[] => {
  const linesIn = (side: string): string[] => side.match(/[^\n]*\n|[^\n]+/g) ?? []
  const [before, after] = [linesIn(old), linesIn(text)]
  const edits: Edit[] = []
  let [index, i, j] = [0, 0, 0]
  const whole = (toI: number, toJ: number): void => {
    const [removed, insert] = [before.slice(i, toI).join(''), after.slice(j, toJ).join('')]
    const edit = replacing(removed, insert)
    if (edit.remove > 0 || edit.insert !== '') edits.push({ ...edit, index })
    index += removed.length
  }
  if (before.length === 1 && after.length === 1) {
    const parts = joinNear(byCharacter(old, text, among), old)
    const removed = parts.reduce((sum, { remove }) => sum + remove, 0)
    return removed <= old.length / 2 ? parts : [{ index: 0, ...replacing(old, text) }]
  }
  for (const [a, b] of pairsOf(before, after)) {
    whole(a, b)
    const line = before[a]!
    for (const edit of joinNear(byCharacter(line, after[b]!, among), line)) {
      edits.push({ ...edit, index: index + edit.index })
    }
    index += line.length
    ;[i, j] = [a + 1, b + 1]
  }
  whole(before.length, after.length)
  return edits
}

/**
 * `old` gives way to `text`, but for the line end that both have last: what somebody inserts after it at the same time
 * stays after it.
 */
const replacing = (old: string, text: string): Omit<Edit, 'index'> => {
  const end = /\r?\n$/.exec(old)?.[0] ?? ''
  const keep = end !== '' && text.endsWith(end) ? end.length : 0
  return { remove: old.length - keep, insert: text.slice(0, text.length - keep) }
}

/** How much of the shorter of two lines both begin and end with: 0 to 1. */
const likeness = (a: string, b: string): number => {
  const [x, y] = [a.replace(/\r?\n$/, ''), b.replace(/\r?\n$/, '')]
  const shorter = Math.min(x.length, y.length)
  if (shorter === 0) return x.length === y.length ? 1 : 0
  let head = 0
  while (head < shorter && x[head] === y[head]) head++
  let tail = 0
  while (tail < shorter - head && x.at(-1 - tail) === y.at(-1 - tail)) tail++
  return (head + tail) / shorter
}

/** Which line became which: in order, so that the pairs are as alike as can be in all. */
const pairsOf = (before: readonly string[], after: readonly string[]): [number, number][] => {
  const [n, m] = [before.length, after.length]
  if (n * m > MAX_PAIRS) return []
  const like = before.map((line) => after.map((other) => likeness(line, other)))
  const best = Array.from({ length: n + 1 }, () => new Float64Array(m + 1))
  for (let i = n - 1; i >= 0; i--) {
    for (let j = m - 1; j >= 0; j--) {
      const alike = like[i]![j]!
      const pair = alike < SAME_LINE ? 0 : alike + best[i + 1]![j + 1]!
      best[i]![j] = Math.max(pair, best[i + 1]![j]!, best[i]![j + 1]!)
    }
  }
  const pairs: [number, number][] = []
  for (let i = 0, j = 0; i < n && j < m; ) {
    if (best[i]![j] === best[i + 1]![j]) i++
    else if (best[i]![j] === best[i]![j + 1]) j++
    else pairs.push([i++, j++])
  }
  return pairs
}

/** The smallest edits from `old` to `text`. */
const byCharacter = (old: string, text: string, among: number): Edit[] => {
  const before: string[] = old.match(CHARACTER) ?? []
  const after: string[] = text.match(CHARACTER) ?? []
  const offsets = lineStarts(before, 0)
  return diffTokens(before, after, among).map(({ a0, a1, b0, b1 }) => ({
    index: offsets[a0]!,
    remove: offsets[a1]! - offsets[a0]!,
    insert: after.slice(b0, b1).join(''),
  }))
}

/** Joins edits with less between them than either changes: letters that happen to be in both, not a kept part. */
const joinNear = (edits: readonly Edit[], old: string): Edit[] => {
  const size = ({ remove, insert }: Edit) => Math.max(remove, insert.length)
  const joined: Edit[] = []
  for (const edit of edits) {
    const last = joined[joined.length - 1]
    const end = last === undefined ? 0 : last.index + last.remove
    if (last !== undefined && edit.index - end < Math.min(size(last), size(edit))) {
      last.insert += old.slice(end, edit.index) + edit.insert
      last.remove = edit.index + edit.remove - last.index
    } else joined.push({ ...edit })
  }
  return joined
}
