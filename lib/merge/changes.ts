import { diffTokens, type Effort } from './diff.ts'

/** Lines [a0, a1) of `base` became `lines`. */
interface Change {
  a0: number
  a1: number
  lines: string[]
}

export const changesOf = (
  from: readonly string[],
  to: readonly string[],
  effort: Effort,
): Change[] =>
  diffTokens(from, to, undefined, effort).map(({ a0, a1, b0, b1 }) => ({
    a0,
    a1,
    lines: to.slice(b0, b1),
  }))

/**
 * Changes that must be looked at together; one of them covers each line of `base` from a0 to a1.
 */
interface Group {
  a0: number
  a1: number
  mine: Change[]
  theirs: Change[]
}

/**
 * Groups the changes of both sides, in order of `base`. At one place an insertion precedes a
 * replacement, and theirs precedes mine.
 */
export const groupsOf = (mine: readonly Change[], theirs: readonly Change[]): Group[] => {
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
 * Tells whether two changes of different sides must be looked at together, `first` starting first:
 * they touch the same lines, insert at the same place, or one inserts next to the other and has the
 * same lines at that end.
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

/** The merged lines of a group; `clean`: the two sides do not contradict each other. */
export const combine = (mine: readonly Change[], theirs: readonly Change[], effort: Effort) => {
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

/** Tells whether each of `changes` is part of one of `larger`. False where `effort` runs out. */
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

/** Tells whether `lines` contain `run`. False where `effort` runs out. */
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
