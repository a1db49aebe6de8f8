import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { ClawError } from '../../protocol/errors.ts'
import { isSecret } from '../../protocol/roles.ts'
import { checkWorkspaceName } from '../../workspace/document/validate.ts'
import { asPrincipal, authorize, type Need } from '../auth/authorize.ts'
import { basicIn, bearerIn, tokenIn } from '../auth/presented.ts'
import type { AccessStore } from '../auth/store.ts'
import { isLoopback } from '../config/options.ts'
import { checkAgentId } from '../routes/agent-request.ts'
import type { Caller, Principal } from '../sync/principal.ts'

/** The workspace in an upgrade request's path, and the agent of a 1.x client. Throws `unknown_route`, `usage`, `not_allowed`. */
const placeOfUpgrade = (
  request: IncomingMessage,
): { workspace: string; httpAgent: string | null } => {
  const [path = ''] = (request.url ?? '').split('?', 1)
  const [, synced, plain, httpAgent] =
    /^\/sync\/([^/]+)$|^(?:\/w\/([^/]+))?\/ws\/([^/]+)$/.exec(path) ?? []
  if (synced === undefined && httpAgent === undefined) {
    throw new ClawError(
      'unknown_route',
      'no WebSocket at this path',
      'connect to /sync/<workspace>',
    )
  }
  const workspace = synced ?? plain ?? 'default'
  checkWorkspaceName(workspace)
  if (!isOwnOrigin(request))
    throw new ClawError('not_allowed', 'pages of other sites may not connect')
  return { workspace, httpAgent: httpAgent ?? null }
}

/** An authorized upgrade request. */
export interface Upgrade {
  workspace: string
  /** The agent id of a 1.x client; null for a WebSocket that syncs the document. */
  httpAgent: string | null
  speaker: Principal
  /**
   * Throws `unauthorized`, `revoked`, `not_allowed` if the credential ended or lost its permission.
   */
  authorizeAgain: () => void
  /** Call when nothing else speaks against opening it. Throws `unauthorized`; Unavailable. */
  claim: () => Promise<void>
  /** Call once the WebSocket is open. */
  opened: () => void
}

/** Call before `askedFor`: the ticket in a request may be of another node. Rejects with Unavailable. */
export const findTicket = async (request: IncomingMessage, access: AccessStore): Promise<void> => {
  const ticket = ticketIn(request.url ?? '')
  if (ticket !== null) await access.authenticator.findTicket(ticket)
}

/** Throws the error to reject the request with. A rejected request uses up no ticket. */
export const askedFor = (request: IncomingMessage, access: AccessStore): Upgrade => {
  const { workspace, httpAgent } = placeOfUpgrade(request)
  const { authenticator, workspaces } = access
  const need: Need =
    httpAgent === null ? { role: 'read', workspace } : { role: 'write', workspace, plain: true }
  const bearer = bearerIn(request.headers.authorization)
  const ticket = httpAgent === null && bearer === null ? ticketIn(request.url ?? '') : null
  const secret = bearer ?? (httpAgent === null ? null : tokenOf(request))
  const authenticated = (): Caller | null => {
    if (ticket !== null) return authenticator.ofTicket(ticket)
    return secret === null ? null : authenticator.authenticate(secret)
  }
  const caller = authenticated()
  authorize(caller, need, workspaces)
  const speaker =
    httpAgent === null
      ? asPrincipal(caller)
      : authenticator.speakAs(caller!, checkAgentId(httpAgent), workspace)
  return {
    ...{ workspace, httpAgent, speaker },
    authorizeAgain: () => authorize(authenticated(), need, workspaces),
    claim: async () => {
      if (ticket !== null) await authenticator.claimTicket(ticket)
    },
    opened: () => ticket !== null && authenticator.spendTicket(ticket),
  }
}

/** The token of a 1.x client without a bearer header. Throws `unauthorized`, `not_allowed`. */
const tokenOf = (request: IncomingMessage): string | null =>
  tokenIn(inQuery(request, 'token')) ?? basicIn(request.headers)

/** A request without a credential is not a failed sign-in. */
export const hasTried = (request: IncomingMessage): boolean =>
  request.headers.authorization !== undefined || inQuery(request, 'token') !== null

const inQuery = ({ url = '' }: IncomingMessage, name: string): string | null =>
  new URLSearchParams(url.split('?', 2)[1] ?? '').get(name)

/** The only secret accepted in a URL: it expires before anybody reads a proxy's log. */
const ticketIn = (url: string): string | null => {
  const ticket = new URLSearchParams(url.split('?', 2)[1] ?? '').get('ticket')
  return ticket !== null && isSecret('ticket', ticket) ? ticket : null
}

/**
 * Browsers send the origin of the connecting page; only pages of this machine and of this server
 * may connect.
 */
const isOwnOrigin = ({ headers }: IncomingMessage): boolean => {
  if (headers.origin === undefined) return true
  try {
    const { host, hostname } = new URL(headers.origin)
    return isLoopback(hostname) || host === headers.host
  } catch {
    return false
  }
}

/** Answers an upgrade request with an error. `more`: further header lines. */
export const refuseUpgrade = (socket: Socket, error: ClawError, more = ''): void => {
  const body = JSON.stringify({ ok: false, error: error.toBody() })
  const after = error.retryAfter === undefined ? '' : `retry-after: ${error.retryAfter}\r\n`
  socket.end(
    `HTTP/1.1 ${error.http} Refused\r\nconnection: close\r\n${after}${more}content-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}
