import {
  Agent,
  type ClientRequest,
  type IncomingMessage,
  request as plainRequest,
  type RequestOptions,
  type ServerResponse,
} from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import type { Socket } from 'node:net'
import { CLOSE_MS } from '../../config/limits.ts'
import type { NodeAddress } from '../holdings.ts'
import { answerHeaders, hasBody, headOf, requestHeaders, upgradeHeaders } from './head.ts'
import { join, type Pipes } from './pipes.ts'

/** Time to connect to another node (milliseconds): a machine that is gone does not answer. */
const CONNECT_MS = 2_000
/** Largest head of a node's answer (bytes). */
const MOST_HEAD_BYTES = 64 * 1024

/** In the answer of a node that does not serve the workspace of a forwarded request. */
export const MOVED_HEADER = 'clawlink-moved'

/**
 * `unsent`: the node was not reached, or is gone, and the request may be sent to another one; `moved`: the node does not
 * serve the workspace.
 */
export type Outcome = 'done' | 'unsent' | 'moved'

/** A request on its way to another node. */
interface Sending {
  request: IncomingMessage
  to: NodeAddress
  /** The value of the signed header. */
  signed: string
  pipes: Pipes
}

/**
 * The agents of each client connection, which has its own connections to other nodes: they end with it, so that the owner
 * sees when the client has hung up, and in which way.
 */
const agents = new WeakMap<Socket, { plain: Agent; tls: Agent }>()

const agentsOf = (socket: Socket): { plain: Agent; tls: Agent } => {
  const known = agents.get(socket)
  if (known !== undefined) return known
  const options = { keepAlive: true, maxFreeSockets: 4 }
  const made = { plain: new Agent(options), tls: new TlsAgent(options) }
  agents.set(socket, made)
  socket.once('close', () => {
    made.plain.destroy()
    made.tls.destroy()
  })
  return made
}

const send = (
  { request, to }: Sending,
  headers: string[],
  options: RequestOptions,
): ClientRequest => {
  const url = new URL(to.url)
  const isTls = url.protocol === 'https:'
  const all: RequestOptions = {
    ...{ method: request.method, path: request.url, headers: headers as never },
    ...{ hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: url.port, setHost: false },
    ...{ maxHeaderSize: MOST_HEAD_BYTES, ...options },
  }
  return isTls ? tlsRequest(all) : plainRequest(all)
}

/** Calls `connected` once the request's connection is open, or ends the request with an error. */
const whenConnected = (out: ClientRequest, connected: () => void): void => {
  const timer = setTimeout(() => out.destroy(new Error('the node does not answer')), CONNECT_MS)
  out.once('close', () => clearTimeout(timer))
  out.once('socket', (socket: Socket) => {
    const open = (): void => {
      clearTimeout(timer)
      connected()
    }
    const event = 'encrypted' in socket ? 'secureConnect' : 'connect'
    if (socket.connecting) socket.once(event, open)
    else open()
  })
}

/** Sends a request to another node, and its answer to the client; bodies are piped both ways. */
export const forwardRequest = (sending: Sending, response: ServerResponse): Promise<Outcome> => {
  const { request, to, signed, pipes } = sending
  const { plain, tls } = agentsOf(request.socket)
  const isRepeatable = !hasBody(request) && (request.method === 'GET' || request.method === 'HEAD')
  return new Promise((resolve) => {
    const agent = to.url.startsWith('https:') ? tls : plain
    const out = send(sending, requestHeaders(request, signed), { agent })
    let isSent = false
    const leave = pipes.add(to.id, () => out.destroy(new Error('the node is gone')))
    const end = (outcome: Outcome): void => {
      leave()
      response.off('close', onClientGone)
      resolve(outcome)
    }
    const onClientGone = (): void => {
      out.destroy()
      end('done')
    }
    response.once('close', onClientGone)
    whenConnected(out, () => {
      isSent = true
      if (hasBody(request)) request.pipe(out)
      else out.end()
    })
    let isAnswered = false
    out.on('error', () => {
      request.unpipe(out)
      // An answer that comes early may be whole, and what becomes of the body does not matter then.
      if (isAnswered) return
      if (!isSent || isRepeatable) return end('unsent')
      // It is unknown what became of the request: the client learns what it would from the node itself.
      request.socket.destroy()
      end('done')
    })
    out.once('response', (answer) => {
      isAnswered = true
      if (answer.headers[MOVED_HEADER] !== undefined && !hasBody(request)) {
        answer.resume()
        return end('moved')
      }
      answer.once('error', () => request.socket.destroy())
      response.writeHead(answer.statusCode!, answer.statusMessage, answerHeaders(answer))
      answer.pipe(response)
      response.off('close', onClientGone)
      response.once('close', () => {
        if (!answer.complete) out.destroy()
        end('done')
      })
    })
  })
}

/** Sends an upgrade request to another node, and joins the two sockets when it accepts. */
export const forwardUpgrade = (
  sending: Sending,
  socket: Socket,
  first: Buffer,
): Promise<Outcome> => {
  const { request, to, signed, pipes } = sending
  return new Promise((resolve) => {
    const out = send(sending, upgradeHeaders(request, signed), { agent: false })
    let leave = pipes.add(to.id, () => out.destroy(new Error('the node is gone')))
    const end = (outcome: Outcome): void => {
      leave()
      socket.off('close', onClientGone)
      resolve(outcome)
    }
    const onClientGone = (): void => {
      out.destroy()
      end('done')
    }
    socket.once('close', onClientGone)
    whenConnected(out, () => void out.end())
    // Until an upgrade is answered it has done nothing, and may be sent again.
    out.on('error', () => end('unsent'))
    out.once('response', (answer) => {
      if (answer.headers[MOVED_HEADER] !== undefined) {
        answer.resume()
        return end('moved')
      }
      socket.write(headOf(answer, [...answerHeaders(answer), 'Connection', 'close']))
      answer.pipe(socket)
      answer.once('error', () => socket.destroy())
      answer.once('end', () => setTimeout(() => socket.destroy(), CLOSE_MS).unref())
      end('done')
    })
    out.once('upgrade', (answer, node: Socket, firstBack) => {
      end('done')
      leave = pipes.add(to.id, () => {
        node.destroy()
        socket.destroy()
      })
      node.once('close', () => leave())
      if (socket.destroyed) return void node.destroy()
      socket.write(headOf(answer, answer.rawHeaders))
      if (firstBack.length > 0) socket.write(firstBack)
      if (first.length > 0) node.write(first)
      join(socket, node)
    })
  })
}
