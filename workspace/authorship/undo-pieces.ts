import type * as Y from 'yjs'
import type { DeleteRun, IdRange, InsertRun } from '../../lib/attribution/runs.ts'
import { firstItem, itemAfter, stringIn } from '../../lib/yjs/internals.ts'
import type { CopyRange, Deed, TextHistory, UndoRecord } from './undo-history.ts'

/** Consecutive operations of one client in a text that share their history. */
export interface Piece extends IdRange {
  /** The first operations of this text: its own, unless it is a copy that an undo wrote. */
  rootClient: number
  rootClock: number
  /** Copies of the same text, oldest first: 0 is the root itself. */
  generation: number
  /** The undo that wrote it; null: its author did. */
  undo: string | null
  /** The first insertion of the text. */
  root: Deed
  /** When these operations were inserted. */
  at: number
  /** Null: it is in the text. */
  deleted: Deed | null
  /** The deletions of it that others made at the same time. */
  again: readonly Deed[]
  /** The undo that deleted it; null: none did. */
  undone: string | null
  /** True if an undo that holds cancels the first insertion, the deletion. */
  isInsertCancelled: boolean
  isDeletionCancelled: boolean
  /** The characters; null: they are not kept, or are none. */
  text: string | null
  /** The operations beside it when it was written; null: the end of the text. */
  origin: Y.ID | null
  rightOrigin: Y.ID | null
}

/** Pieces between two pauses (count): about two milliseconds. */
export const AT_ONCE = 1_000

/**
 * The pieces of a text in its order, deleted ones included; each has one history. `hold`: the undos that hold. In steps:
 * the text must not change meanwhile.
 */
export const piecesOf = function* (
  text: Y.Text,
  history: TextHistory,
  hold: readonly UndoRecord[],
): Generator<void, Piece[]> {
  const lookUp = lookUps(history, hold)
  const pieces: Piece[] = []
  for (let item = firstItem(text); item !== null; item = itemAfter(item)) {
    if (!item.countable && !item.deleted) continue
    for (let done = 0; done < item.length; ) {
      const piece = lookUp(item, done, item.length - done)
      pieces.push(piece)
      done += piece.length
      if (pieces.length % AT_ONCE === 0) yield
    }
  }
  return alignCopies(pieces)
}

type LookUp = (item: Y.Item, offset: number, most: number) => Piece

const lookUps = (history: TextHistory, hold: readonly UndoRecord[]): LookUp => {
  const { inserts, deletes, texts, ownerOf } = history
  const copies = copiesOf(history)
  const undone = deletesOf(history)
  const again = againOf(history)
  const cancelledInserts = byClient(hold.flatMap((undo) => undo.inserts))
  const cancelledDeletions = byClient(hold.flatMap((undo) => undo.deletions))
  return (item, offset, most) => {
    const { client } = item.id
    const clock = item.id.clock + offset
    const copy = at(copies.get(client), clock)
    const rootClient = copy.run?.ofClient ?? client
    const rootClock = copy.run === undefined ? clock : copy.run.ofClock + clock - copy.run.clock
    const inserted = at(inserts.get(client), clock)
    const root = at(inserts.get(rootClient), rootClock)
    const noInsert = at(cancelledInserts.get(rootClient), rootClock)
    const ofDeleted = <R extends Ranged>(runs: readonly R[] | undefined): Found<R> =>
      item.deleted ? at(runs, clock) : NOTHING
    const deleted = ofDeleted(deletes.get(client))
    const second = ofDeleted(again.get(client))
    const removal = ofDeleted(undone.get(client))
    const noDeletion = ofDeleted(cancelledDeletions.get(client))
    const kept = ofDeleted(texts.get(client))
    const length = Math.min(
      most,
      copy.left,
      inserted.left,
      root.left,
      noInsert.left,
      deleted.left,
      second.left,
      removal.left,
      noDeletion.left,
      kept.left,
    )
    const content = item.deleted
      ? kept.run?.text.slice(clock - kept.run.clock)
      : contentAt(item, offset)
    return {
      client,
      clock,
      length,
      rootClient,
      rootClock,
      generation: copy.run?.generation ?? 0,
      undo: copy.run?.undo ?? null,
      root: deedOf(ownerOf(rootClient), root.run),
      at: inserted.run?.at ?? 0,
      deleted: item.deleted ? deedOf(deleted.run?.by ?? null, deleted.run) : null,
      again: second.run?.deeds ?? [],
      undone: removal.run?.id ?? null,
      isInsertCancelled: noInsert.run !== undefined,
      isDeletionCancelled: noDeletion.run !== undefined,
      text: content?.slice(0, length) ?? null,
      origin: offset === 0 ? item.origin : ({ client, clock: clock - 1 } as Y.ID),
      rightOrigin: item.rightOrigin,
    }
  }
}

const deedOf = (by: string | null, run: InsertRun | undefined): Deed => ({
  by,
  at: run?.at ?? 0,
  task: run?.task ?? null,
})

const contentAt = (item: Y.Item, offset: number): string | undefined =>
  stringIn(item)?.slice(offset)

interface Found<R> {
  /** The run that holds the clock. */
  run?: R
  /** Operations from the clock to where another answer begins (count). */
  left: number
}
const NOTHING: Found<never> = { left: Infinity }

type Ranged = { clock: number } & ({ length: number } | { text: string })

/** The run in sorted runs that holds a clock; of several, one. */
const at = <R extends Ranged>(runs: readonly R[] | undefined, clock: number): Found<R> => {
  if (runs === undefined) return NOTHING
  let [low, high] = [0, runs.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (endOf(runs[middle]!) <= clock) low = middle + 1
    else high = middle
  }
  const run = runs[low]
  if (run === undefined) return NOTHING
  if (run.clock > clock) return { left: run.clock - clock }
  return { run, left: endOf(run) - clock }
}

const endOf = (run: Ranged): number => run.clock + ('text' in run ? run.text.length : run.length)

interface UndoCopy extends CopyRange {
  undo: string
  generation: number
}

/** The operations that undos wrote, by client and in the order of their clocks. */
const copiesOf = ({ undos }: TextHistory): Map<number, UndoCopy[]> => {
  const all = undos.flatMap(({ id: undo, copies }, i) =>
    copies.map((copy) => ({ ...copy, undo, generation: i + 1 })),
  )
  const copies = new Map<number, UndoCopy[]>()
  for (const copy of all) push(copies, copy)
  for (const list of copies.values()) list.sort((a, b) => a.clock - b.clock)
  return copies
}

/** The operations that undos deleted, by client and in the order of their clocks. */
const deletesOf = ({ undos }: TextHistory): Map<number, (IdRange & { id: string })[]> => {
  const deletes = new Map<number, (IdRange & { id: string })[]>()
  for (const { id, deletes: ranges } of undos) {
    for (const range of ranges) push(deletes, { ...range, id })
  }
  for (const list of deletes.values()) list.sort((a, b) => a.clock - b.clock)
  return deletes
}

interface Again extends IdRange {
  deeds: Deed[]
}

/** The second deletions of one text, by client and in the order of the clocks. Ranges do not overlap. */
const againOf = ({ again }: TextHistory): Map<number, Again[]> => {
  const all = new Map<number, Again[]>()
  for (const [client, runs] of again) {
    const once = onceByAgent(runs)
    const clocks = [...new Set(once.flatMap(({ clock, length }) => [clock, clock + length]))]
    clocks.sort((a, b) => a - b)
    const index = new Map(clocks.map((clock, i) => [clock, i]))
    const ranges = clocks.slice(1).map((end, i): Again => {
      return { client, clock: clocks[i]!, length: end - clocks[i]!, deeds: [] }
    })
    for (const run of once) {
      const end = index.get(run.clock + run.length)!
      for (let i = index.get(run.clock)!; i < end; i++) ranges[i]!.deeds.push(deedOf(run.by, run))
    }
    all.set(
      client,
      ranges.filter(({ deeds }) => deeds.length > 0),
    )
  }
  return all
}

/** Each agent's first deletion of an operation: its runs do not overlap then. */
const onceByAgent = (runs: readonly DeleteRun[]): DeleteRun[] => {
  const ends = new Map<string | null, number>()
  const once: DeleteRun[] = []
  for (const run of [...runs].sort((a, b) => a.clock - b.clock)) {
    const clock = Math.max(run.clock, ends.get(run.by) ?? 0)
    const end = run.clock + run.length
    if (clock >= end) continue
    once.push({ ...run, clock, length: end - clock })
    ends.set(run.by, end)
  }
  return once
}

/** Ranges by client, in the order of their clocks; those that overlap are joined. */
const byClient = (ranges: readonly IdRange[]): Map<number, IdRange[]> => {
  const found = new Map<number, IdRange[]>()
  for (const range of [...ranges].sort((a, b) => a.clock - b.clock)) {
    const last = found.get(range.client)?.at(-1)
    const end = range.clock + range.length
    if (last === undefined || last.clock + last.length < range.clock) push(found, { ...range })
    else last.length = Math.max(last.length, end - last.clock)
  }
  return found
}

const push = <R extends IdRange>(to: Map<number, R[]>, range: R): void => {
  const list = to.get(range.client)
  if (list === undefined) to.set(range.client, [range])
  else list.push(range)
}

/** Cuts pieces so that each copy of a text is cut as the others are. */
const alignCopies = (pieces: readonly Piece[]): Piece[] => {
  const copied = new Map<number, IdRange[]>()
  for (const { generation, rootClient, rootClock, length } of pieces) {
    if (generation > 0) push(copied, { client: rootClient, clock: rootClock, length })
  }
  if (copied.size === 0) return [...pieces]
  const cuts = new Map<number, number[]>()
  for (const { rootClient, rootClock, length } of pieces) {
    if (!copied.has(rootClient)) continue
    const clocks = cuts.get(rootClient) ?? []
    clocks.push(rootClock, rootClock + length)
    cuts.set(rootClient, clocks)
  }
  for (const clocks of cuts.values()) clocks.sort((a, b) => a - b)
  return pieces.flatMap((piece) => cutAt(piece, cuts.get(piece.rootClient) ?? []))
}

const cutAt = (piece: Piece, clocks: readonly number[]): Piece[] => {
  const { rootClock, length } = piece
  const parts: Piece[] = []
  let from = 0
  for (let i = firstAfter(clocks, rootClock); from < length; i++) {
    const to = Math.min(length, (clocks[i] ?? Infinity) - rootClock)
    if (to > from) parts.push(partOf(piece, from, to))
    from = to
  }
  return parts
}

const firstAfter = (sorted: readonly number[], clock: number): number => {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! <= clock) low = middle + 1
    else high = middle
  }
  return low
}

const partOf = (piece: Piece, from: number, to: number): Piece => ({
  ...piece,
  clock: piece.clock + from,
  length: to - from,
  rootClock: piece.rootClock + from,
  text: piece.text?.slice(from, to) ?? null,
  origin:
    from === 0 ? piece.origin : ({ client: piece.client, clock: piece.clock + from - 1 } as Y.ID),
})
