import { ClawError } from '../../protocol/errors.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { asPrincipal, authorize, type Needs } from '../auth/authorize.ts'
import { basicIn, bearerIn, tokenIn } from '../auth/presented.ts'
import type { AccessStore } from '../auth/store.ts'
import { forged } from '../auth/stored/refusals.ts'
import { agentOf, type Caller, type Principal } from '../sync/principal.ts'
import type { HttpContext } from './context.ts'
import { pageSecretIn } from './page-cookie.ts'

/** The parts of a route that authorization depends on. */
interface Guarded {
  path: string
  needs: Needs
  plain?: true
}

/** A join shows the credential that it replaces, which may have ended already. */
const JOIN = '/api/join'

/**
 * Finds the caller of a request and checks its permission. An unknown route (null) needs `read`, or `write` unless it is
 * read from: strangers do not learn which routes exist. Throws `unauthorized`, `revoked`, `not_allowed`, `unknown_workspace`.
 */
export const authorizeRequest = (
  c: HttpContext,
  access: AccessStore,
  route: Guarded | null,
): void => {
  const isRead = c.req.method === 'GET' || c.req.method === 'HEAD'
  const role = route?.needs ?? (isRead ? 'read' : 'write')
  const plain = route?.plain
  const secret = secretIn(c, plain === true)
  if (secret !== null && route?.path !== JOIN) {
    c.set('caller', access.authenticator.authenticate(secret))
    c.set('secret', secret)
  }
  const workspace = workspaceIn(c) ?? (plain ? 'default' : undefined)
  authorize(callerOf(c), { role, workspace, plain }, access.workspaces)
}

/** The secret of a request. One of ClawLink 1.x may show it in its URL or as a password. Throws `unauthorized`, `not_allowed`. */
const secretIn = (c: HttpContext, isPlain: boolean): string | null => {
  const inUrl = isPlain ? tokenIn(c.req.query('token')) : null
  const asPassword = isPlain
    ? basicIn({
        authorization: c.req.header('authorization'),
        origin: c.req.header('origin'),
        'sec-fetch-site': c.req.header('sec-fetch-site'),
      })
    : null
  return bearerIn(c.req.header('authorization')) ?? inUrl ?? asPassword ?? pageSecretIn(c)
}

/** The workspace that the path names. */
const workspaceIn = (c: HttpContext): string | undefined =>
  /^\/(?:api\/workspaces|w)\/([^/]*)/.exec(c.req.path)?.[1]

/**
 * Call it after a wait. Throws `unauthorized`, `revoked` if the credential ended meanwhile, `unknown_workspace` if the
 * workspace was removed.
 */
export const authenticateAgain = (c: HttpContext, access: AccessStore): void => {
  access.authenticator.authenticate(c.get('secret') ?? '')
  const workspace = workspaceIn(c)
  if (workspace !== undefined) access.workspaces.checkNotRemoved(workspace)
}

/** null: the request showed no credential, and its route needs none. */
export const callerOf = (c: HttpContext): Caller | null => c.get('caller') ?? null

/** Throws `unauthorized`; `not_allowed` for an HTTP token. */
export const principalOf = (c: HttpContext): Principal => asPrincipal(callerOf(c))

/** Throws `forged` where a request speaks as another agent. */
export const checkName = (c: HttpContext, name: string | undefined): void => {
  const agent = agentOf(principalOf(c))
  if (agent === null || name === undefined || name === agent) return
  throw forged(`this credential belongs to ${agent} and cannot speak for another agent`)
}

/** The agent that acts: the named one, else the credential's. Throws `forged`; `usage` where the owner names none. */
export const callerIn = (c: HttpContext, named: string | undefined): AgentId => {
  checkName(c, named)
  const agent = named ?? agentOf(principalOf(c))
  if (agent !== null) return agent as AgentId
  throw new ClawError(
    'usage',
    '`by` is missing: the owner token belongs to no agent',
    "add `by` with an agent's id",
  )
}
