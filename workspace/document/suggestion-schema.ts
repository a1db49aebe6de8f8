import type { AgentId, FileId, FileKey, TaskId } from '../../protocol/ids.ts'

/** A proposal to change a file, as its proposer made it: one plain value that never changes. */
export interface SuggestionFacts {
  fileId: FileId
  /** The path of the file then. */
  key: FileKey
  by: AgentId
  /** Milliseconds since the epoch, by the server's clock. */
  at: number
  /** The version of the file whose lines the hunks count. */
  version: number
  /** Hunks (count). */
  hunks: number
  note: string
  task?: TaskId
  /** The only agent that may accept it. Absent: whoever may write. */
  approver?: AgentId
  /** The proposer may not accept it itself. */
  strict?: true
  /** The agents that are told of it. */
  to: AgentId[]
}

/** The Yjs id of a character: client, clock. */
export type CharacterId = [client: number, clock: number]

/** Whole lines of a file and the lines proposed instead. */
export interface SuggestedHunk {
  /** 1-based, in the version of the suggestion; of an insertion the line that it stands before. */
  line: number
  /** Empty: an insertion. */
  old: string
  new: string
  /**
   * The first and the last character of `old`; of an insertion the characters before and after its place. Absent: the
   * start or the end of the text.
   */
  from?: CharacterId
  to?: CharacterId
}

/** An element of the suggestion's field `decisions` (Y.Array). */
export interface SuggestionDecision {
  by: AgentId
  /** Milliseconds since the epoch, by the server's clock. */
  at: number
  verdict: 'accepted' | 'rejected'
  /** Numbers of the hunks, from 1. */
  hunks: number[]
  reason: string
  /** Of accepted hunks: the version of the file that has them. */
  version?: number
}
