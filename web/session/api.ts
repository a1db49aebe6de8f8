import { ClawError, type ErrorBody } from '../../protocol/errors.ts'
import { PAGE_HEADER } from '../../protocol/page.ts'
import type { Role } from '../../protocol/roles.ts'

/** The credential of this browser in a workspace. */
export interface Session {
  workspace: string
  agent_id: string
  role: Role
}

/** An address below the page's own: it also works behind a path prefix. */
export const addressOf = (path: string): string =>
  new URL(path, document.baseURI.replace(/[?#].*$/, '')).href

/** Asks the server with the browser's cookie. Throws the server's error; `unreachable` without an answer. */
export const call = async <T>(
  workspace: string,
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  body?: object,
): Promise<T> => {
  const headers: Record<string, string> = { [PAGE_HEADER]: workspace, accept: 'application/json' }
  if (body !== undefined) headers['content-type'] = 'application/json'
  let answer: Response
  try {
    answer = await fetch(addressOf(path), {
      ...{ method, headers, cache: 'no-store', redirect: 'error' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  } catch {
    throw new ClawError('unreachable', 'the server does not answer', 'the page tries again')
  }
  const json = (await answer.json().catch(() => null)) as {
    ok?: boolean
    data?: T
    error?: ErrorBody
  } | null
  if (json?.ok === true && json.data !== undefined) return json.data
  if (json?.error !== undefined) throw ClawError.fromBody(json.error)
  throw new ClawError('unreachable', `the server answered ${answer.status}`, 'reload the page')
}

/** A route of a workspace. */
export const inWorkspace = (workspace: string, rest: string): string =>
  `api/workspaces/${encodeURIComponent(workspace)}/${rest}`
