import type { Replica } from '../../../client/replica/replica.ts'
import type { Session } from '../../../client/session/session.ts'
import type { AgentId } from '../../../protocol/ids.ts'
import type { FileConflict } from '../../../workspace/files/put-file.ts'

/** What a mirror asks of a session: to have what the server has, and to know what it has on disk. */
export type Connection = Pick<Session, 'synced' | 'barrier'>

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
  /** Of the shared paths; what follows it is the path below `dir`. */
  prefix: string
  /** A folder that is never mirrored, wherever it is: where the replicas are. */
  without: string
  replica: Replica
  /** The connection, where there is one. */
  session: () => Connection | null
  me: AgentId
  /** After how long a rule file's change lets more through (ms); left out: what `Rules` says. */
  loosenMs?: number
  report: (event: MirrorEvent) => void
  /** Files of the first pass that are done, of how many (count). */
  progress?: (done: number, total: number) => void
}

/** The result of the first pass. */
export interface FirstPass {
  /** Files that disk and document have both (count). */
  files: number
  /** Files that are not mirrored (count). */
  skipped: number
  /** Whether the server has it on disk. */
  durable: boolean
}

export interface MirrorEvent {
  /** `out`: from the disk to the others; `in`: from the others to the disk. */
  type: 'out' | 'in' | 'skipped' | 'stopped'
  file_key: string
  change?: 'created' | 'changed' | 'removed'
  version?: number
  /** Lines that others had changed, too; both are kept. */
  conflicts?: FileConflict[]
  /** Why it is not mirrored. */
  why?: string
}
