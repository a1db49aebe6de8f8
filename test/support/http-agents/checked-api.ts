import { expect } from 'vitest'
import { routesOf } from '../../../sync-server/app.ts'
import type { Route } from '../../../sync-server/http/route.ts'
import type { AppEnv } from '../../../sync-server/routes/env.ts'
import type { Member } from '../auth/members.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests say what they expect of each field
export type Data = { [field: string]: any }

/** Asks the API of a server as agents; what comes must be as the OpenAPI document says. */
export const checkedApi = (url: () => string) => {
  const routes = routesOf({ updateLog: {}, version: '0' } as unknown as AppEnv)
  /** The routes that answered. */
  const used = new Set<Route>()
  /** The route that a path is of, as hono finds it: by the table's order. */
  const routeOf = (method: string, path: string): Route =>
    routes.find((one) => {
      const pattern = one.path.replace(/:\w+\{\.\+\}/g, '.+').replace(/:\w+/g, '[^/]+')
      return one.method === method && new RegExp(`^${pattern}$`).test(path)
    })!
  const call = async (
    who: Member | null,
    method: 'GET' | 'POST' | 'PUT',
    rest: string,
    body?: object,
    more: Record<string, string> = {},
  ): Promise<Data> => {
    const path = rest.startsWith('/') ? rest : `/api/workspaces/default/${rest}`
    const answer = await fetch(url() + path, {
      method,
      headers: { ...who?.headers, ...more },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const { data, error } = (await answer.json()) as Data
    if (error !== undefined) return { http: answer.status, ...error }
    const route = routeOf(method, path.split('?')[0]!)
    used.add(route)
    expect(route.answer!.safeParse(data), `${method} ${rest}`).toMatchObject({ success: true })
    return data
  }
  const get = (who: Member, rest: string) => call(who, 'GET', rest)
  const post = (who: Member, rest: string, body: object = {}, more = {}) =>
    call(who, 'POST', rest, body, more)
  return { call, get, post, routes, used }
}
