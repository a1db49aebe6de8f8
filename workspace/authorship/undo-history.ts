import type { DeletedText, DeleteRun, IdRange, InsertRun } from '../../lib/attribution/runs.ts'

/** Operations that an undo wrote in place of deleted ones, and the first operations of that text. */
export interface CopyRange extends IdRange {
  ofClient: number
  ofClock: number
}

/** The changes that one undo made in one file. The server keeps them: a later undo has to know which text is the same. */
export interface UndoRecord {
  /** Of the undo; those of all files have the same. */
  id: string
  deletes: readonly IdRange[]
  copies: readonly CopyRange[]
}

type ByClient<R> = ReadonlyMap<number, readonly R[]>

/** All that is known of who wrote and deleted the text of a file. The runs of a client are in the order of their clocks. */
export interface TextHistory {
  inserts: ByClient<InsertRun>
  deletes: ByClient<DeleteRun>
  /** Deleted texts that are still kept. */
  texts: ByClient<DeletedText>
  /** The undos of this file, the oldest first. */
  undos: readonly UndoRecord[]
  /** The agent that a Yjs client id belongs to; null: unknown. */
  ownerOf: (client: number) => string | null
}

/** An insertion or a deletion. `at`: milliseconds since the epoch; 0: unknown. */
export interface Deed {
  by: string | null
  at: number
  task: string | null
  /** The undo that did it; null: none. */
  undo: string | null
}

/** Which insertions and deletions an undo takes back: those that all given fields fit. */
export interface Selector {
  agent?: string | undefined
  task?: string | undefined
  /** Milliseconds since the epoch: those at this time or later. */
  since?: number | undefined
  /** The id of an undo. */
  undo?: string | undefined
}

export const isSelected = ({ agent, task, since, undo }: Selector, deed: Deed): boolean =>
  (agent === undefined || deed.by === agent) &&
  (task === undefined || deed.task === task) &&
  (since === undefined || deed.at >= since) &&
  (undo === undefined || deed.undo === undo)
