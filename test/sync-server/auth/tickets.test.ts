import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { ask, bearer, type Member, member } from '../../support/auth/members.ts'
import { RawClient, until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'

let server: ServerAt
beforeAll(async () => {
  server = await startHere({ args: ['--limit', 'agent-connections=1'] })
})
afterAll(() => server.stop())

const ticketOf = async (headers: { authorization: string }): Promise<string> =>
  (await ask<{ ticket: string }>(server, '/api/ticket', {}, headers)).data.ticket

/** The HTTP status of an upgrade with this ticket; 101: it is open. */
const dial = (ticket: string, headers = {}): Promise<{ status: number; client: RawClient }> => {
  const client = new RawClient(`${server.sync}/default?ticket=${ticket}`, headers)
  return new Promise((resolve) => {
    client.ws.on('open', () => resolve({ status: 101, client }))
    client.ws.on('unexpected-response', (_request, { statusCode = 0 }) =>
      resolve({ status: statusCode, client }),
    )
  })
}

const codeOf = async (path: string, body: object | undefined, ticket: string) => {
  const { status, error } = await ask(server, path, body, bearer(ticket))
  return [status, error?.code]
}

it('[AUTH-13] a ticket opens one WebSocket, and is good for nothing else', async () => {
  const admin = await member(server, 'a-admin', 'admin')
  for (const headers of [admin.headers, bearer(server.token)]) {
    const ticket = await ticketOf(headers)
    const unauthorized = [401, 'unauthorized']
    expect(await codeOf('/api/ticket', {}, ticket)).toEqual(unauthorized)
    expect(await codeOf('/api/admin/invite', { role: 'admin' }, ticket)).toEqual(unauthorized)
    expect(await codeOf('/api/workspaces/default/agents', undefined, ticket)).toEqual(unauthorized)
    expect((await dial('', bearer(ticket))).status).toBe(401)
    const { status, client } = await dial(ticket)
    expect(status).toBe(101)
    expect((await dial(ticket)).status).toBe(401)
    client.ws.terminate()
    await client.closed
    expect((await dial(ticket)).status).toBe(401)
  }
})

it('[AUTH-13] a refused upgrade spends no ticket', async () => {
  const one = await member(server, 'a-second')
  const [first, second] = [await ticketOf(one.headers), await ticketOf(one.headers)]
  const { client } = await dial(first)
  expect((await dial(second)).status).toBe(429)
  client.ws.terminate()
  await until('its place is free', async () => (await dial(second)).status === 101)
})

/** As docs/PROTOCOL.md has it. */
const stockPage = ({ headers }: Member, doc: Y.Doc): WebsocketProvider => {
  const provider = new WebsocketProvider(server.sync, 'default', doc, {
    connect: false,
    disableBc: true,
    shouldReconnect: () => false,
    WebSocketPolyfill: WebSocket as never,
  })
  const connect = async () => {
    provider.params = { ticket: await ticketOf(headers) }
    provider.connect()
  }
  const isFinal = (code: number) => code >= 4400 && code < 4500 && code !== 4408 && code !== 4409
  provider.on('closed', ({ code }) => {
    if (!isFinal(code)) setTimeout(connect, 20)
  })
  void connect()
  return provider
}

it('[AUTH-13] a stock client with a fresh ticket for each connect comes back', async () => {
  const doc = new Y.Doc()
  const provider = stockPage(await member(server, 'a-page'), doc)
  await until('it is synced', () => provider.synced)
  let dials = 0
  provider.on('status', ({ status }) => {
    if (status === 'connected') dials++
  })
  for (const expected of [1, 2]) {
    ;(provider.ws as unknown as { terminate: () => void }).terminate()
    await until('it is back', () => dials === expected && provider.synced)
  }
  provider.destroy()
})
