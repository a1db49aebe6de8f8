import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type ClawError, VERBS_HEADER } from '../../protocol/errors.ts'
import type { Holdings } from '../cluster/holdings.ts'
import { MOVED_HEADER } from '../cluster/routing/forwarding.ts'
import { addNodeMetrics } from '../cluster/routing/metrics.ts'
import { Router } from '../cluster/routing/router.ts'
import { CLOSE_MS } from '../config/limits.ts'
import type { Metrics } from '../http/metrics.ts'
import type { Limiter } from '../limits/limiter.ts'
import { requestError } from '../storage/store-error.ts'
import { errorAnswer } from './error-answer.ts'
import type { Base } from './parts.ts'
import { refuseUpgrade } from './upgrade-request.ts'

/** A node's place in its cluster. */
export interface ClusterParts {
  holdings: Holdings
  /** The id of this node. */
  self: string
  /** The secret that the nodes share, which signs what they forward. */
  key: Buffer
}

interface RouterParts extends Pick<Base, 'now' | 'log'> {
  limiter: Limiter
  metrics: Metrics
}

/** The router of a node. */
export const createRouter = (
  { holdings, self, key }: ClusterParts,
  { limiter, metrics, now, log }: RouterParts,
): Router => {
  const router: Router = new Router({
    ...{ holdings, self, key, now },
    addressOf: limiter.addressOf,
    noteClient: limiter.noteClient,
    refuse: (request, response, thrown) => {
      const error = requestError(thrown, null)
      if (error.code === 'bug') log.error({ err: thrown }, 'a request was not forwarded')
      if (limiter.refused(request, error, null)) response.setHeader('connection', 'close')
      refuse(request, response, error)
    },
    refuseUpgrade: (request, socket, thrown) => {
      const error = requestError(thrown, null)
      if (error.code === 'bug') log.error({ err: thrown }, 'a request was not forwarded')
      limiter.refused(request, error, null)
      endUpgrade(socket, error)
    },
    onCut: (node, connections) => log.warn({ node, connections }, 'cut off: their node is gone'),
  })
  addNodeMetrics(metrics.registry, self, holdings, () => router)
  return router
}

const refuse = (request: IncomingMessage, response: ServerResponse, error: ClawError): void => {
  const { url = '/', headers } = request
  const { json, reason } = errorAnswer(url, headers[VERBS_HEADER] !== undefined, error)
  if (error.retryAfter !== undefined) response.setHeader('retry-after', String(error.retryAfter))
  if (error.code === 'moved') response.setHeader(MOVED_HEADER, '1')
  response.setHeader('content-type', 'application/json')
  if (reason !== null) response.statusMessage = reason
  response.statusCode = error.http
  response.end(JSON.stringify(json))
}

const endUpgrade = (socket: Socket, error: ClawError): void => {
  refuseUpgrade(socket, error, error.code === 'moved' ? `${MOVED_HEADER}: 1\r\n` : '')
  setTimeout(() => socket.destroy(), CLOSE_MS).unref()
}
