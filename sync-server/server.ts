import type { Logger } from 'pino'
import { createApp } from './app.ts'
import type { Options } from './config/options.ts'
import { createSweep } from './history/sweep.ts'
import { createMetrics } from './http/metrics.ts'
import { HttpAgentSockets } from './http-agents/socket.ts'
import { FrameReader } from './limits/frame-reader.ts'
import { Limiter } from './limits/limiter.ts'
import { ScheduledBackups } from './ops/host/scheduled-backups.ts'
import { figuresOf } from './ops/host/server-status.ts'
import type { AppEnv } from './routes/env.ts'
import { openToClients } from './serving/announce.ts'
import { appEnvOf } from './serving/app-env.ts'
import { Health } from './serving/health.ts'
import { createHttp, type ServerHttp } from './serving/http-server.ts'
import { Incidents } from './serving/incidents.ts'
import type { Base, Parts } from './serving/parts.ts'
import { followLosses, followRevocations } from './serving/revocation.ts'
import { createRooms } from './serving/rooms.ts'
import { type ClusterParts, createRouter } from './serving/routing.ts'
import { createServices } from './serving/services.ts'
import { handOver, shutDown } from './serving/shutdown.ts'
import { openStores } from './serving/stores.ts'
import { startTimers } from './serving/timers.ts'
import { serveUpgrades } from './serving/upgrades.ts'
import type { Connection } from './sync/connection.ts'

export interface SyncServer {
  port: number
  /**
   * Stops accepting, flushes, answers barriers, closes every connection and the store, within 10 s
   * even if a step hangs. Rejects with Unstopped if received data could not be stored.
   */
  close: () => Promise<void>
  /** Resolves when another server has taken the database: this one serves nobody any more, and its process must end. */
  fenced: Promise<void>
}

/** Starts a server. `cluster`: what it knows of the other nodes, if it is a node. Throws `data_locked`, `data_unusable`, `data_damaged`, `data_newer`, `port_taken`, `usage`. */
export const startSyncServer = async (
  options: Options,
  version: string,
  log: Logger,
  given: ClusterParts | null = null,
): Promise<SyncServer> => {
  let onFenced = (): void => {}
  const fenced = new Promise<void>((resolve) => {
    onFenced = resolve
  })
  const parts = await createParts({ options, version, log, now: Date.now, onFenced })
  followRevocations(parts)
  const env = appEnvOf(parts, () => http.requests)
  const cluster = given ?? parts.cluster
  const router = cluster === null ? null : createRouter(cluster, parts)
  if (parts.cluster !== null) followLosses(parts.cluster, parts)
  const http: ServerHttp = createHttp(createApp(env).fetch, parts, router)
  serveUpgrades(http.server, parts, env, router)
  const announced = await openToClients(http.server, parts)
  const stopTimers = startTimers(parts)
  const backups = scheduleBackups(parts, env)
  void fenced.then(() => announced.uninvite())
  return {
    ...{ port: announced.port, fenced },
    close: async () => {
      stopTimers()
      backups?.close()
      await handOver(parts)
      router?.close()
      await shutDown(parts, http, announced)
    },
  }
}

/** Starts the backups that the options ask for; null: they ask for none. */
const scheduleBackups = ({ options, now, log, health }: Parts, env: AppEnv) => {
  if (options.backups === null) return null
  const backups = new ScheduledBackups(options.backups, {
    now,
    backup: async (dir) => {
      if (health.failure !== null) throw new Error(health.failure)
      return env.ops.backup(dir)
    },
    onDone: (dir, removed) => log.info({ dir, removed }, 'backed up by schedule'),
    onError: (err) => log.error({ err }, 'the scheduled backup failed'),
  })
  backups.start()
  return backups
}

const createParts = async (base: Base): Promise<Parts> => {
  const { options, log, now } = base
  const stores = await openStores(base)
  const limiter = new Limiter(options.limits, options.isProxy, now)
  const health = new Health()
  const connections = new Set<Connection>()
  const isWell = () => health.failure === null && health.damage === null
  const metrics = createMetrics(() => figuresOf({ ...made, rooms, connections }, isWell()))
  const incidents = new Incidents({ log, now, metrics, limiter, access: stores.access })
  const services = createServices(base, stores.updateLog, limiter)
  const made = { ...base, ...stores, ...services, limiter, health, metrics, incidents }
  const rooms = createRooms(made)
  const onError = (err: unknown, workspace: string): void => {
    if (health.failure === null) log.warn({ err, workspace }, 'old data was not cleared')
  }
  // The data of a removed workspace stay as they are.
  const owns = (name: string): boolean =>
    stores.cluster?.holdings.owns(name) ?? stores.access.workspaces.has(name)
  const sweeper = createSweep(rooms.rooms, made, now, onError, owns)
  const frames = new FrameReader(incidents.closed)
  return { ...made, connections, agentSockets: new HttpAgentSockets(), frames, rooms, sweeper }
}
