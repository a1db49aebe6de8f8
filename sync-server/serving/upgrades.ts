import type { Server as HttpServer, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { WebSocketServer } from 'ws'
import { ClawError } from '../../protocol/errors.ts'
import { OWNER_HEADER } from '../../protocol/frames.ts'
import { Ended } from '../auth/stored/refusals.ts'
import type { Router } from '../cluster/routing/router.ts'
import { FORWARDED_HEADER } from '../cluster/routing/signed-head.ts'
import { CLOSE_MS } from '../config/limits.ts'
import { ready } from '../http/request.ts'
import { registered } from '../http-agents/context.ts'
import type { AgentsEnv } from '../http-agents/env.ts'
import { checkAgentId } from '../routes/agent-request.ts'
import { requestError } from '../storage/store-error.ts'
import { agentOf } from '../sync/principal.ts'
import { attachAgentSocket } from './agent-socket.ts'
import type { Parts } from './parts.ts'
import { attachSyncSocket } from './sync-socket.ts'
import { askedFor, findTicket, hasTried, refuseUpgrade } from './upgrade-request.ts'

/** Accepts or rejects WebSockets on an HTTP server. `router`: that of a node; it sends on what is for others. */
export const serveUpgrades = (
  http: HttpServer,
  parts: Parts,
  agentsEnv: AgentsEnv,
  router: Router | null,
): void => {
  const { options, access, health, limiter, rooms, httpAgents, log } = parts
  const syncServer = named(webSockets(options.limits.frame), options.directUrl)
  const agentServer = webSockets(options.limits.body)

  const accept = async (request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> => {
    if (router !== null) await findTicket(request, access)
    const asked = askedFor(request, access)
    const { workspace, speaker, httpAgent } = asked
    if (health.failure !== null) throw new ClawError('storage_failed', health.failure)
    rooms.check(workspace)
    if (router !== null) {
      await asked.claim()
      rooms.check(workspace)
    }
    access.members.seen(speaker)
    limiter.enter(request, agentOf(speaker), workspace)
    if (httpAgent === null) {
      syncServer.handleUpgrade(request, socket, head, (ws) => {
        asked.opened()
        attachSyncSocket(parts, request, [ws, socket], workspace, speaker)
      })
      return
    }
    const room = rooms.rooms.open(workspace)
    await ready(room)
    const agent = httpAgents.httpAgent(room, checkAgentId(httpAgent))
    registered(agent)
    agentServer.handleUpgrade(request, socket, head, (ws) =>
      attachAgentSocket(parts, agentsEnv, request, [ws, socket], asked, agent),
    )
  }

  // One listener for all sockets: a closure made below would keep the request alive as long as its socket.
  const onError = (err: Error): void => log.debug({ err }, 'socket error')
  http.on('upgrade', (request, stream, head) => {
    const socket = stream as Socket
    socket.on('error', onError)
    const local = (): void => {
      accept(request, socket, head).catch((thrown) => reject(parts, request, socket, thrown))
    }
    if (router === null) local()
    else router.upgrade(request, socket, head, local)
  })
}

/** Answers an upgrade request with an error, and closes its socket. */
const reject = (
  { health, limiter, incidents, metrics }: Parts,
  request: IncomingMessage,
  socket: Socket,
  thrown: unknown,
): void => {
  const asked = requestError(thrown, health.failure)
  const isGuess = asked.code === 'unauthorized' && hasTried(request)
  if (asked instanceof Ended && !isGuess) incidents.rejected(request, asked)
  metrics.refusals.inc({ code: asked.code })
  const error = (isGuess ? incidents.signInFailed(request, asked) : null) ?? asked
  limiter.refused(request, error, null)
  refuseUpgrade(socket, error)
  // The server stops reading the socket, and does not wait for its end.
  setTimeout(() => socket.destroy(), CLOSE_MS).unref()
}

const webSockets = (maxPayload: number): WebSocketServer =>
  dated(
    new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload,
      perMessageDeflate: false,
      closeTimeout: CLOSE_MS,
    } as ConstructorParameters<typeof WebSocketServer>[0]),
  )

/** Sends the server's time with each accepted upgrade, for clients with a wrong clock. */
const dated = (wss: WebSocketServer): WebSocketServer =>
  wss.on('headers', (headers) => void headers.push(`Date: ${new Date().toUTCString()}`))

/** Names the node's own address, if it has one, in the answers to upgrades that another node forwarded. */
const named = (wss: WebSocketServer, url: string | null): WebSocketServer =>
  wss.on('headers', (headers, request) => {
    const isForwarded = request.headers[FORWARDED_HEADER] !== undefined
    if (url !== null && isForwarded) headers.push(`${OWNER_HEADER}: ${url}`)
  })
