import { type Context, Hono } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import { z } from 'zod'
import { ClawError, VERBS_HEADER } from '../protocol/errors.ts'
import { aboutRoutes } from './about.ts'
import { shownBy } from './auth/authorize.ts'
import type { Identity } from './auth/identity.ts'
import { Ended } from './auth/refusals.ts'
import type { FileHistory } from './history/versions/history.ts'
import { httpWords } from './http/http-words.ts'
import type { Metrics } from './http/metrics.ts'
import { addRoutes, type Route, route, type Serving } from './http/route.ts'
import type { Guests } from './http-agents/guests.ts'
import { error1x, reasonOf } from './http-agents/v1-shapes.ts'
import { openApiOf } from './openapi.ts'
import type { Manifest } from './ops/manifest.ts'
import { accessRoutes } from './routes/access-routes.ts'
import { responseTo } from './routes/agent-request.ts'
import { apiRoutes } from './routes/agent-routes.ts'
import { blobRoutes } from './routes/blob-routes.ts'
import { fileRoutes } from './routes/file-routes.ts'
import { historyRoutes } from './routes/log-routes.ts'
import { opsRoutes } from './routes/ops-routes.ts'
import { taskRoutes } from './routes/task-routes.ts'
import { plainRoutes } from './routes/v1-routes.ts'
import { versionRoutes } from './routes/version-routes.ts'
import type { BlobStore } from './storage/blobs.ts'
import { requestError } from './storage/store-error.ts'
import type { UpdateLog } from './storage/update-log.ts'
import type { Room } from './sync/room.ts'
import type { Shown } from './sync/speaker.ts'
import type { TaskKeeper } from './tasks/scheduler.ts'
import type { TextWork } from './texts/work.ts'

export interface AppEnv extends Serving {
  version: string
  identity: Identity
  now: () => number
  startedAt: number
  metrics: Metrics
  /** Null while everything can be stored; what is wrong otherwise. */
  trouble: () => string | null
  /** What of single workspaces is damaged; null: nothing that was met. */
  damage: () => string | null
  /** Workspaces that have failed by themselves, and are not served for a while. */
  failed: () => readonly string[]
  updateLog: UpdateLog
  history: FileHistory
  blobs: BlobStore
  tasks: TaskKeeper
  guests: Guests
  texts: TextWork
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
  onWrongCredential: (c: Context, why: ClawError) => ClawError | null
  /** A request is answered with this error; returns whether to close its connection. */
  onRefused: (c: Context, error: ClawError, by: Shown | null) => boolean
  /** Somebody spoke in another's name, and was refused. */
  onForgery: (by: Shown, where: string, what: string) => void
  log: {
    error: (details: object, message: string) => void
    info: (details: object, message: string) => void
  }
}

/** Nothing here is a page: no browser is to make one of it, keep it, or show it in another's. */
const HEADERS = secureHeaders({
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
})

/** All that the server answers to. */
export const routesOf = (env: AppEnv): Route[] => {
  const routes = servedBy(env)
  let made: object | null = null
  const document: Route = route({
    ...{ method: 'GET', path: '/api/openapi.json', needs: 'anyone', plain: true },
    ...{ summary: 'This document', answer: z.looseObject({ openapi: z.string() }) },
    run: () => {
      made ??= openApiOf([...routes, document], env.version)
      return made
    },
  })
  return [...routes, document]
}

const servedBy = (env: AppEnv): Route[] => [
  ...aboutRoutes(env),
  ...plainRoutes(env),
  ...accessRoutes(env.access, env.now, env.identity),
  ...apiRoutes(env),
  ...fileRoutes(env),
  ...taskRoutes(env),
  ...historyRoutes(env),
  ...versionRoutes(env),
  ...blobRoutes(env),
  ...opsRoutes(env),
]

/** Everything on the port that is plain HTTP. Errors have the CLI's shape and codes. */
export const createApp = (env: AppEnv): Hono => {
  const app = new Hono()

  app.use('*', HEADERS)
  addRoutes(app, routesOf(env), env, ({ needs, method }) => {
    if (method === 'POST' && needs === 'write') env.metrics.commands.inc({ outcome: 'ok' })
  })

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
    const hasTried =
      c.req.header('authorization') !== undefined ||
      c.req.query('token') !== undefined ||
      c.req.path === '/api/join'
    if (error.code === 'unauthorized' && hasTried && !(error instanceof Ended)) {
      error = env.onWrongCredential(c, error) ?? error
    }
    if (error.code === 'bug') env.log.error({ err: thrown, path: c.req.path }, 'request failed')
    if (error.code === 'unauthorized' || error.code === 'revoked') {
      c.header('www-authenticate', 'Bearer')
    }
    if (error.retryAfter !== undefined) c.header('retry-after', String(error.retryAfter))
    if (env.onRefused(c, error, shownBy(c))) c.header('connection', 'close')
    if (error.code === 'forged') {
      const by = shownBy(c)
      if (by !== null) env.onForgery(by, c.req.path, error.message)
    }
    if (c.req.method === 'POST') env.metrics.commands.inc({ outcome: error.code })
    const body = error.toBody()
    const is1x = !c.req.path.startsWith('/api/')
    if (c.req.header(VERBS_HEADER) === undefined) {
      body.hint = httpWords(body.hint, is1x)
      if (is1x) {
        const answer = error1x(body)
        responseTo(c).statusMessage = reasonOf(answer.error)
        return c.json(answer, error.http as 400)
      }
    }
    return c.json({ ok: false, error: body }, error.http as 400)
  })

  return app
}
