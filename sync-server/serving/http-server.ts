import { type Server as HttpServer, maxHeaderSize } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import { createAdaptorServer } from '@hono/node-server'
import type { Logger } from 'pino'
import { ClawError } from '../../protocol/errors.ts'
import type { Router } from '../cluster/routing/router.ts'
import { UNASKED_LOOK_MS } from '../config/limits.ts'
import type { Options } from '../config/options.ts'
import { followTls, readTls } from '../config/tls.ts'
import type { AcceptQueue } from '../limits/accept-queue.ts'
import { drain } from '../limits/body.ts'
import { Requests } from '../limits/requests.ts'
import { NEXT_REQUEST } from '../routes/agent-request.ts'
import type { Parts } from './parts.ts'

export interface ServerHttp {
  server: HttpServer
  requests: Requests
  acceptQueue: AcceptQueue
  /** Stops watching the certificate's files. */
  unfollow: () => void
}

type Fetch = Parameters<typeof createAdaptorServer>[0]['fetch']

/** The HTTP or HTTPS server, with the limits on its connections and requests; it does not listen yet. */
export const createHttp = (
  fetch: Fetch,
  { options, limiter, access, log }: Pick<Parts, 'options' | 'limiter' | 'access' | 'log'>,
  router: Router | null,
): ServerHttp => {
  const { tls, limits } = options
  const pair = tls === null ? null : readTls(tls)
  const handshakeMs = limits['handshake-seconds'] * 1_000
  const serverOptions = {
    connectionsCheckingInterval: Math.min(UNASKED_LOOK_MS, handshakeMs / 2),
    ...(router !== null && { maxHeaderSize: maxHeaderSize + SIGNED_BYTES }),
  }
  const server = (
    pair === null
      ? createAdaptorServer({ fetch, serverOptions, autoCleanupIncoming: false })
      : createAdaptorServer({
          ...{ fetch, autoCleanupIncoming: false, createServer: createTlsServer },
          serverOptions: { ...serverOptions, ...pair, handshakeTimeout: handshakeMs },
        })
  ) as HttpServer
  if (router !== null) routeFirst(server, router)
  const unfollow =
    tls === null || pair === null
      ? () => {}
      : followTls(server as unknown as TlsServer, tls, pair, options.tlsLookMs, {
          renewed: () => log.info('the certificate was renewed'),
          warn: (err) => log.warn({ err }, 'the renewed certificate is not usable yet'),
        })
  const acceptQueue = limiter.watch(server, handshakeMs, (secret) =>
    access.authenticator.isGood(secret),
  )
  const requests = new Requests(server, (request, cut) => limiter.hold(request, cut))
  server.prependListener('request', (request, response) => {
    request.socket.emit(NEXT_REQUEST)
    response.prependOnceListener('finish', () => drain(request))
  })
  server.requestTimeout = limits['request-seconds'] * 1_000
  server.headersTimeout = handshakeMs
  answerClientErrors(server, log)
  return { server, requests, acceptQueue, unfollow }
}

/** Asks the router before the server's own handler. */
const routeFirst = (server: HttpServer, router: Router): void => {
  const handlers = server.listeners('request')
  server.removeAllListeners('request')
  server.on('request', (request, response) =>
    router.request(request, response, () => {
      for (const handle of handlers) handle.call(server, request, response)
    }),
  )
}

/** Bytes that a node's signature adds to the head of a request. */
const SIGNED_BYTES = 512

/** The answers to input that is not a complete HTTP request, by Node's error code. */
const CLIENT_ERRORS: Readonly<Record<string, readonly [status: string, reason: string]>> = {
  HPE_HEADER_OVERFLOW: ['431', 'Request Header Fields Too Large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408', 'Request Timeout'],
}

const answerClientErrors = (server: HttpServer, log: Logger): void => {
  server.on('clientError', (err: NodeJS.ErrnoException, socket) => {
    log.debug({ err }, 'bad HTTP request')
    // A client that disconnected during a request reads no answer.
    if (!socket.writable || err.code === 'HPE_INVALID_EOF_STATE') return socket.destroy()
    const [status, reason] = CLIENT_ERRORS[err.code ?? ''] ?? ['400', 'Bad Request']
    // `end` alone leaves the socket open while the client sends.
    socket.end(`HTTP/1.1 ${status} ${reason}\r\nconnection: close\r\n\r\n`, () => socket.destroy())
  })
}

/**
 * Connections that wait for this process to accept them (count), as far as the system allows (`net.core.somaxconn`). Node's
 * default is 511: of a thousand clients that come at once the rest would try again after a second.
 */
const BACKLOG = 4_096

/** Throws `port_taken`, `usage`. */
export const listen = (http: HttpServer, { host, port }: Options): Promise<void> =>
  new Promise((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new ClawError(
              'port_taken',
              `port ${port} on ${host} is taken`,
              'another clawlink-sync may be running; stop it, or choose another with --port',
            )
          : new ClawError(
              'usage',
              `cannot listen on ${host}:${port}: ${error.message}`,
              'choose an address of this machine with --host and a free port with --port',
            ),
      )
    })
    http.listen({ port, host, backlog: BACKLOG }, resolve)
  })
