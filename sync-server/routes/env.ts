import type { ClawError } from '../../protocol/errors.ts'
import type { Identity } from '../auth/identity.ts'
import type { HttpContext } from '../http/context.ts'
import type { Metrics } from '../http/metrics.ts'
import type { Serving } from '../http/route.ts'
import type { AgentsEnv } from '../http-agents/env.ts'
import type { Manifest } from '../ops/manifest.ts'
import type { Caller } from '../sync/principal.ts'
import type { Room } from '../sync/room.ts'

/** The parts of the server that routes may use. */
export interface AppEnv extends Serving, AgentsEnv {
  version: string
  identity: Identity
  startedAt: number
  metrics: Metrics
  /** What of single workspaces is damaged; null: nothing that was met. */
  damage: () => string | null
  /** Workspaces that have failed by themselves, and are not served for a while. */
  failed: () => readonly string[]
  /** What a claimed task's lease is, in milliseconds. */
  leaseMs: number
  /** Throws `storage_failed` while nothing can be stored. */
  room: (workspace: string) => Room
  /** A room to look at what is stored, also then. */
  reader: (workspace: string) => Room
  ops: {
    /** Writes a backup into a folder of this machine. */
    backup: (dir: string) => Promise<Manifest>
  }
  /** A credential was none; returns why none is looked at for a while, or null. */
  onWrongCredential: (c: HttpContext, why: ClawError) => ClawError | null
  /** A request is answered with this error; returns whether to close its connection. */
  onRefused: (c: HttpContext, error: ClawError, by: Caller | null) => boolean
  /** Somebody spoke in another's name, and was refused. */
  onForgery: (by: Caller, where: string, what: string) => void
}
