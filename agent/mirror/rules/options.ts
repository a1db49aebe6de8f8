import type { Replica } from '../../../client/replica/replica.ts'
import type { Session } from '../../../client/session/session.ts'
import type { AgentId } from '../../../protocol/ids.ts'
import type { TogetherWith } from '../../../workspace/files/find-together.ts'
import type { FileConflict } from '../../../workspace/files/put-file.ts'

/**
 * The part of a session that a mirror needs: to receive the server's state, and to confirm that the
 * server has its changes on disk.
 */
export type MirrorConnection = Pick<Session, 'synced' | 'barrier'>

/** Settings of a mirror that outlast a restart. */
export interface MirrorSettings {
  /** Paths that are mirrored although they may hold credentials, or be run. */
  include?: readonly string[]
  /** Bytes that its files may take on the disk; left out: MAX_MIRROR_BYTES. */
  maxBytes?: number
  /** When more than this share of the files (percent) is gone at once, deletions wait. */
  maxGone?: number
  /** Also a folder in which a ClawLink server or agent keeps its data, all but that. */
  force?: boolean
}

export interface MirrorOptions extends MirrorSettings {
  dir: string
  /** Prefix of the shared paths; the rest of a shared path is the path below `dir`. */
  prefix: string
  /** The folder of the replicas; it is never mirrored. */
  without: string
  replica: Replica
  /** The connection, if there is one. */
  session: () => MirrorConnection | null
  me: AgentId
  /** Time until a rule file's change ignores less (ms); left out: the default of `Rules`. */
  loosenMs?: number
  report: (event: MirrorEvent) => void
  /** Files of the first pass: done, and all (count). */
  progress?: (done: number, total: number) => void
}

/** The result of the first pass. */
export interface FirstPass {
  /** Files that disk and document have both (count). */
  files: number
  /** Files that are not mirrored (count). */
  skipped: number
  /** True if the server has it on disk. */
  durable: boolean
}

export interface MirrorEvent {
  /** `out`: from the disk to the others; `in`: from the others to the disk. */
  type: 'out' | 'in' | 'skipped' | 'stopped'
  file_key: string
  change?: 'created' | 'changed' | 'removed'
  version?: number
  /** Lines that others had changed as well; both versions are kept. */
  conflicts?: FileConflict[]
  /** Changes of others, merged cleanly, to look at together with what the mirror put. */
  together?: TogetherWith[]
  /** The cause why it is not mirrored. */
  why?: string
}
