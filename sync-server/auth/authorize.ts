import type { Context } from 'hono'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { includes, isSecret, type Role } from '../../protocol/roles.ts'
import { isWorkspaceName } from '../../workspace/document/schema.ts'
import { agentOf, type Caller, type Principal } from '../sync/principal.ts'
import { forged, unknownCredential } from './refusals.ts'
import type { AccessStore } from './store.ts'

/** Whom a route is for; `anyone` tells more to those who show a credential. */
export type Needs = 'anyone' | Role | 'owner'

/** What the guard has to know of a route. */
interface Guarded {
  path: string
  needs: Needs
  plain?: true
}

/** The secret in a request's `Authorization: Bearer`; null: there is none. */
export const bearerIn = (header: string | undefined): string | null =>
  /^Bearer +(\S{1,200})$/i.exec(header ?? '')?.[1] ?? null

/**
 * The token in a request's `Authorization: Basic`, as its password: all that ClawLink 1.0's clients can send. Browsers show such
 * a password by themselves, for pages of other sites, too: from them it is not taken. Null: there is none. Throws
 * `unauthorized` for any other secret, `not_allowed`.
 */
export const basicIn = (headers: {
  authorization?: string | undefined
  origin?: string | undefined
  'sec-fetch-site'?: string | string[] | undefined
}): string | null => {
  const token = passwordIn(headers.authorization)
  if (token === null) return null
  if (headers.origin === undefined && headers['sec-fetch-site'] === undefined) return tokenIn(token)
  throw new ClawError(
    'not_allowed',
    'a browser cannot show its token as a password',
    'send it as Authorization: Bearer TOKEN',
  )
}

/** The password in a header of that kind; null: there is none. */
export const passwordIn = (header: string | undefined): string | null => {
  const encoded = /^Basic +([A-Za-z0-9+/=]{1,400})$/i.exec(header ?? '')?.[1]
  if (encoded === undefined) return null
  const [, password = ''] = /:(.*)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? []
  return password === '' ? null : password
}

/** A token in the URL, for clients that can put it nowhere else; no other secret is taken from there. */
export const tokenIn = (token: string | null | undefined): string | null => {
  if (token === null || token === undefined || isSecret('http', token)) return token ?? null
  throw unknownCredential()
}

/**
 * Lets through who may, or throws `unauthorized`, `revoked`, `not_allowed`. What no route is (null) is for those who may
 * read, or where it is no GET write: a stranger does not learn what there is.
 */
export const authorize = (c: Context, store: AccessStore, route: Guarded | null): void => {
  const { method } = c.req
  const isRead = method === 'GET' || method === 'HEAD'
  const needs = route?.needs ?? (isRead ? 'read' : 'write')
  const inUrl = route?.plain ? tokenIn(c.req.query('token')) : null
  const shownAsPassword = route?.plain ? basicIn(headersOf(c)) : null
  const secret = bearerIn(c.req.header('authorization')) ?? inUrl ?? shownAsPassword
  if (secret !== null && route?.path !== '/api/join') identify(c, store, secret)
  else if (needs !== 'anyone') throw noCredential()
  const shown = callerOf(c)
  if (shown === null || needs === 'anyone') return
  if (shown.kind === 'token' && !route?.plain) throw onlyPlain()
  const workspace = /^\/(?:api\/workspaces|w)\/([^/]*)/.exec(c.req.path)?.[1]
  if (workspace !== undefined || route?.plain) checkWorkspace(shown, workspace ?? 'default', store)
  if (shown.kind === 'owner') return
  if (needs === 'owner') {
    throw new ClawError(
      'not_allowed',
      'this is for the owner of the server',
      'its token is in owner.json in the data folder; the commands of clawlink-sync use it by themselves',
    )
  }
  checkRole(shown.role, needs)
}

const headersOf = (c: Context): Parameters<typeof basicIn>[0] => ({
  authorization: c.req.header('authorization'),
  origin: c.req.header('origin'),
  'sec-fetch-site': c.req.header('sec-fetch-site'),
})

export const onlyPlain = (): ClawError =>
  new ClawError(
    'not_allowed',
    'a token is for the routes of ClawLink 1.x only',
    'see docs/PROTOCOL.md; for the rest join with a link: POST /api/join',
  )

export const noCredential = (): ClawError =>
  new ClawError(
    'unauthorized',
    'this takes a credential',
    'join with a link from who runs the server: clawlink-agent join -',
  )

/** Throws `not_allowed`: workspaces are walls; `unknown_workspace` to the owner, who may see their names. */
export const checkWorkspace = (shown: Caller, workspace: string, store: AccessStore): void => {
  if (shown.kind === 'owner' && isWorkspaceName(workspace)) store.workspaces.check(workspace)
  if (shown.kind === 'owner' || shown.workspace === workspace) return
  throw new ClawError(
    'not_allowed',
    `this credential is for the workspace ${shown.workspace} only`,
    shown.kind === 'token'
      ? `its routes are below /w/${shown.workspace}`
      : 'each workspace takes an invite of its own',
  )
}

/** Throws `not_allowed`. */
export const checkRole = (role: Role, needed: Role): void => {
  if (includes(role, needed)) return
  throw new ClawError(
    'not_allowed',
    `this takes a credential with the role ${needed}, and this one has ${role}`,
    'ask who runs the server for another invite',
  )
}

const identify = (c: Context, store: AccessStore, secret: string): void => {
  c.set('shown', store.authenticator.authenticate(secret))
  c.set('secret', secret)
}

/** For who waited: throws `unauthorized`, `revoked` where what was shown is good no more. */
export const stillIs = (c: Context, store: AccessStore): void => {
  store.authenticator.authenticate(c.get('secret') as string)
}

/** What was shown; null on an open route that was shown nothing. */
export const callerOf = (c: Context): Caller | null =>
  (c.get('shown') as Caller | undefined) ?? null

/** Whose request it is. Throws `unauthorized`; `not_allowed` for a token, which is for nobody yet. */
export const principalOf = (c: Context): Principal => {
  const shown = callerOf(c)
  if (shown === null) throw unknownCredential()
  if (shown.kind === 'token') throw onlyPlain()
  return shown
}

/** Throws `forged` where a request speaks as somebody else. */
export const checkName = (c: Context, name: string | undefined): void => {
  const agent = agentOf(principalOf(c))
  if (agent === null || name === undefined || name === agent) return
  throw forged(`this credential is ${agent}'s, and speaks for nobody else`)
}

/** Who acts: who is named, or whose credential it is. Throws `forged`, and `usage` where the owner names nobody. */
export const callerIn = (c: Context, named: string | undefined): AgentId => {
  checkName(c, named)
  const agent = named ?? agentOf(principalOf(c))
  if (agent !== null) return agent as AgentId
  throw new ClawError('usage', 'by is missing: the owner is no agent', 'say in whose name: by')
}
