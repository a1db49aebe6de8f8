import { z } from 'zod'
import { shownBy } from './access/guard.ts'
import type { AppEnv } from './app.ts'
import { type Route, route } from './routes.ts'

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
          status: (env.trouble() ?? env.damage()) === null ? 'ok' : 'unavailable',
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
      const trouble = env.trouble() ?? env.damage()
      return trouble === null
        ? c.json({ status: 'ok' })
        : c.json({ status: 'unavailable', ...(shownBy(c) !== null && { reason: trouble }) }, 503)
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
