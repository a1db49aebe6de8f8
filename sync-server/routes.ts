import type { HttpBindings } from '@hono/node-server'
import type { Context, Hono } from 'hono'
import { matchedRoutes } from 'hono/route'
import type { z } from 'zod'
import { admit, type Needs, shownBy } from './access/guard.ts'
import type { Shown } from './access/speaker.ts'
import type { AccessStore } from './access/store.ts'
import { readText } from './body.ts'
import { parse, parseJson, workspaceOf } from './request.ts'

/** A request that its route lets through, with what its schemas made of it. */
export interface Asked<Q = unknown, B = unknown> {
  c: Context
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

/**
 * Serves the routes. Every one is behind the guard, and so is what is none; who shows a credential is taken in by
 * `onAsked`, or refused. `maxBody`: bytes.
 */
export const addRoutes = (
  app: Hono,
  access: AccessStore,
  routes: readonly Route[],
  maxBody: number,
  onAsked: (by: Shown) => void,
  onDone: (route: Route) => void,
): void => {
  const byName = new Map(routes.map((one) => [`${one.method} ${one.path}`, one]))
  app.use('*', async (c, next) => {
    const found = matchedRoutes(c).find(({ method, path }) => byName.has(`${method} ${path}`))
    try {
      admit(c, access, found === undefined ? null : byName.get(`${found.method} ${found.path}`)!)
    } finally {
      // What one may not do is asked, too.
      const by = shownBy(c)
      if (by !== null) onAsked(by)
    }
    await next()
  })
  for (const one of routes) {
    const most = one.maxBytes ?? maxBody
    app.on([one.method], [one.path], async (c) => {
      const workspace = c.req.param('workspace') === undefined ? 'default' : workspaceOf(c)
      const query = one.query === undefined ? {} : parse(one.query, c.req.query())
      const body = one.body === undefined ? null : parse(one.body, await jsonOf(c, most))
      const data = await one.run({ c, workspace, query, body })
      onDone(one)
      if (data instanceof Response) return data
      return one.plain ? c.json(data) : c.json({ ok: true, data })
    })
  }
}

/** A request's body, which may have `most` bytes. Throws `too_large`, `bad_json`. */
const jsonOf = async (c: Context, most: number): Promise<unknown> =>
  parseJson(await readText((c.env as HttpBindings).incoming, most))
