import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { RawClient, until } from '../support/client.ts'
import { asOwner, type Server, startServer } from '../support/server.ts'

let server: Server
beforeAll(async () => {
  const args = ['--limit', 'waiting=5,handshake-seconds=60,body=1000', '--log-level', 'error']
  server = await startServer({ args })
})
afterAll(() => server.stop())

const open = async (said: string): Promise<Socket> => {
  const socket = connect(server.port, '127.0.0.1')
  socket.resume().on('error', () => {})
  await once(socket, 'connect')
  socket.write(said)
  return socket
}

it('[Z33] those that wait longest and ask for nothing leave where they are too many; who asked stays', async () => {
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

it('[Z27] whoever sends all of a body that is too large, and only then listens, reads why it is refused', async () => {
  const url = `${server.url}/api/workspaces/default/tasks/next`
  for (const length of [{}, { 'content-length': 4_000_000 }]) {
    const sent = request(url, { method: 'POST', headers: { ...asOwner(url), ...length } })
    const answer = once(sent, 'response')
    for (let i = 0; i < 40; i++) {
      await new Promise((done) => sent.write(Buffer.alloc(100_000, 120), done))
    }
    sent.end()
    const [{ statusCode }] = (await answer) as [{ statusCode: number }]
    expect(statusCode).toBe(413)
    sent.destroy()
  }
})
