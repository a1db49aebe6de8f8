import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type RawHost, rawHost } from './raw.ts'

interface Message {
  id?: string | number
  method?: string
  params?: { _meta?: { [key: string]: unknown } }
}

/** MCP over HTTP, as far as the conformance suite needs it, in front of `clawlink-agent mcp`. */
export interface Bridge {
  url: string
  close: () => Promise<void>
}

const SESSION = 'mcp-session-id'
const VERSION = 'io.modelcontextprotocol/protocolVersion'

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) body += chunk
  return body
}

const answer = (response: ServerResponse, status: number, body?: object, headers = {}): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(body === undefined ? undefined : JSON.stringify(body))
}

/**
 * Starts a process for each session of the older era, and for each request that names no era, as a process stays in that
 * of its first message; one serves all requests of the newer era. Ids are numbered anew, as several clients meet in that.
 */
export const startBridge = async (home: string, server: string): Promise<Bridge> => {
  const sessions = new Map<string, RawHost>()
  const shared = rawHost(home, server)
  const opened = new Set([shared])
  let last = 0
  const forward = async (host: RawHost, text: string, message: Message) => {
    const id = `bridge-${last++}`
    host.write(`${JSON.stringify({ ...(JSON.parse(text) as object), id })}\n`)
    return { ...(await host.answerTo(id)), id: message.id }
  }
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const session = request.headers[SESSION]
    const known = typeof session === 'string' ? sessions.get(session) : undefined
    if (session !== undefined && known === undefined) return answer(response, 404, {})
    if (request.method === 'DELETE' && known !== undefined) {
      await known.end()
      return answer(response, 200, {})
    }
    if (request.method !== 'POST') return answer(response, 405, {})
    const text = await bodyOf(request)
    const message = JSON.parse(text) as Message
    const isModern = message.params?._meta?.[VERSION] === '2026-07-28'
    const host = known ?? (isModern ? shared : rawHost(home, server))
    opened.add(host)
    if (message.id === undefined || message.method === undefined) {
      host.write(`${text}\n`)
      return answer(response, 202)
    }
    const headers: Record<string, string> = {}
    if (message.method === 'initialize' && known === undefined) {
      headers[SESSION] = crypto.randomUUID()
      sessions.set(headers[SESSION], host)
    }
    answer(response, 200, await forward(host, text, message), headers)
  }
  const http = createServer((request, response) => {
    handle(request, response).catch((error: Error) =>
      answer(response, 400, {
        ...{ jsonrpc: '2.0', id: null },
        error: { code: -32_700, message: error.message },
      }),
    )
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    close: async () => {
      http.close()
      http.closeAllConnections()
      for (const host of opened) host.child.kill()
    },
  }
}
