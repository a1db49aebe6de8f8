import { type Context, Hono } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import { ClawError } from '../workspace/errors.ts'
import { addGuard, askedBy } from './access/guard.ts'
import { addAccessRoutes } from './access/routes.ts'
import type { Speaker } from './access/speaker.ts'
import type { AccessStore } from './access/store.ts'
import { addBlobRoutes } from './blob-routes.ts'
import type { BlobStore } from './blobs.ts'
import { addHistoryRoutes } from './history.ts'
import type { Metrics } from './metrics.ts'
import type { Manifest } from './ops/manifest.ts'
import { addOpsRoutes } from './ops/routes.ts'
import { requestError } from './ops/store-error.ts'
import { limitBodies } from './request.ts'
import type { Room } from './room.ts'
import type { TaskKeeper } from './tasks/keeper.ts'
import { addTaskRoutes } from './tasks/routes.ts'
import type { UpdateLog } from './update-log.ts'
import type { FileHistory } from './versions/history.ts'
import { addFileRoutes } from './versions/routes.ts'

export interface AppEnv {
  version: string
  now: () => number
  access: AccessStore
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
  /** Of a request's body (bytes). */
  maxBody: number
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
  onWrongCredential: (c: Context) => ClawError | null
  /** Somebody spoke in another's name, and was refused. */
  onForgery: (by: Speaker, where: string, what: string) => void
  log: {
    error: (details: object, message: string) => void
    info: (details: object, message: string) => void
  }
}

/** Nothing here is a page: no browser is to make one of it, keep it, or show it in another's. */
const HEADERS = secureHeaders({
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
})

/** Everything on the port that is plain HTTP. Errors have the CLI's shape and codes. */
export const createApp = (env: AppEnv): Hono => {
  const app = new Hono()

  app.use('*', HEADERS)
  limitBodies(app, env.maxBody)
  addGuard(app, env.access)

  app.get('/', async (c) => {
    const by = askedBy(c)
    const all = by?.kind === 'owner' ? await env.updateLog.workspaces() : []
    return c.json({
      service: 'clawlink-sync',
      version: env.version,
      status: (env.trouble() ?? env.damage()) === null ? 'ok' : 'unavailable',
      auth: 'required',
      sync_path: '/sync/<workspace>',
      ...(by !== null && {
        workspaces: by.kind === 'owner' ? all : [by.workspace],
        uptime_seconds: Math.floor((env.now() - env.startedAt) / 1000),
      }),
      server_time: new Date(env.now()).toISOString(),
    })
  })

  app.get('/health', (c) => {
    const trouble = env.trouble() ?? env.damage()
    return trouble === null
      ? c.json({ status: 'ok' })
      : c.json({ status: 'unavailable', ...(askedBy(c) !== null && { reason: trouble }) }, 503)
  })

  app.get('/metrics', async (c) => {
    const { registry } = env.metrics
    return c.text(await registry.metrics(), 200, { 'content-type': registry.contentType })
  })

  addAccessRoutes(app, env.access, env.now)
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
    let error = requestError(thrown, env.trouble())
    // Who tries is slowed down; who has shown nothing has tried nothing.
    const hasTried = c.req.header('authorization') !== undefined || c.req.path === '/api/join'
    if (error.code === 'unauthorized' && hasTried) error = env.onWrongCredential(c) ?? error
    if (error.code === 'bug') env.log.error({ err: thrown, path: c.req.path }, 'request failed')
    if (error.code === 'unauthorized' || error.code === 'revoked') {
      c.header('www-authenticate', 'Bearer')
    }
    if (error.code === 'forged') {
      const by = askedBy(c)
      if (by !== null) env.onForgery(by, c.req.path, error.message)
    }
    if (c.req.method === 'POST') env.metrics.commands.inc({ outcome: error.code })
    return c.json({ ok: false, error: error.toBody() }, error.http as 400)
  })

  return app
}
