import type * as Y from 'yjs'
import type { ErrorBody } from '../workspace/errors.ts'
import type { AgentId } from '../workspace/ids.ts'
import type { Message } from '../workspace/inbox.ts'
import type { Cursor, Presence } from '../workspace/presence.ts'

/** How one verb ended: what `clawlink-agent --json` prints. */
export interface Ran {
  code: number
  data?: unknown
  error?: ErrorBody
  stderr: string
}

/** A profile's workspace, held open by its link: all that the terminal UI knows of the world. */
export interface Attached {
  /** Live; local transactions go to the link. */
  readonly doc: Y.Doc
  /** Null: not registered yet. */
  readonly me: AgentId | null
  readonly where: { profile: string; name: string; server: string; workspace: string }
  /** `since`: milliseconds since the epoch; `why`: null while connected. */
  readonly contact: { connected: boolean; since: number; why: string | null }
  presences(): Presence[]
  /** Messages in the inbox that nobody acknowledged. */
  unread(): readonly Message[]
  /** Presence, contact, unread. Returns what ends it. */
  onChange(listener: () => void): () => void
  /** Messages that arrive from now on. Returns what ends it. */
  onMessages(listener: (messages: readonly Message[]) => void): () => void
  show(state: { cursor?: Cursor | null; activity?: { note?: string; task?: string } }): void
  /** Carries out a verb of clawlink-agent. */
  run(argv: readonly string[], stdin?: string): Promise<Ran>
  close(): Promise<void>
}
