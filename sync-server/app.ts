import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { z } from 'zod'
import { ClawError } from '../workspace/errors.ts'
import type { AgentId } from '../workspace/ids.ts'
import { MAX_KEY_BYTES, MAX_NAME_BYTES } from '../workspace/limits.ts'
import { moveTask, parseState } from '../workspace/tasks.ts'
import { addBlobRoutes } from './blob-routes.ts'
import type { BlobStore } from './blobs.ts'
import { addHistoryRoutes } from './history.ts'
import { MAX_BODY_BYTES } from './limits.ts'
import type { Metrics } from './metrics.ts'
import { parse, parseJson, ready, workspaceOf } from './request.ts'
import type { Room } from './room.ts'
import type { UpdateLog } from './update-log.ts'
import type { FileHistory } from './versions/history.ts'
import { addFileRoutes } from './versions/routes.ts'

export interface AppEnv {
  version: string
  now: () => number
  startedAt: number
  metrics: Metrics
  /** Null while all is well; what is wrong otherwise. */
  trouble: () => string | null
  updateLog: UpdateLog
  history: FileHistory
  blobs: BlobStore
  room: (workspace: string) => Room
  log: {
    error: (details: object, message: string) => void
    info: (details: object, message: string) => void
  }
}

const StatusCommand = z.strictObject({
  by: z.string().min(1).max(MAX_NAME_BYTES),
  to: z.string().max(MAX_NAME_BYTES).optional(),
  state: z.string().max(MAX_NAME_BYTES),
  message: z.string().default(''),
  key: z.string().min(1).max(MAX_KEY_BYTES),
})

/** Everything on the port that is plain HTTP. Errors have the CLI's shape and codes. */
export const createApp = (env: AppEnv): Hono => {
  const app = new Hono()

  app.get('/', async (c) =>
    c.json({
      service: 'clawlink-sync',
      version: env.version,
      status: env.trouble() === null ? 'ok' : 'unavailable',
      sync_path: '/sync/<workspace>',
      workspaces: await env.updateLog.workspaces(),
      uptime_seconds: Math.floor((env.now() - env.startedAt) / 1000),
      server_time: new Date(env.now()).toISOString(),
    }),
  )

  app.get('/health', (c) => {
    const trouble = env.trouble()
    return trouble === null
      ? c.json({ status: 'ok' })
      : c.json({ status: 'unavailable', reason: trouble }, 503)
  })

  app.get('/metrics', async (c) => {
    const { registry } = env.metrics
    return c.text(await registry.metrics(), 200, { 'content-type': registry.contentType })
  })

  app.post(
    '/api/workspaces/:workspace/tasks/:task/status',
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: async (c) => {
        await discard(c.req.raw.body)
        throw new ClawError(
          'too_large',
          `the request body is over ${MAX_BODY_BYTES} bytes`,
          'put a long result into a shared file and name the file',
        )
      },
    }),
    async (c) => {
      const room = env.room(workspaceOf(c))
      const { by, to, state, message, key } = parse(StatusCommand, parseJson(await c.req.text()))
      const command = { task: c.req.param('task'), by: by as AgentId, to, message, key }
      const move = { ...command, state: parseState(state), now: env.now() }
      await ready(room)
      const task = await room.command((doc) => moveTask(doc, move))
      env.metrics.commands.inc({ outcome: 'ok' })
      return c.json({ ok: true, data: { task } })
    },
  )

  addHistoryRoutes(app, env)
  addFileRoutes(app, env)
  addBlobRoutes(app, env)

  app.notFound((c) => {
    throw new ClawError(
      'unknown_route',
      `${c.req.method} ${c.req.path.slice(0, 200)} is not part of this server`,
      'GET / says what is here; documents sync over WebSocket at /sync/<workspace>',
    )
  })

  app.onError((thrown, c) => {
    const error = ClawError.from(thrown)
    if (error.code === 'bug') env.log.error({ err: thrown, path: c.req.path }, 'request failed')
    if (c.req.path.endsWith('/status')) env.metrics.commands.inc({ outcome: error.code })
    return c.json({ ok: false, error: error.toBody() }, error.http as 400)
  })

  return app
}

/** Reads a refused body to its end, within reason: a client that is still sending cannot read the refusal. */
const discard = async (body: ReadableStream<Uint8Array> | null): Promise<void> => {
  let left = 64 * MAX_BODY_BYTES
  for await (const chunk of body ?? []) {
    left -= chunk.length
    if (left < 0) return
  }
}
