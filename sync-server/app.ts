import { Hono } from 'hono'
import { ClawError } from '../workspace/errors.ts'
import { addBlobRoutes } from './blob-routes.ts'
import type { BlobStore } from './blobs.ts'
import { addHistoryRoutes } from './history.ts'
import type { Metrics } from './metrics.ts'
import type { Manifest } from './ops/manifest.ts'
import type { Owner } from './ops/owner.ts'
import { addOpsRoutes } from './ops/routes.ts'
import { requestError } from './ops/store-error.ts'
import type { Room } from './room.ts'
import type { TaskKeeper } from './tasks/keeper.ts'
import { addTaskRoutes } from './tasks/routes.ts'
import type { UpdateLog } from './update-log.ts'
import type { FileHistory } from './versions/history.ts'
import { addFileRoutes } from './versions/routes.ts'

export interface AppEnv {
  version: string
  now: () => number
  startedAt: number
  metrics: Metrics
  /** Null while everything can be stored; what is wrong otherwise. */
  trouble: () => string | null
  /** What of single workspaces is damaged; null: nothing that was met. */
  damage: () => string | null
  updateLog: UpdateLog
  history: FileHistory
  blobs: BlobStore
  tasks: TaskKeeper
  /** What a claimed task's lease is, in milliseconds. */
  leaseMs: number
  /** Throws `storage_failed` while nothing can be stored. */
  room: (workspace: string) => Room
  /** A room to look at what is stored, also then. */
  reader: (workspace: string) => Room
  ops: {
    /** Whose the server is; null until it listens. */
    owner: () => Owner | null
    /** Writes a backup into a folder of this machine. */
    backup: (dir: string) => Promise<Manifest>
  }
  log: {
    error: (details: object, message: string) => void
    info: (details: object, message: string) => void
  }
}

/** Everything on the port that is plain HTTP. Errors have the CLI's shape and codes. */
export const createApp = (env: AppEnv): Hono => {
  const app = new Hono()

  app.get('/', async (c) =>
    c.json({
      service: 'clawlink-sync',
      version: env.version,
      status: (env.trouble() ?? env.damage()) === null ? 'ok' : 'unavailable',
      sync_path: '/sync/<workspace>',
      workspaces: await env.updateLog.workspaces(),
      uptime_seconds: Math.floor((env.now() - env.startedAt) / 1000),
      server_time: new Date(env.now()).toISOString(),
    }),
  )

  app.get('/health', (c) => {
    const trouble = env.trouble() ?? env.damage()
    return trouble === null
      ? c.json({ status: 'ok' })
      : c.json({ status: 'unavailable', reason: trouble }, 503)
  })

  app.get('/metrics', async (c) => {
    const { registry } = env.metrics
    return c.text(await registry.metrics(), 200, { 'content-type': registry.contentType })
  })

  addTaskRoutes(app, env)
  addHistoryRoutes(app, env)
  addFileRoutes(app, env)
  addBlobRoutes(app, env)
  addOpsRoutes(app, env)

  app.notFound((c) => {
    throw new ClawError(
      'unknown_route',
      `${c.req.method} ${c.req.path.slice(0, 200)} is not part of this server`,
      'GET / says what is here; documents sync over WebSocket at /sync/<workspace>',
    )
  })

  app.onError((thrown, c) => {
    const error = requestError(thrown, env.trouble())
    if (error.code === 'bug') env.log.error({ err: thrown, path: c.req.path }, 'request failed')
    if (c.req.method === 'POST') env.metrics.commands.inc({ outcome: error.code })
    return c.json({ ok: false, error: error.toBody() }, error.http as 400)
  })

  return app
}
