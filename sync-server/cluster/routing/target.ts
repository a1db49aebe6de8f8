import type { IncomingHttpHeaders } from 'node:http'
import { PAGE_HEADER } from '../../../protocol/page.ts'
import { isSecret } from '../../../protocol/roles.ts'
import { isWorkspaceName } from '../../../workspace/document/schema.ts'
import { bearerIn, passwordIn } from '../../auth/presented.ts'
import { hashOf } from '../../auth/stored/secrets.ts'

/** The parts of a request that its target depends on. */
export interface Asked {
  method: string
  url: string
  headers: IncomingHttpHeaders
}

/**
 * The node that answers a request.
 *   `node`       any node answers it
 *   `workspace`  the owner of this workspace
 *   `secret`     the owner of the secret's workspace; `hash`: its SHA-256 in hex, or the first 16 digits of that;
 *                `otherwise`: the workspace if nobody has the secret, null: any node answers
 *   `body`       as the JSON in its body says (`targetOfBody`)
 */
export type Target =
  | { by: 'node' }
  | { by: 'workspace'; name: string }
  | { by: 'secret'; hash: string; otherwise: string | null }
  | { by: 'body' }

const NODE: Target = { by: 'node' }
/** The workspace of routes that name none. */
const DEFAULT = 'default'
/** Routes that are about the node itself. */
const OWN = new Set(['/metrics', '/api/openapi.json', '/api/admin/backup', '/api/admin/drain'])
/** These say more to a caller with a credential, which only the owner of its workspace can check. */
const OPEN = new Set(['/', '/health'])
/** Files of the web page; every node has them. */
const PAGE = /^\/app\/|^\/sw\.js$/
/** Trade the invite in their body for a credential. */
const JOINS = new Set(['/api/join', '/api/session'])
const SOCKET = /^\/sync\/([^/]+)$|^(?:\/w\/([^/]+))?\/ws\/([^/]+)$/
const NAMED = /^\/(?:api\/workspaces|w)\/([^/]+)(?:\/|$)/

/** The target of a WebSocket's upgrade request. */
export const targetOfUpgrade = ({ url }: Asked): Target => {
  const [, synced, plain, httpAgent] = SOCKET.exec(pathOf(url)) ?? []
  if (synced === undefined && httpAgent === undefined) return NODE
  return named(synced ?? plain ?? DEFAULT)
}

/** The target of an HTTP request. It decides who answers, never who may ask. */
export const targetOfRequest = (asked: Asked): Target => {
  const path = pathOf(asked.url)
  if (OWN.has(path)) return NODE
  if (PAGE.test(path)) return NODE
  if (JOINS.has(path) && asked.method === 'POST') return { by: 'body' }
  if (path === '/api/prove') return ofProof(asked.url)
  const workspace = NAMED.exec(path)?.[1]
  if (workspace !== undefined) return named(decoded(workspace))
  if (path.startsWith('/api/admin/')) return ofAdmin(asked)
  const hash = hashIn(asked)
  if (OPEN.has(path)) return hash === null ? NODE : { by: 'secret', hash, otherwise: null }
  if (path.startsWith('/api/'))
    return hash === null ? ofPage(asked) : { by: 'secret', hash, otherwise: null }
  // ClawLink 1.x: a token opens its own workspace only, and that one's owner says so.
  return hash === null ? named(DEFAULT) : { by: 'secret', hash, otherwise: DEFAULT }
}

/**
 * The target by the JSON body of a join, or of an action of an admin. A credential or an invite is of one workspace, whose
 * owner knows it, whatever the body says. Anything else is wrong, and any node says so.
 */
export const targetOfBody = (asked: Asked, body: unknown): Target => {
  const { invite, workspace } = isObject(body) ? body : {}
  const path = pathOf(asked.url)
  const isJoin = JOINS.has(path)
  const hash = isJoin ? (typeof invite === 'string' ? hashOf(invite) : null) : hashIn(asked)
  if (hash === null) return isJoin ? NODE : ofPage(asked)
  const said = typeof workspace === 'string' && isWorkspaceName(workspace) ? workspace : null
  const hasDefault = isJoin || path === '/api/admin/invite'
  return { by: 'secret', hash, otherwise: said ?? (hasDefault ? DEFAULT : null) }
}

const ofAdmin = (asked: Asked): Target => {
  if (asked.method === 'POST') return { by: 'body' }
  const hash = hashIn(asked)
  const said = inQuery(asked.url, 'workspace')
  const otherwise = said !== null && isWorkspaceName(said) ? said : null
  return hash === null ? ofPage(asked) : { by: 'secret', hash, otherwise }
}

/** The web page has its credential in a cookie, and names the workspace. */
const ofPage = ({ headers }: Asked): Target => named(String(headers[PAGE_HEADER] ?? ''))

const ofProof = (url: string): Target => {
  const id = inQuery(url, 'id')
  if (id === null || !/^[0-9a-f]{16}$/.test(id)) return NODE
  return { by: 'secret', hash: id, otherwise: null }
}

const named = (name: string): Target => (isWorkspaceName(name) ? { by: 'workspace', name } : NODE)

/** The hash of the secret that a request shows; null: none. */
const hashIn = ({ url, headers }: Asked): string | null => {
  const shown = bearerIn(headers.authorization) ?? passwordIn(headers.authorization)
  const inUrl = inQuery(url, 'token')
  const secret = shown ?? (inUrl !== null && isSecret('http', inUrl) ? inUrl : null)
  return secret === null ? null : hashOf(secret)
}

/** Also of a request to a proxy, whose URL is absolute. */
const pathOf = (url: string): string => {
  const [path = ''] = url.split(/[?#]/, 1)
  return /^https?:\/\/[^/]*(\/.*)?$/i.exec(path)?.[1] ?? path
}

const inQuery = (url: string, name: string): string | null =>
  new URLSearchParams(url.split('?').slice(1).join('?')).get(name)

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
