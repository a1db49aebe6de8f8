import { Hono } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import * as z from 'zod'
import { ClawError, VERBS_HEADER } from '../protocol/errors.ts'
import { aboutRoutes } from './about.ts'
import { Ended } from './auth/stored/refusals.ts'
import { callerOf } from './http/caller.ts'
import { type HttpEnv, responseTo } from './http/context.ts'
import { addRoutes, type Route, route } from './http/route.ts'
import { openApiOf } from './openapi.ts'
import { accessRoutes } from './routes/access-routes.ts'
import { apiRoutes } from './routes/agent-routes.ts'
import { authorshipRoutes } from './routes/authorship-routes.ts'
import { blobRoutes } from './routes/blob-routes.ts'
import { checkpointRoutes } from './routes/checkpoint-routes.ts'
import type { AppEnv } from './routes/env.ts'
import { fileRoutes } from './routes/file-routes.ts'
import { opsRoutes } from './routes/ops-routes.ts'
import { pageRoutes } from './routes/page-routes.ts'
import { findRoutes } from './routes/reads/find-routes.ts'
import { historyRoutes } from './routes/reads/log-routes.ts'
import { recordRoutes } from './routes/reads/record-routes.ts'
import { suggestionRoutes } from './routes/suggestion-routes.ts'
import { taskRoutes } from './routes/task-routes.ts'
import { plainRoutes } from './routes/v1/v1-routes.ts'
import { versionRoutes } from './routes/version-routes.ts'
import { errorAnswer } from './serving/error-answer.ts'
import { requestError } from './storage/store-error.ts'

/** Browsers must not render, cache or embed answers; files of the web page have a policy of their own (http/pages.ts). */
const HEADERS = secureHeaders({
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  overwrite: false,
})

/** All routes of the server. */
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
  ...pageRoutes(env),
  ...accessRoutes(env.access, env.now, env.identity),
  ...apiRoutes(env),
  ...fileRoutes(env),
  ...suggestionRoutes(env),
  ...taskRoutes(env),
  ...historyRoutes(env),
  ...findRoutes(env),
  ...versionRoutes(env),
  ...authorshipRoutes(env),
  ...checkpointRoutes(env),
  ...recordRoutes(env),
  ...blobRoutes(env),
  ...opsRoutes(env),
]

/** The HTTP application. Errors have the CLI's shape and codes. */
export const createApp = (env: AppEnv): Hono<HttpEnv> => {
  const app = new Hono<HttpEnv>()

  app.use('*', async (c, next) => {
    await next()
    env.metrics.requests.inc({ status: c.res.status })
  })
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
    // Only a request that shows a credential counts as a failed sign-in.
    const hasTried =
      c.req.header('authorization') !== undefined ||
      c.req.query('token') !== undefined ||
      (c.req.method === 'POST' && ['/api/join', '/api/session'].includes(c.req.path))
    if (error instanceof Ended) env.onEndedCredential(c, error)
    else if (error.code === 'unauthorized' && hasTried) {
      error = env.onWrongCredential(c, error) ?? error
    }
    env.metrics.refusals.inc({ code: error.code })
    if (error.code === 'bug') env.log.error({ err: thrown, path: c.req.path }, 'request failed')
    if (error.code === 'unauthorized' || error.code === 'revoked') {
      c.header('www-authenticate', 'Bearer')
    }
    if (error.retryAfter !== undefined) c.header('retry-after', String(error.retryAfter))
    if (env.onRefused(c, error, callerOf(c))) c.header('connection', 'close')
    if (error.code === 'forged') {
      const by = callerOf(c)
      if (by !== null) env.onForgery(by, c.req.path, error.message)
    }
    if (c.req.method === 'POST') env.metrics.commands.inc({ outcome: error.code })
    const hasVerbs = c.req.header(VERBS_HEADER) !== undefined
    const { json, reason } = errorAnswer(c.req.path, hasVerbs, error)
    if (reason !== null) responseTo(c).statusMessage = reason
    return c.json(json, error.http as 400)
  })

  return app
}
