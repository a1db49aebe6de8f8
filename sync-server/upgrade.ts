import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { ClawError } from '../protocol/errors.ts'
import { isSecret } from '../protocol/roles.ts'
import { checkWorkspaceName } from '../workspace/document/validate.ts'
import {
  basicIn,
  bearerIn,
  checkRole,
  checkWorkspace,
  noCredential,
  onlyPlain,
  tokenIn,
} from './auth/authorize.ts'
import type { AccessStore } from './auth/store.ts'
import { isLoopback } from './config/options.ts'
import { checkAgentId } from './routes/agent-request.ts'
import type { Principal } from './sync/principal.ts'

/** The workspace that an upgrade request names, and the agent, where it is a 1.x client's. Throws why it is refused. */
const placeOfUpgrade = (request: IncomingMessage): { workspace: string; guest: string | null } => {
  const [path = ''] = (request.url ?? '').split('?', 1)
  const [, synced, plain, guest] =
    /^\/sync\/([^/]+)$|^(?:\/w\/([^/]+))?\/ws\/([^/]+)$/.exec(path) ?? []
  if (synced === undefined && guest === undefined) {
    throw new ClawError('unknown_route', 'no WebSocket here', 'connect to /sync/<workspace>')
  }
  const workspace = synced ?? plain ?? 'default'
  checkWorkspaceName(workspace)
  if (!isOwnOrigin(request)) throw new ClawError('not_allowed', 'pages of other sites stay out')
  return { workspace, guest: guest ?? null }
}

/** What an upgrade request asks for, and who asks. `opened` is to be called once its WebSocket is open. */
export interface Upgrade {
  workspace: string
  /** The agent that a 1.x client is; null: it is none. */
  guest: string | null
  speaker: Principal
  secret: string
  opened: () => void
}

/** Throws why the request is refused. A refused one spends no ticket. */
export const askedFor = (request: IncomingMessage, access: AccessStore): Upgrade => {
  const { workspace, guest } = placeOfUpgrade(request)
  const bearer = bearerIn(request.headers.authorization)
  if (guest === null && bearer === null) return byTicket(request, access, workspace)
  const secret = bearer ?? tokenIn(inQuery(request, 'token')) ?? basicIn(request.headers)
  if (secret === null) throw noCredential()
  const shown = access.authenticator.authenticate(secret)
  checkWorkspace(shown, workspace, access)
  const opened = () => {}
  if (guest !== null) {
    if (shown.kind !== 'owner') checkRole(shown.role, 'write')
    const speaker = access.authenticator.speakAs(shown, checkAgentId(guest), workspace)
    return { workspace, guest, speaker, secret, opened }
  }
  if (shown.kind === 'token') throw onlyPlain()
  return { workspace, guest, speaker: shown, secret, opened }
}

const byTicket = (request: IncomingMessage, access: AccessStore, workspace: string): Upgrade => {
  const secret = ticketIn(request.url ?? '')
  if (secret === null) throw noCredential()
  const speaker = access.authenticator.ofTicket(secret)
  checkWorkspace(speaker, workspace, access)
  return {
    workspace,
    guest: null,
    speaker,
    secret,
    opened: () => access.authenticator.spendTicket(secret),
  }
}

/** Who has shown nothing has tried nothing. */
export const hasTried = (request: IncomingMessage): boolean =>
  request.headers.authorization !== undefined || inQuery(request, 'token') !== null

const inQuery = ({ url = '' }: IncomingMessage, name: string): string | null =>
  new URLSearchParams(url.split('?', 2)[1] ?? '').get(name)

/** In a URL only what is worth nothing by the time anyone reads a proxy's log. */
const ticketIn = (url: string): string | null => {
  const ticket = new URLSearchParams(url.split('?', 2)[1] ?? '').get('ticket')
  return ticket !== null && isSecret('ticket', ticket) ? ticket : null
}

/** A browser says which site's page connects; only pages from this machine or this very server may. */
const isOwnOrigin = ({ headers }: IncomingMessage): boolean => {
  if (headers.origin === undefined) return true
  try {
    const { host, hostname } = new URL(headers.origin)
    return isLoopback(hostname) || host === headers.host
  } catch {
    return false
  }
}

/** Answers an upgrade request by why it is refused. */
export const refuseUpgrade = (socket: Socket, error: ClawError): void => {
  const body = JSON.stringify({ ok: false, error: error.toBody() })
  const after = error.retryAfter === undefined ? '' : `retry-after: ${error.retryAfter}\r\n`
  socket.end(
    `HTTP/1.1 ${error.http} Refused\r\nconnection: close\r\n${after}content-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}
