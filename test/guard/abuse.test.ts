import { request } from 'node:http'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import * as Y from 'yjs'
import { type Member, member } from '../access/members.ts'
import { type Server, startServer } from '../support/server.ts'
import { fetch, frame, liveDoc, memoryOf, RawClient, until } from './abuse-tools.ts'

/** What the server may grow by while it is abused (MiB). */
const GROWTH = 400

let server: Server
let attacker: Member
beforeAll(async () => {
  server = await startServer({ args: ['--log-level', 'error'] })
  attacker = await member(server, 'a-attacker0001')
})
afterAll(() => server.stop())

const dial = (): Promise<RawClient> => RawClient.open(`${server.sync}/default`, attacker.headers)

/** Attacks for as long as it takes, while an honest client edits: its p99 quiet and under attack, and the growth in MiB. */
const under = async (attack: () => Promise<unknown>) => {
  const { client, doc } = await liveDoc(`${server.sync}/default`)
  const text = doc.getText('file:honest.txt')
  const times: number[] = []
  const edit = async (): Promise<void> => {
    const start = performance.now()
    text.insert(text.length, 'x')
    await client.barrier()
    times.push(performance.now() - start)
  }
  const p99 = () => times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)]!
  for (let i = 0; i < 100; i++) await edit()
  const quiet = p99()
  const before = memoryOf(server.process.pid!)
  times.length = 0
  let isOver = false
  const attacking = attack().finally(() => {
    isOver = true
  })
  while (!isOver || times.length < 50) await edit()
  await attacking
  const busy = p99()
  const length = text.length
  await client.close()
  const after = await liveDoc(`${server.sync}/default`)
  expect(after.doc.getText('file:honest.txt').length, 'nothing is lost').toBe(length)
  await after.client.close()
  return { quiet, busy, growth: memoryOf(server.process.pid!) - before }
}

/** 3 × what it is quiet; a busy machine takes up to this (milliseconds) by itself, a server that is stopped takes longer. */
const FLOOR = 1_000
const holds = ({ quiet, busy, growth }: { quiet: number; busy: number; growth: number }): void => {
  console.log({ quiet, busy, growth })
  expect(busy).toBeLessThan(Math.max(3 * quiet, FLOOR))
  expect(growth).toBeLessThan(GROWTH)
}

it('[Z25] bodies of 100 MB and packed ones are refused while they come', async () => {
  const post = (headers: Record<string, string>, chunks: number, chunk: Buffer) =>
    new Promise<number>((resolve) => {
      const to = `${server.url}/api/workspaces/default/tasks/next`
      const sent = request(to, { method: 'POST', headers: { ...attacker.headers, ...headers } })
      sent.on('response', (answer) => {
        resolve(answer.statusCode ?? 0)
        answer.resume()
      })
      sent.on('error', () => resolve(0))
      let left = chunks
      const push = (): void => {
        if (left-- <= 0) sent.end()
        else sent.write(chunk, push)
      }
      push()
    })
  const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024))
  holds(
    await under(async () => {
      for (let i = 0; i < 3; i++) {
        expect([413, 0]).toContain(await post({}, 100, Buffer.alloc(1024 * 1024, 120)))
      }
      expect(await post({ 'content-encoding': 'gzip' }, 1, bomb)).toBe(400)
    }),
  )
})

it('[Z25] a flood of awareness is read at its pace', async () => {
  holds(
    await under(async () => {
      const client = await dial()
      const state = (clock: number) =>
        JSON.stringify({ agent: { id: attacker.agent, name: 'x', kind: 'agent' }, clock })
      for (let clock = 1; clock <= 3_000; clock++) {
        const json = new TextEncoder().encode(state(clock))
        client.send(frame(1, frame(1, 77, clock, json)))
      }
      await new Promise((next) => setTimeout(next, 1_000))
      await client.close()
    }),
  )
})

it('[Z25] updates that are made to hurt: enormous clocks, what depends on nothing, and deep nesting', async () => {
  const nested = (depth: number): Y.Doc => {
    const doc = new Y.Doc()
    let map = doc.getMap('free')
    for (let i = 0; i < depth; i++) map = map.set('x', new Y.Map()) as Y.Map<unknown>
    return doc
  }
  const deepest = Y.encodeStateAsUpdate(nested(3_000))
  holds(
    await under(async () => {
      for (const clock of [2 ** 31, 2 ** 52]) {
        const gap = await dial()
        gap.send(frame(0, 1, new Uint8Array([0, 0])))
        gap.update(frame(1, 1, 99, clock, 0, 1, 0))
        await gap.closed
      }
      const deep = await dial()
      deep.send(frame(0, 1, deepest))
      expect(await deep.closed).toBe(4400)
      // … also piece by piece.
      const doc = nested(60)
      const piece = await dial()
      piece.send(frame(0, 1, Y.encodeStateAsUpdate(doc)))
      await piece.barrier()
      let map = doc.getMap('free')
      while (map.get('x') !== undefined) map = map.get('x') as Y.Map<unknown>
      doc.on('update', (update: Uint8Array) => piece.update(update))
      for (let i = 0; i < 10; i++) map = map.set('x', new Y.Map()) as Y.Map<unknown>
      expect(await piece.closed).toBe(4400)
    }),
  )
  const health = await fetch(`${server.url}/health`)
  expect(health.status).toBe(200)
  // Also for who comes new, and after a restart.
  await server.stop()
  server = await startServer({
    data: server.data,
    port: server.port,
    args: ['--log-level', 'error'],
  })
  const { client, doc } = await liveDoc(`${server.sync}/default`)
  expect(doc.getText('file:honest.txt').length).toBeGreaterThan(0)
  await client.close()
})

it('[Z25] handshakes that are never ended keep nobody out', async () => {
  holds(
    await under(async () => {
      const sockets = Array.from({ length: 500 }, () => {
        const socket = connect(server.port, '127.0.0.1')
        socket.on('error', () => {})
        socket.write('GET /sync/default HTTP/1.1\r\nupgrade: websocket\r\n')
        return socket
      })
      await until('they are connected', () => sockets.every(({ connecting }) => !connecting))
      for (const socket of sockets) socket.destroy()
    }),
  )
})
