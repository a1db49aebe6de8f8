import type * as Y from 'yjs'
import type { IdRange } from '../../lib/attribution/runs.ts'
import { firstItem, itemAfter, stringIn } from '../../lib/yjs/internals.ts'
import type { CopyRange, Deed, TextHistory } from './undo-history.ts'

/** Consecutive operations of one client in a text that share their history. */
export interface Piece extends IdRange {
  /** The first operations of this text: its own, unless it is a copy that an undo wrote. */
  rootClient: number
  rootClock: number
  /** Copies of the same text, oldest first: 0 is the root itself. */
  generation: number
  inserted: Deed
  /** Null: it is in the text. */
  deleted: Deed | null
  /** The characters; null: they are not kept, or are none. */
  text: string | null
  /** The operations beside it when it was written; null: the end of the text. */
  origin: Y.ID | null
  rightOrigin: Y.ID | null
}

/** The pieces of a text in its order, deleted ones included; each has one history. */
export const piecesOf = (text: Y.Text, history: TextHistory): Piece[] => {
  const lookUp = lookUps(history)
  const pieces: Piece[] = []
  for (let item = firstItem(text); item !== null; item = itemAfter(item)) {
    if (!item.countable && !item.deleted) continue
    for (let done = 0; done < item.length; ) {
      const piece = lookUp(item, done, item.length - done)
      pieces.push(piece)
      done += piece.length
    }
  }
  return alignCopies(pieces)
}

type LookUp = (item: Y.Item, offset: number, most: number) => Piece

const lookUps = (history: TextHistory): LookUp => {
  const undone = undosOf(history)
  return (item, offset, most) => {
    const { client } = item.id
    const clock = item.id.clock + offset
    const isDeleted = item.deleted
    const inserted = at(history.inserts.get(client), clock)
    const deleted = isDeleted ? at(history.deletes.get(client), clock) : NOTHING
    const copy = at(undone.copies.get(client), clock)
    const removal = isDeleted ? at(undone.deletes.get(client), clock) : NOTHING
    const kept = isDeleted ? at(history.texts.get(client), clock) : NOTHING
    const found = [inserted, deleted, copy, removal, kept]
    const length = Math.min(most, ...found.map(({ left }) => left))
    const [run, end, of] = [inserted.run, deleted.run, copy.run]
    const content = isDeleted
      ? kept.run?.text.slice(clock - kept.run.clock)
      : contentAt(item, offset)
    return {
      ...{ client, clock, length },
      rootClient: of?.ofClient ?? client,
      rootClock: of === undefined ? clock : of.ofClock + clock - of.clock,
      generation: of?.generation ?? 0,
      inserted: {
        by: history.ownerOf(client),
        ...{ at: run?.at ?? 0, task: run?.task ?? null, undo: of?.undo ?? null },
      },
      deleted: isDeleted
        ? {
            ...{ by: end?.by ?? null, at: end?.at ?? 0, task: end?.task ?? null },
            undo: removal.run?.undo ?? null,
          }
        : null,
      text: content?.slice(0, length) ?? null,
      origin: offset === 0 ? item.origin : ({ client, clock: clock - 1 } as Y.ID),
      rightOrigin: item.rightOrigin,
    }
  }
}

const contentAt = (item: Y.Item, offset: number): string | undefined =>
  stringIn(item)?.slice(offset)

interface Found<R> {
  /** The run that holds the clock. */
  run?: R
  /** Operations from the clock to where another answer begins (count). */
  left: number
}
const NOTHING: Found<never> = { left: Infinity }

/** The run in sorted runs that holds a clock. */
const at = <R extends { clock: number }>(
  runs: readonly (R & ({ length: number } | { text: string }))[] | undefined,
  clock: number,
): Found<R> => {
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

const endOf = (run: { clock: number } & ({ length: number } | { text: string })): number =>
  run.clock + ('text' in run ? run.text.length : run.length)

interface UndoCopy extends CopyRange {
  undo: string
  generation: number
}

/** The operations of undos, by client and in the order of the clocks. */
const undosOf = ({ undos }: TextHistory) => {
  const copies = new Map<number, UndoCopy[]>()
  const deletes = new Map<number, (IdRange & { undo: string })[]>()
  for (const [i, { id: undo, ...done }] of undos.entries()) {
    for (const copy of done.copies) push(copies, { ...copy, undo, generation: i + 1 })
    for (const range of done.deletes) push(deletes, { ...range, undo })
  }
  for (const list of [...copies.values(), ...deletes.values()]) {
    list.sort((a: IdRange, b: IdRange) => a.clock - b.clock)
  }
  return { copies, deletes }
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
