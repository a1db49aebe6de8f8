import {
  type Agent,
  type ClientRequest,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http'
import type { Socket } from 'node:net'
import { pipeline } from 'node:stream'
import type { ConnectionOptions } from 'node:tls'

/** An HTTP server that is silent, or does not stop. Other errors are Node's. */
export class HttpFailure extends Error {
  readonly kind: 'silent' | 'endless'

  constructor(kind: HttpFailure['kind'], message: string) {
    super(message)
    this.kind = kind
  }
}

export interface HttpRequest {
  method: string
  headers?: OutgoingHttpHeaders
  body?: string | AsyncIterable<Uint8Array>
  /** By default the request has a connection of its own. */
  agent?: Agent | false
  /** For HTTPS only. */
  tls?: ConnectionOptions
  /** Longest silence of the server; null: no limit. */
  timeoutMs: number | null
  signal?: AbortSignal
  /** Called with the connection before anything is sent on it. Throws to send nothing. */
  onSocket?: (socket: Socket) => void
}

export interface HttpAnswer {
  status: number
  headers: IncomingHttpHeaders
  text: string
  socket: Socket
}

type OnAnswer = (answer: IncomingMessage, sent: ClientRequest) => void

/** Node's module for TLS takes long to load: it is loaded once it is needed. */
const start = async (
  url: URL,
  { body, agent = false, tls, timeoutMs, onSocket, ...options }: HttpRequest,
  onAnswer: OnAnswer,
  onError: (error: unknown) => void,
): Promise<void> => {
  const isTls = url.protocol === 'https:'
  const request = isTls ? (await import('node:https')).request : httpRequest
  const sent = request(url, { ...(isTls && tls), ...options, agent }, (answer) =>
    onAnswer(answer, sent),
  )
  if (timeoutMs !== null) {
    sent.setTimeout(timeoutMs, () =>
      sent.destroy(new HttpFailure('silent', `no answer within ${timeoutMs / 1000} s`)),
    )
  }
  sent.on('error', onError)
  if (onSocket !== undefined) {
    sent.once('socket', (socket) => {
      try {
        onSocket(socket)
      } catch (error) {
        sent.destroy(error as Error)
      }
    })
  }
  if (body === undefined || typeof body === 'string') sent.end(body)
  else pipeline(body, sent, (error) => error && onError(error))
}

/**
 * Sends a request; resolves to the answer once its head is there. The caller reads or destroys the
 * body. Rejects with `HttpFailure` and Node's errors.
 */
export const openHttp = (url: URL, request: HttpRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    start(url, request, resolve, reject).catch(reject)
  })

/** The body of an answer. Throws `HttpFailure` above `maxBytes`, and Node's errors. */
export const textOf = async (answer: IncomingMessage, maxBytes: number): Promise<string> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw new HttpFailure('endless', 'its answer does not end')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/**
 * Sends a request and reads its whole answer, at most `maxBytes`: a stranger's answer must not fill
 * the memory. Rejects with `HttpFailure` and Node's errors.
 */
export const exchangeHttp = (
  url: URL,
  request: HttpRequest & { maxBytes: number },
): Promise<HttpAnswer> => {
  const { maxBytes, ...plain } = request
  return new Promise((resolve, reject) => {
    const onAnswer: OnAnswer = (answer) => {
      const { statusCode: status = 0, headers, socket } = answer
      // A failure of the request, such as silence, rejects before that of the body which follows.
      textOf(answer, maxBytes).then((text) => resolve({ status, headers, text, socket }), reject)
    }
    start(url, plain, onAnswer, reject).catch(reject)
  })
}
