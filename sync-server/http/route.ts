import type { IncomingMessage } from 'node:http'
import type { Hono } from 'hono'
import { matchedRoutes } from 'hono/route'
import type { z } from 'zod'
import type { Needs } from '../auth/authorize.ts'
import type { AccessStore } from '../auth/store.ts'
import { STREAM_BYTES } from '../config/quotas.ts'
import { readText } from '../limits/body.ts'
import { timed } from '../limits/timed.ts'
import type { Hold } from '../sync/held.ts'
import type { Caller } from '../sync/principal.ts'
import { toJson } from './answer.ts'
import { authorizeRequest, callerOf } from './caller.ts'
import { type HttpContext, type HttpEnv, requestOf, responseTo } from './context.ts'
import { parse, parseJson, workspaceOf } from './request.ts'

/** A request that its route lets through, with what its schemas made of it. */
export interface Asked<Q = unknown, B = unknown> {
  c: HttpContext
  /** The one in the path; else `default`. */
  workspace: string
  query: Q
  body: B
}

/** What a request can be, and who may make it: what hono serves, the guard asks for and the OpenAPI document says. */
export interface Route<Q extends z.ZodType = z.ZodType, B extends z.ZodType = z.ZodType> {
  method: 'GET' | 'POST' | 'PUT'
  /** As hono has it. */
  path: string
  needs: Needs
  /** ClawLink 1.x's: for tokens, too, also in the URL, and its answers are the data alone. */
  plain?: true
  summary: string
  query?: Q
  /** Absent: it has none, or one that is no JSON. */
  body?: B
  /** Bytes that the body may have; absent: as the limit `body` says. */
  maxBytes?: number
  /** The data; absent: no JSON. */
  answer?: z.ZodType
  /** Where it is not 200 with `answer`: what each status says. */
  statuses?: Readonly<Record<number, string>>
  /** What is answered is bytes, which a HEAD asks about, too. */
  bytes?: true
  /** Resolves to the data, or to a whole response. */
  run: (asked: Asked<z.infer<Q>, z.infer<B>>) => Promise<object> | object
}

/** A route, its types found from its schemas. */
export const route = <Q extends z.ZodType, B extends z.ZodType>(one: Route<Q, B>): Route =>
  one as unknown as Route

/** What serving takes. */
export interface Serving {
  access: AccessStore
  /** Of a request's body (bytes). */
  maxBody: number
  /** Somebody who showed a credential asks something. Throws `too_many`. */
  onAsked: (by: Caller, hold: Hold) => void
  /** Resolves when what somebody asks may be worked on. Throws `too_many`. */
  mayWork: (by: Caller) => Promise<void>
  /** So long was worked for somebody's requests (milliseconds). */
  onWork: (by: Caller, ms: number) => void
  /** What is held for a request. */
  holdOf: (request: IncomingMessage) => Hold
  /** A peer that takes nothing of its answer for so long is cut off (milliseconds). */
  slowReaderMs: number
}

/** Bytes of a body on a route that is open to everybody: who has shown nothing is given no memory. */
export const MAX_OPEN_BODY_BYTES = 4 * 1024

/**
 * Serves the routes. Every one is behind the guard, and so is what is none; who shows a credential is taken in by
 * `onAsked`, or refused.
 */
export const addRoutes = (
  app: Hono<HttpEnv>,
  routes: readonly Route[],
  { access, maxBody, onAsked, mayWork, onWork, holdOf, slowReaderMs }: Serving,
  onDone: (route: Route) => void,
): void => {
  const byName = new Map(routes.map((one) => [`${one.method} ${one.path}`, one]))
  app.use('*', async (c, next) => {
    const found = matchedRoutes(c).find(({ method, path }) => byName.has(`${method} ${path}`))
    try {
      const route = found === undefined ? null : byName.get(`${found.method} ${found.path}`)!
      authorizeRequest(c, access, route)
    } finally {
      // A rejected request counts, too.
      const by = callerOf(c)
      if (by !== null) onAsked(by, holdOf(requestOf(c)))
    }
    const by = callerOf(c)
    if (by !== null) await mayWork(by)
    await next()
  })
  for (const one of routes) {
    const most = one.needs === 'anyone' ? MAX_OPEN_BODY_BYTES : (one.maxBytes ?? maxBody)
    app.on([one.method], [one.path], async (c) => {
      const workspace = c.req.param('workspace') === undefined ? 'default' : workspaceOf(c)
      const query = one.query === undefined ? {} : parse(one.query, c.req.query())
      const incoming = requestOf(c)
      const hold = holdOf(incoming)
      const by = callerOf(c)
      const spent = (ms: number): void => {
        if (by !== null) onWork(by, ms)
      }
      let body = null
      if (one.body !== undefined) {
        const text = await readText(incoming, most, hold)
        body = timed(spent, () => parse(one.body!, parseJson(text)))()
      }
      const data = await one.run({ c, workspace, query, body })
      onDone(one)
      // It may be answered in a while: from then on it is to be taken.
      responseTo(c).setTimeout(slowReaderMs, () => incoming.socket.destroy())
      if (data instanceof Response) {
        if (data.body !== null) hold.add(STREAM_BYTES)
        return data
      }
      const json = await toJson(data, spent)
      hold.add(json.length)
      return c.body(one.plain ? json : `{"ok":true,"data":${json}}`, 200, JSON_TYPE)
    })
  }
}

const JSON_TYPE = { 'content-type': 'application/json' }
