import { z } from 'zod'
import { shownBy } from './access/guard.ts'
import type { Shown } from './access/speaker.ts'
import type { AppEnv } from './app.ts'
import { type Route, route } from './routes.ts'

/** How it is; why, to those who show a credential: names of workspaces that have failed to their members, and the owner. */
const stateOf = (
  env: AppEnv,
  by: Shown | null,
): { status: 'ok' | 'degraded' | 'unavailable'; reason?: string } => {
  const trouble = env.trouble() ?? env.damage()
  if (trouble !== null) return { status: 'unavailable', ...(by !== null && { reason: trouble }) }
  const failed = env.failed()
  if (failed.length === 0) return { status: 'ok' }
  const told = failed.filter((name) => by?.kind === 'owner' || by?.workspace === name)
  const reason = `failed, and not served for a while: workspace ${told.join(', ')}`
  return { status: 'degraded', ...(told.length > 0 && { reason }) }
}

const About = z.looseObject({
  ...{ service: z.string(), version: z.string(), status: z.string(), auth: z.string() },
  server_time: z.string(),
})

/** What the server is, and whether it is well. */
export const aboutRoutes = (env: AppEnv): Route[] => [
  ...['/', '/w/:workspace', '/w/:workspace/'].map((path) =>
    route({
      ...{ method: 'GET', path, needs: 'anyone', plain: true, answer: About },
      summary: 'What this is; to those who show a credential more',
      run: async ({ c }) => {
        const by = shownBy(c)
        const all = by?.kind === 'owner' ? await env.updateLog.workspaces() : []
        return {
          service: 'clawlink-sync',
          version: env.version,
          status: stateOf(env, by).status,
          auth: 'required',
          sync_path: '/sync/<workspace>',
          ...(by !== null && {
            workspaces: by.kind === 'owner' ? all : [by.workspace],
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
      const state = stateOf(env, shownBy(c))
      // Degraded is no reason to start it again, or to send its clients elsewhere: the other workspaces are served.
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
