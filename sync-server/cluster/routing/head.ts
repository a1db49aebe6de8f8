import type { IncomingMessage } from 'node:http'
import { FORWARDED_HEADER } from './signed-head.ts'

/** They are about one connection, of which there are two (RFC 9110, 7.6.1); the address is in the signed header. */
const DROPPED = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade', 'expect'],
  ...['transfer-encoding', 'x-forwarded-for', 'forwarded', FORWARDED_HEADER],
])

/** The headers of a message that are for its last reader, as names and values in turn. */
const endToEnd = ({ rawHeaders, headers }: IncomingMessage): string[] => {
  const named = (headers.connection ?? '').toLowerCase().split(/[\s,]+/)
  const kept: string[] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase()
    if (!DROPPED.has(name) && !named.includes(name)) kept.push(rawHeaders[at]!, rawHeaders[at + 1]!)
  }
  return kept
}

/** The headers of a request to another node; `signed`: the value of FORWARDED_HEADER. */
export const requestHeaders = (request: IncomingMessage, signed: string): string[] => {
  const kept = [...endToEnd(request), FORWARDED_HEADER, signed]
  return isChunked(request) ? [...kept, 'Transfer-Encoding', 'chunked'] : kept
}

/** The same for an upgrade, which is about both connections. */
export const upgradeHeaders = (request: IncomingMessage, signed: string): string[] => [
  ...endToEnd(request),
  ...[FORWARDED_HEADER, signed, 'Connection', 'Upgrade'],
  ...['Upgrade', request.headers.upgrade ?? ''],
]

/** The headers of a node's answer for the client; Node adds those of the connection. */
export const answerHeaders = (answer: IncomingMessage): string[] =>
  answer.headers.connection === 'close'
    ? [...endToEnd(answer), 'Connection', 'close']
    : endToEnd(answer)

/** True if a request has a body, which can be sent only once. */
export const hasBody = (request: IncomingMessage): boolean =>
  isChunked(request) || Number(request.headers['content-length'] ?? 0) > 0

const isChunked = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined

/** The first line and the headers of an answer, as sent. */
export const headOf = (answer: IncomingMessage, headers: readonly string[]): string => {
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`]
  for (let at = 0; at + 1 < headers.length; at += 2)
    lines.push(`${headers[at]}: ${headers[at + 1]}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}
