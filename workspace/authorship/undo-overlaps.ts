import type * as Y from 'yjs'
import type { LineRange } from '../../lib/merge/edits.ts'
import { AT_ONCE, type Piece } from './undo-pieces.ts'

/** Lines (1-based, inclusive) of the text after an undo where the work of others met what it took back. */
export interface Overlap extends LineRange {
  /** Ids of these others; "?": unknown. */
  by: string[]
}

/** A piece, and what becomes of it. */
export interface Traced {
  piece: Piece
  isLive: boolean
  willLive: boolean
  /** True if it is to be in the text, as itself or as another copy. */
  isWanted: boolean
  /** True if what deleted it is taken back. */
  isComing: boolean
  /** True for the newest copy of a text. */
  isPlace: boolean
  /** True if the undo takes back the first insertion of its text, its own insertion, or its deletion. */
  isInsertTaken: boolean
  isTaken: boolean
  isDeletionTaken: boolean
  /** The agents that deleted it at the same time as one whose deletion is taken back. */
  alsoBy: readonly (string | null)[]
}

const isKept = ({ isLive, willLive }: Traced): boolean => isLive && willLive
const isRemoved = ({ isLive, willLive }: Traced): boolean => isLive && !willLive
const isRestored = ({ isLive, willLive }: Traced): boolean => !isLive && willLive

/**
 * The lines that an undo changes, and its overlaps: in one line, others wrote beside or inside of a text after it was
 * inserted (it goes) or deleted (it comes back), or deleted a part of that text, or what stood beside it.
 */
export const traceOverlaps = function* (
  traced: readonly Traced[],
): Generator<void, { lines: LineRange[]; overlaps: Overlap[] }> {
  const lines: LineRange[] = []
  const met = new Met()
  let line = 1
  for (let from = 0; from < traced.length; ) {
    let to = from
    while (to < traced.length && !isKept(traced[to]!)) to++
    if (to === from) {
      if (from % AT_ONCE === 0) yield
      line += lineEnds(traced[to]!)
      from++
      continue
    }
    const between = {
      line,
      left: traced[from - 1],
      parts: traced.slice(from, to),
      right: traced[to],
    }
    if (between.parts.some((one) => isRemoved(one) || isRestored(one))) {
      const end = line + between.parts.reduce((sum, one) => sum + lineEnds(one), 0)
      addLines(lines, line, end)
      neighbours(between, end, met)
      tombstones(between, met)
    }
    for (const one of traced.slice(from, to + 1)) line += lineEnds(one)
    from = to + 1
  }
  deletedParts(traced, met)
  deletedTogether(traced, met)
  return { lines, overlaps: met.overlaps }
}

/** Line ends in what a piece will have in the text (count). */
const lineEnds = ({ piece: { text }, willLive }: Traced): number => {
  let count = 0
  if (!willLive || text === null) return count
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++
  return count
}

const addLines = (lines: LineRange[], from_line: number, to_line: number): void => {
  const last = lines.at(-1)
  if (last !== undefined && from_line <= last.to_line + 1)
    last.to_line = Math.max(last.to_line, to_line)
  else lines.push({ from_line, to_line })
}

/** The parts of a text that change or are deleted, between two that stay. */
interface Between {
  /** The line at which they begin, in the text afterwards. */
  line: number
  left: Traced | undefined
  parts: readonly Traced[]
  right: Traced | undefined
}

/** Others' text that stays, beside what goes or comes back. `end`: the last line of the parts. */
const neighbours = ({ line, left, parts, right }: Between, end: number, met: Met): void => {
  for (const is of [isRemoved, isRestored]) {
    const changed = parts.filter(is)
    if (changed.length === 0) continue
    if (left !== undefined && !endsLine(left)) {
      const inLine = changed.slice(0, changed.findIndex(hasLineEnd) + 1 || changed.length)
      const near = parts.slice(0, parts.indexOf(inLine.at(-1)!) + 1)
      if (isLater(left.piece, left.piece.rightOrigin, near, inLine)) {
        met.add(line, left.piece.root.by)
      }
    }
    if (right !== undefined && !endsLine(changed.at(-1)!)) {
      const last = changed.slice(Math.max(0, changed.findLastIndex(hasLineEnd)))
      const inLine = endsLine(last[0]!) ? last.slice(1) : last
      const near = parts.slice(parts.indexOf(inLine[0]!))
      if (isLater(right.piece, right.piece.origin, near, inLine)) {
        met.add(end, right.piece.root.by)
      }
    }
  }
}

const hasLineEnd = ({ piece }: Traced): boolean => piece.text?.includes('\n') ?? false
const endsLine = ({ piece }: Traced): boolean => piece.text?.endsWith('\n') ?? false

/**
 * Tells whether a text was written after one of `changed`, which stand in its line, was inserted (and goes now) or
 * deleted (and comes back). Within one second, it was where it was written beside one of `near`.
 */
const isLater = (
  { client, clock, at: time }: Piece,
  next: Y.ID | null,
  near: readonly Traced[],
  changed: readonly Traced[],
): boolean => {
  const since = changed
    .map(({ piece, isLive }) => (isLive ? piece.at : piece.deleted!.at))
    .reduce((least, at) => Math.min(least, at), Infinity)
  if (time !== since) return time > since
  const at = next === null ? undefined : near.find(({ piece }) => holds(piece, next))
  if (at === undefined || next === null) return false
  // Text typed in one go was there before a part of it was deleted.
  return isRemoved(at) || next.client !== client || next.clock !== clock - 1
}

const holds = ({ client, clock, length }: Piece, id: Y.ID): boolean =>
  id.client === client && id.clock >= clock && id.clock < clock + length

/** Meets those who deleted text beside one that comes back, after that was deleted. */
const tombstones = ({ line, parts }: Between, met: Met): void => {
  let at = line
  for (const { chunk, isBegun } of linesIn(parts)) {
    const since = chunk
      .filter(isRestored)
      .reduce((least, { piece }) => Math.min(least, piece.deleted!.at), Infinity)
    for (const one of chunk) {
      if (!isDeletedByOthers(one) || one.willLive) continue
      const { deleted } = one.piece
      if (deleted!.at > since) met.add(at, deleted!.by)
    }
    at += chunk.slice(isBegun ? 1 : 0).reduce((sum, one) => sum + lineEnds(one), 0)
  }
}

/** True if a deletion is not taken back; one by an undo does not count: an undo deletes only what it takes back. */
const isDeletedByOthers = ({ piece, isDeletionTaken }: Traced): boolean =>
  piece.deleted !== null && piece.undone === null && !isDeletionTaken

/** Meets those who deleted a part of the text that goes, in the same line. */
const deletedParts = (traced: readonly Traced[], met: Met): void => {
  let [line, goes, by]: [number, boolean, (string | null)[]] = [1, false, []]
  const endLine = (): void => {
    if (goes) for (const one of by) met.add(line, one)
    goes = false
    by = []
  }
  for (const one of traced) {
    if (isRemoved(one)) goes = true
    else if (one.isTaken && isDeletedByOthers(one)) by.push(one.piece.deleted!.by)
    if (lineEnds(one) === 0) continue
    endLine()
    line += lineEnds(one)
  }
  endLine()
}

/** Meets those who deleted the same text at the same time, where it comes back or stays away. */
const deletedTogether = (traced: readonly Traced[], met: Met): void => {
  let line = 1
  for (const one of traced) {
    const isMeant = one.isDeletionTaken ? isRestored(one) : !one.piece.isInsertCancelled
    if (isMeant && !one.isInsertTaken) for (const by of one.alsoBy) met.add(line, by)
    line += lineEnds(one)
  }
}

/** The parts by lines, as far as their texts are known. `isBegun`: the first part is the last of the line before, too. */
const linesIn = function* (
  parts: readonly Traced[],
): Generator<{ chunk: Traced[]; isBegun: boolean }> {
  let [chunk, isBegun]: [Traced[], boolean] = [[], false]
  for (const one of parts) {
    chunk.push(one)
    if (!one.piece.text?.includes('\n')) continue
    yield { chunk, isBegun }
    isBegun = !endsLine(one)
    chunk = isBegun ? [one] : []
  }
  yield { chunk, isBegun }
}

/** The agents that were met, by line. */
class Met {
  readonly #lines = new Map<number, Set<string>>()

  add(line: number, by: string | null): void {
    const there = this.#lines.get(line) ?? new Set()
    this.#lines.set(line, there.add(by ?? '?'))
  }

  get overlaps(): Overlap[] {
    const all: Overlap[] = []
    for (const [line, there] of [...this.#lines].sort(([a], [b]) => a - b)) {
      const by = [...there].sort()
      const last = all.at(-1)
      const isSame = last?.to_line === line - 1 && last.by.join() === by.join()
      if (isSame) last.to_line = line
      else all.push({ from_line: line, to_line: line, by })
    }
    return all
  }
}
