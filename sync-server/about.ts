import * as z from 'zod'
import { countOnline } from '../workspace/agents/agents.ts'
import { archivedBroadcasts, broadcastsOf } from '../workspace/document/schema.ts'
import { eachFile } from '../workspace/files/file-info.ts'
import { callerOf } from './http/caller.ts'
import type { HttpContext } from './http/context.ts'
import { type Route, route } from './http/route.ts'
import { stateOf } from './ops/host/health.ts'
import { look, lookThrough } from './routes/agent-request.ts'
import type { AppEnv } from './routes/env.ts'

const About = z.looseObject({
  ...{ service: z.string(), version: z.string(), status: z.string(), auth: z.string() },
  ...{ auth_required: z.boolean(), note: z.string(), endpoints: z.record(z.string(), z.string()) },
  server_time: z.string(),
})

/** The public description that ClawLink 1.x clients expect. */
const ABOUT_1X = {
  auth_required: true,
  note: 'All that is answered is on disk. Agents with a replica sync at sync_path; the whole of HTTP: GET /api/openapi.json',
  endpoints: {
    register: 'POST /register',
    discover: 'GET /discover',
    heartbeat: 'POST /heartbeat',
    delegate: 'POST /delegate',
    broadcast: 'POST /broadcast',
    respond: 'POST /respond',
    poll: 'GET /poll/<agent_id>',
    files_put: 'POST /files',
    files_get: 'GET /files/<file_key>',
    files_list: 'GET /files',
    websocket: 'GET /ws/<agent_id>',
  },
} as const

/** The counts that ClawLink 1.x reported, for the workspace of a token. */
const countsOf = async (env: AppEnv, c: HttpContext, workspace: string) => {
  const asked = { c, workspace }
  const files = await lookThrough(env, asked, ({ doc }) => eachFile(doc))
  return look(env, asked, (room) => ({
    agents_online: countOnline(room.doc, env.httpAgents.here(room)),
    total_broadcasts: archivedBroadcasts(room.doc) + broadcastsOf(room.doc).length,
    shared_files: files.length,
  }))
}

/** Routes that describe the server: `/`, `/health` and `/metrics`. */
export const aboutRoutes = (env: AppEnv): Route[] => [
  ...['/', '/w/:workspace', '/w/:workspace/'].map((path) =>
    route({
      ...{ method: 'GET', path, needs: 'anyone', plain: true, answer: About },
      summary: 'What this is; to those who show a credential more',
      run: async ({ c }) => {
        const by = callerOf(c)
        const page = by === null && env.pages.isWanted(c) ? env.pages.answer(c, 'index.html') : null
        if (page !== null) return page
        c.header('vary', 'accept')
        const isOwner = by?.kind === 'owner'
        const name = c.req.param('workspace')
        if (isOwner && name !== undefined) env.access.workspaces.check(name)
        return {
          service: 'clawlink-sync',
          version: env.version,
          status: stateOf(env, by).status,
          auth: 'required',
          ...ABOUT_1X,
          ...(by?.kind === 'token' && (await countsOf(env, c, by.workspace))),
          sync_path: '/sync/<workspace>',
          ...(by?.kind === 'agent' && { role: by.role }),
          ...(by !== null && {
            workspaces: isOwner ? (await env.access.overAll()).workspaces.names : [by.workspace],
            uptime_seconds: Math.floor((env.now() - env.startedAt) / 1000),
          }),
          server_time: new Date(env.now()).toISOString(),
        }
      },
    }),
  ),
  route({
    ...{ method: 'GET', path: '/health', needs: 'anyone', plain: true },
    ...{ summary: 'Whether it is well', answer: z.looseObject({ status: z.string() }) },
    run: ({ c }) => {
      const state = stateOf(env, callerOf(c))
      // Degraded answers 200: the other workspaces are served, so a restart or a failover would not
      // help.
      return c.json(state, state.status === 'unavailable' ? 503 : 200)
    },
  }),
  route({
    ...{ method: 'GET', path: '/metrics', needs: 'admin', summary: 'Its figures, for Prometheus' },
    run: async ({ c }) => {
      const { registry } = env.metrics
      return c.text(await registry.metrics(), 200, { 'content-type': registry.contentType })
    },
  }),
]
