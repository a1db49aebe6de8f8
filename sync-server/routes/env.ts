import type { ClawError } from '../../protocol/errors.ts'
import type { Identity } from '../auth/identity.ts'
import type { LogLevel } from '../config/flags.ts'
import type { HttpContext } from '../http/context.ts'
import type { Metrics } from '../http/metrics.ts'
import type { Pages } from '../http/pages.ts'
import type { Serving } from '../http/route.ts'
import type { AgentsEnv } from '../http-agents/env.ts'
import type { ServerStatus } from '../ops/host/status.ts'
import type { Manifest } from '../ops/manifest.ts'
import type { Purgeable } from '../ops/purge.ts'
import type { Caller, Principal } from '../sync/principal.ts'
import type { Room } from '../sync/room.ts'

/** The parts of the server that routes may use. */
export interface AppEnv extends Serving, AgentsEnv {
  version: string
  identity: Identity
  startedAt: number
  pages: Pages
  /** True if the browser reaches the server over TLS. */
  isSecure: (c: HttpContext) => boolean
  metrics: Metrics
  /** Damage found in single workspaces; null: none. */
  damage: () => string | null
  /** Workspaces that failed and are not served for a while. */
  failed: () => readonly string[]
  /** Throws `storage_failed` while nothing can be stored. */
  room: (workspace: string) => Room
  /** A room to read from, also while nothing can be stored. */
  reader: (workspace: string) => Room
  ops: {
    /** Writes a backup into a folder of this machine. */
    backup: (dir: string) => Promise<Manifest>
    /**
     * Deletes a removed workspace for good; `isDry`: only its size is looked up. Throws `unknown_workspace` for one that was not
     * removed, `usage` at a node of a cluster.
     */
    purge: (workspace: string, by: Principal, isDry: boolean) => Promise<Purgeable>
    /** Returns the level of the log; a given one holds from now on. */
    logLevel: (level?: LogLevel) => string
    /**
     * Gives a node's workspaces to the others; resolves to the counts of those given up, and of those that this node keeps as
     * no other one is up. Throws `usage` for a single server.
     */
    drain: () => Promise<{ given_up: number; kept: number }>
    /** The state of the server, for its host. */
    status: (health: { status: string; reason?: string }) => Promise<ServerStatus>
  }
  /** A wrong credential was shown. Returns the back-off error, or null. */
  onWrongCredential: (c: HttpContext, why: ClawError) => ClawError | null
  /** A credential or invite was shown that has ended. */
  onEndedCredential: (c: HttpContext, why: ClawError) => void
  /** A request is rejected with this error. Returns true if its connection must close. */
  onRefused: (c: HttpContext, error: ClawError, by: Caller | null) => boolean
  /** A caller spoke as another agent, and was rejected. */
  onForgery: (by: Caller, where: string, what: string) => void
}
