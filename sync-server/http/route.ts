import type { IncomingMessage } from 'node:http'
import type { Hono } from 'hono'
import { matchedRoutes } from 'hono/route'
import type * as z from 'zod'
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

/** An authorized request, with its query and body parsed. */
export interface Asked<Q = unknown, B = unknown> {
  c: HttpContext
  /** The workspace in the path, else `default`. */
  workspace: string
  query: Q
  body: B
}

/** One HTTP route. Hono, authorization and the OpenAPI document are made from it. */
export interface Route<Q extends z.ZodType = z.ZodType, B extends z.ZodType = z.ZodType> {
  method: 'GET' | 'POST' | 'PUT'
  /** In Hono's syntax. */
  path: string
  needs: Needs
  /** Part of ClawLink 1.x's protocol: accepts HTTP tokens, also in the URL; answers without an envelope. */
  plain?: true
  summary: string
  query?: Q
  /** Absent: no body, or one that is not JSON. */
  body?: B
  /** Limit of the body in bytes; absent: the limit `body`. */
  maxBytes?: number
  /** The data; absent: no JSON. */
  answer?: z.ZodType
  /** Meanings of statuses other than 200 with `answer`. */
  statuses?: Readonly<Record<number, string>>
  /** Answers bytes, also to HEAD. */
  bytes?: true
  /** Resolves to the data, or to a complete response. */
  run: (asked: Asked<z.infer<Q>, z.infer<B>>) => Promise<object> | object
}

/** Infers a route's types from its schemas. */
export const route = <Q extends z.ZodType, B extends z.ZodType>(one: Route<Q, B>): Route =>
  one as unknown as Route

/** The parts of the server that serving routes needs. */
export interface Serving {
  access: AccessStore
  /** Limit of a request's body (bytes). */
  maxBody: number
  /** Called for each authenticated request, also a rejected one. Throws `too_many`. */
  onAsked: (by: Caller, hold: Hold) => void
  /** Resolves when the caller's request may be processed. Throws `too_many`. */
  mayWork: (by: Caller) => Promise<void>
  /** Reports milliseconds of work on the caller's requests. */
  onWork: (by: Caller, ms: number) => void
  /** Memory held for a request. */
  holdOf: (request: IncomingMessage) => Hold
  /** A peer that reads nothing of its answer for this long is disconnected (milliseconds). */
  slowReaderMs: number
}

/** Limit of a body on an open route (bytes): strangers get no memory. */
export const MAX_OPEN_BODY_BYTES = 4 * 1024

/** Serves the routes. Every request is authorized first, also one without a route. `onAsked` may reject a caller. */
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
      // The answer may come late; the client must read it from then on.
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
