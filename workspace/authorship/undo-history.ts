import type { DeletedText, DeleteRun, IdRange, InsertRun } from '../../lib/attribution/runs.ts'

/** Operations that an undo wrote in place of deleted ones, and the first operations of that text. */
export interface CopyRange extends IdRange {
  ofClient: number
  ofClock: number
}

/** Changes that an undo cancels: each counts as not made, while the undo is not cancelled itself. */
export interface Cancelled {
  /** The first operations of texts whose insertion it cancels. */
  inserts: readonly IdRange[]
  /** Operations whose deletion it cancels. */
  deletions: readonly IdRange[]
  /** Ids of undos. */
  undos: readonly string[]
}

/** One undo in one file. The server keeps it: later undos have to know it. */
export interface UndoRecord extends Cancelled {
  /** Of the undo; those of all its files have the same. */
  id: string
  by: string
  /** Milliseconds since the epoch. */
  at: number
  task: string | null
  /** Operations that it deleted, and that it wrote. */
  deletes: readonly IdRange[]
  copies: readonly CopyRange[]
}

type ByClient<R> = ReadonlyMap<number, readonly R[]>

/** The authors of the text of a file, deleted text included. The runs of a client are in the order of their clocks. */
export interface TextHistory {
  inserts: ByClient<InsertRun>
  deletes: ByClient<DeleteRun>
  /** Deletions of what others deleted at the same time; they may overlap. */
  again: ByClient<DeleteRun>
  /** Deleted texts that are still kept. */
  texts: ByClient<Omit<DeletedText, 'root'>>
  /** The undos of this file, the oldest first. */
  undos: readonly UndoRecord[]
  /** The agent that a Yjs client id belongs to; null: unknown. */
  ownerOf: (client: number) => string | null
}

/** An insertion, a deletion or an undo. `at`: milliseconds since the epoch; 0: unknown. */
export interface Deed {
  by: string | null
  at: number
  task: string | null
}

/** The changes that an undo takes back: those that all given fields fit. */
export interface Selector {
  agent?: string | undefined
  task?: string | undefined
  /** Milliseconds since the epoch: those at this time or later. */
  since?: number | undefined
  /** The id of an undo: only that. */
  undo?: string | undefined
}

/** `id`: that of an undo; absent for an insertion or a deletion. */
export const isSelected = (
  { agent, task, since, undo }: Selector,
  deed: Deed & { id?: string },
): boolean =>
  (agent === undefined || deed.by === agent) &&
  (task === undefined || deed.task === task) &&
  (since === undefined || deed.at >= since) &&
  (undo === undefined || deed.id === undo)

/** The undos that hold if those with some ids are cancelled: an undo that a holding one cancels does not. */
export const holding = (
  undos: readonly UndoRecord[],
  cancelled: ReadonlySet<string>,
): UndoRecord[] => {
  const off = new Set(cancelled)
  const hold: UndoRecord[] = []
  for (const undo of [...undos].reverse()) {
    if (off.has(undo.id)) continue
    hold.push(undo)
    for (const id of undo.undos) off.add(id)
  }
  return hold.reverse()
}
