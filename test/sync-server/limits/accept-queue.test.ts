import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { member } from '../../support/auth/members.ts'
import { RawClient, until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'

let server: ServerAt
beforeAll(async () => {
  const args = ['--limit', 'waiting=5,handshake-seconds=60', '--log-level', 'error']
  server = await startHere({ args })
})
afterAll(() => server.stop())

const open = async (
  said: string,
  localAddress = '127.0.0.1',
  { port } = server,
): Promise<Socket> => {
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  socket.resume().on('error', () => {})
  await once(socket, 'connect')
  socket.write(said)
  return socket
}

it('[LIM-33] those that wait longest and ask for nothing leave where they are too many; who asked stays', async () => {
  const asked = await open('GET /health HTTP/1.1\r\nhost: x\r\n\r\n')
  await once(asked, 'data')
  const synced = await RawClient.open(`${server.sync}/default`)
  const waiting: Socket[] = []
  for (let i = 0; i < 10; i++) {
    waiting.push(await open(''))
    waiting.push(await open('GET /health HTTP/1.1\r\nhost: x\r\n'))
  }
  await until('the others are cut', () => waiting.slice(0, 15).every(({ closed }) => closed))
  expect(waiting.slice(15).some(({ closed }) => closed)).toBe(false)
  await synced.barrier()
  asked.write('GET /health HTTP/1.1\r\nhost: x\r\n\r\n')
  expect(String((await once(asked, 'data'))[0])).toMatch(/^HTTP\/1.1 200/)
  for (const socket of [asked, ...waiting]) socket.destroy()
  await synced.close()
})

it('[SERVER-1] those that have asked for nothing do not hold up a server that stops', async () => {
  const stopping = await startHere({ args: ['--limit', 'handshake-seconds=60'] })
  const sockets = [
    await open('', undefined, stopping),
    await open('GET / HTTP/1.1\r\n', undefined, stopping),
  ]
  expect(await stopping.stop()).toBe(0)
  // A connection that has asked for something has some seconds to take its answer.
  expect(stopping.log()).not.toContain('not done within')
  await until('they are closed', () => sockets.every(({ closed }) => closed))
})

const ASKING = 'GET / HTTP/1.1\r\nhost: x\r\n'

it('[LIM-35] what comes from where requests are refused again and again queues, by address; others come in at once', async () => {
  const other = await startHere({ args: ['--limit', 'refusals=3', '--log-level', 'error'] })
  const [bad, worse, good] = ['127.0.0.2', '127.0.0.3', '127.0.0.4']
  for (const address of [bad, worse]) {
    const refused = await open('', address, other)
    for (let i = 0; i < 5 && !refused.closed; i++) {
      refused.write('GET /discover HTTP/1.1\r\nhost: x\r\n\r\n')
      expect(String((await once(refused, 'data'))[0])).toMatch(/^HTTP\/1.1 401/)
      if (i < 2) continue
      await until('it is hung up', () => refused.closed)
    }
  }
  const answered: string[] = []
  const ask = async (address: string): Promise<void> => {
    const socket = await open(ASKING, address, other)
    socket.once('data', () => answered.push(address))
    socket.write('\r\n')
  }
  await Promise.all(Array.from({ length: 40 }, () => ask(bad)))
  await Promise.all([ask(worse), ask(good)])
  await until('all are answered', () => answered.length === 42)
  const at = (address: string) => answered.indexOf(address)
  expect(at(good)).toBeLessThan(at(worse))
  expect(at(worse)).toBeLessThan(39)
  await other.stop()
})

it('[LIM-44] a valid credential, and a look at its health, pass where what else comes from that address queues', async () => {
  const other = await startHere({ args: ['--limit', 'refusals=3', '--log-level', 'error'] })
  const { headers } = await member(other, 'a-ann000000001')
  const ask = (line: string, credential: string): string =>
    `GET ${line} HTTP/1.1\r\nhost: x\r\nAuthorization: ${credential}\r\n\r\n`
  const wrong = ask('/discover', 'Bearer nope')
  for (let i = 0; i < 6; i++) {
    const refused = await open(wrong, undefined, other)
    await until('it is refused', () => refused.closed || refused.bytesRead > 0)
    refused.destroy()
  }
  const queued: string[] = []
  const answered: string[] = []
  const send = async (what: string, said: string): Promise<void> => {
    const socket = await open(said, undefined, other)
    socket.once('data', (data) => answered.push(`${what} ${String(data).slice(9, 12)}`))
    socket.once('close', () => queued.push(what))
  }
  await Promise.all(Array.from({ length: 300 }, () => send('wrong', wrong)))
  await Promise.all([
    send('member', ask('/api/workspaces/default/agents', headers.authorization)),
    send('health', ask('/health', 'Bearer nope')),
  ])
  const has = (what: string) => answered.some((one) => one.startsWith(what))
  await until('these are answered', () => has('member') && has('health'))
  expect(answered).toContain('member 200')
  // Some of the 300, which take 3 s, still queued then.
  expect(answered.indexOf('member 200')).toBeLessThan(300)
  await other.stop()
})
