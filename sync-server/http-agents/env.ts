import type { AccessStore } from '../auth/store.ts'
import type { Checkpoints } from '../history/checkpoints/store.ts'
import type { ArchiveFinder } from '../history/find/search.ts'
import type { FileHistory } from '../history/versions/history.ts'
import type { Blobs } from '../storage/blobs/blobs.ts'
import type { TaskEnv } from '../tasks/moving.ts'
import type { TextWork } from '../texts/work.ts'
import type { HttpAgents } from './http-agents.ts'

/** The parts of the server that act for agents without a replica. */
export interface AgentsEnv extends TaskEnv {
  access: AccessStore
  now: () => number
  /** Why nothing can be stored; null while everything can. */
  trouble: () => string | null
  history: FileHistory
  checkpoints: Checkpoints
  blobs: Blobs
  httpAgents: HttpAgents
  finder: ArchiveFinder
  texts: TextWork
  log: Log
  /** Lease of a claimed task, in milliseconds. */
  leaseMs: number
}

export interface Log {
  error: (details: object, message: string) => void
  info: (details: object, message: string) => void
}
