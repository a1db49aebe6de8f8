import type { Logger } from 'pino'
import type { Options } from '../config/options.ts'
import type { Sweeper } from '../history/sweep.ts'
import type { Metrics } from '../http/metrics.ts'
import type { HttpAgentSockets } from '../http-agents/socket.ts'
import type { FrameReader } from '../limits/frame-reader.ts'
import type { Limiter } from '../limits/limiter.ts'
import type { Connection } from '../sync/connection.ts'
import type { Health } from './health.ts'
import type { Incidents } from './incidents.ts'
import type { ServerRooms } from './rooms.ts'
import type { Services } from './services.ts'
import type { Stores } from './stores.ts'

/** The settings and the clock that all parts of a server share. */
export interface Base {
  options: Options
  version: string
  log: Logger
  /** Milliseconds since the epoch. */
  now: () => number
  /** Call when another server has taken the database: this one must end. */
  onFenced: () => void
}

/** The open WebSockets, and the reader of their frames. */
export interface Sockets {
  connections: Set<Connection>
  agentSockets: HttpAgentSockets
  frames: FrameReader
}

/** The parts of a running server; each constructor picks the parts that it needs. */
export interface Parts extends Base, Stores, Services, Sockets {
  limiter: Limiter
  health: Health
  metrics: Metrics
  incidents: Incidents
  rooms: ServerRooms
  sweeper: Sweeper
}
