import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import * as encoding from 'lib0/encoding'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { frame, RawClient } from '../client.ts'

export interface Victim {
  url: string
  sync: string
  port: number
  /** The attacker has joined: who has not gets nowhere near a document. */
  headers: { authorization: string }
  agent: string
}

/** What an attack came to: so many tries, by what became of them. */
export type Outcome = Record<string, number>

type Attack = (victim: Victim, isOver: () => boolean) => Promise<Outcome>

const MEBIBYTE = 1024 * 1024
/** Connections that are tried in one attack (count). */
const TRIES = 2_000

const counter = () => {
  const outcome: Outcome = {}
  return {
    outcome,
    count: (what: string | number) => {
      outcome[what] = (outcome[what] ?? 0) + 1
    },
  }
}

const pause = (ms: number): Promise<void> => new Promise((next) => setTimeout(next, ms))

/** Connects as a member; while the server does not let it in it tries again at once. */
const dial = async (
  { sync, headers }: Victim,
  isOver: () => boolean,
  count: (what: number) => void,
): Promise<RawClient | null> => {
  while (!isOver()) {
    const client = new RawClient(`${sync}/default`, headers)
    const status = await new Promise<number>((resolve) => {
      client.ws.on('open', () => resolve(101))
      client.ws.on('unexpected-response', (_request, answer) => {
        resolve(answer.statusCode ?? 0)
        answer.destroy()
      })
      void client.closed.then(() => resolve(0))
    })
    if (status === 101) return client
    count(status)
    await pause(10)
  }
  return null
}

/** Sends on a connection of its own each time, and waits until that is closed. */
const eachClosed =
  (what: (client: RawClient) => void): Attack =>
  async (victim, isOver) => {
    const { outcome, count } = counter()
    while (!isOver()) {
      const client = await dial(victim, isOver, count)
      if (client === null) break
      what(client)
      count(await client.closed)
    }
    return outcome
  }

/** Connections in waves of 100, as fast as they are taken, up to 2,000. */
const connections =
  (say: (socket: Socket) => void): Attack =>
  async ({ port }, isOver) => {
    const { outcome, count } = counter()
    const sockets: Socket[] = []
    for (let tried = 0; tried < TRIES && !isOver(); tried += 100) {
      const wave = Array.from({ length: 100 }, () => {
        const socket = connect(port, '127.0.0.1')
        socket.on('error', () => {})
        return socket
      })
      sockets.push(...wave)
      await Promise.all(
        wave.map(async (socket) => {
          const isUp = await Promise.race([
            once(socket, 'connect').then(
              () => true,
              () => false,
            ),
            once(socket, 'close').then(() => false),
          ])
          count(isUp ? 'connected' : 'refused')
          if (isUp) say(socket)
        }),
      )
    }
    while (!isOver()) await pause(20)
    for (const socket of sockets) socket.destroy()
    return outcome
  }

/** WebSocket handshakes, 50 at a time, up to 2,000 in all. */
const handshakes =
  (headers: (victim: Victim) => Record<string, string>): Attack =>
  async (victim, isOver) => {
    const { outcome, count } = counter()
    let tried = 0
    const one = async (): Promise<void> => {
      while (!isOver() && tried++ < TRIES) {
        const ws = new WebSocket(`${victim.sync}/default`, { headers: headers(victim) })
        ws.on('error', () => {})
        await new Promise<void>((resolve) => {
          ws.on('unexpected-response', (_request, answer) => {
            count(answer.statusCode ?? 0)
            answer.destroy()
            resolve()
          })
          ws.on('open', () => {
            count(101)
            ws.terminate()
          })
          ws.on('close', resolve)
        })
      }
    }
    await Promise.all(Array.from({ length: 50 }, one))
    return outcome
  }

/** Requests with so many bodies of so much, told of or not. */
const bodies =
  (headers: Record<string, string>, chunks: number, chunk: Buffer): Attack =>
  async (victim, isOver) => {
    const { outcome, count } = counter()
    while (!isOver()) {
      const status = await new Promise<number>((resolve) => {
        const to = `${victim.url}/api/workspaces/default/tasks/next`
        const sent = request(to, { method: 'POST', headers: { ...victim.headers, ...headers } })
        sent.on('response', (answer) => {
          resolve(answer.statusCode ?? 0)
          answer.resume()
          sent.destroy()
        })
        sent.on('error', () => resolve(0))
        let left = chunks
        const push = (): void => {
          if (sent.destroyed) return
          if (left-- <= 0) sent.end()
          else sent.write(chunk, push)
        }
        push()
      })
      count(status)
    }
    return outcome
  }

const awareness: Attack = async (victim, isOver) => {
  const client = await dial(victim, isOver, () => {})
  if (client === null) return { sent: 0 }
  const name = 'x'.repeat(1_000)
  let clock = 0
  while (!isOver()) {
    for (let i = 0; i < 200; i++) {
      const state = { agent: { id: victim.agent, name, kind: 'agent' }, clock: ++clock }
      const json = new TextEncoder().encode(JSON.stringify(state))
      client.send(frame(1, frame(1, 77, clock, json)))
    }
    await pause(1)
    // Once it is not read from any more this only fills the attacker's memory.
    while (client.ws.bufferedAmount > MEBIBYTE && !isOver()) await pause(5)
  }
  client.ws.terminate()
  return { sent: clock }
}

/** A frame that says it is compressed, which was never agreed on. */
const deflated: Attack = async (victim, isOver) => {
  const { outcome, count } = counter()
  const bomb = gzipSync(Buffer.alloc(20 * MEBIBYTE))
  while (!isOver()) {
    const client = await dial(victim, isOver, count)
    if (client === null) break
    const { ws } = client
    if (ws.extensions !== '') count('agreed')
    const raw = (ws as unknown as { _socket: Socket })._socket
    const head = Buffer.from([0x80 | 0x40 | 2, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    head.writeBigUInt64BE(BigInt(bomb.length), 2)
    raw.write(Buffer.concat([head, bomb]))
    count(await client.closed)
  }
  return outcome
}

const nested = (depth: number): Uint8Array => {
  const doc = new Y.Doc()
  let map = doc.getMap('free')
  for (let i = 0; i < depth; i++) map = map.set('x', new Y.Map()) as Y.Map<unknown>
  return Y.encodeStateAsUpdate(doc)
}

/** An update of one client with an empty deletion set: `clock` is where its only struct begins. */
const enormousClock = (clock: number): Uint8Array => frame(1, 1, 99, clock, 0, 1, 0)

/** Operations that each build on one that nobody has. */
const baseless = (count: number): Uint8Array[] => {
  const doc = new Y.Doc()
  const text = doc.getText('free')
  text.insert(0, 'x')
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (let i = 0; i < count; i++) text.insert(0, 'y')
  return updates
}

/** So many collected structs of one character each: the most work for the bytes, in an update that is as it should be. */
export const crumbs = (count: number): Uint8Array =>
  encoding.encode((to) => {
    const client = Math.floor(Math.random() * 2 ** 31)
    for (const number of [1, count, client, 0]) encoding.writeVarUint(to, number)
    encoding.writeUint8Array(to, Buffer.alloc(2 * count, Buffer.from([0, 1])))
    encoding.writeVarUint(to, 0)
  })

/** Each client id writes once: what they take in a state vector is never given back. */
const manyClients = (count: number): Uint8Array =>
  encoding.encode((to) => {
    encoding.writeVarUint(to, count)
    for (let client = count; client > 0; client--) {
      for (const number of [1, 2 ** 31 + client, 0, 0, 1]) encoding.writeVarUint(to, number)
    }
    encoding.writeVarUint(to, 0)
  })

/** Sends a large update again and again, each waiting for the one before. */
const large =
  (make: () => Uint8Array): Attack =>
  async (victim, isOver) => {
    const { outcome, count } = counter()
    while (!isOver()) {
      const client = await dial(victim, isOver, count)
      if (client === null) break
      client.send(synced)
      client.update(make())
      count(
        await Promise.race([
          client.barrier().then(() => 'taken'),
          client.closed,
          (async () => {
            while (!isOver()) await pause(20)
            return 'under way'
          })(),
        ]),
      )
      client.ws.terminate()
    }
    return outcome
  }

/** "That is all that I have." */
const synced = frame(0, 1, new Uint8Array([0, 0]))

export const ATTACKS = {
  '2,000 connections that ask for nothing': connections(() => {}),
  '2,000 requests that never end': connections((socket) => {
    socket.write('GET /sync/default HTTP/1.1\r\nupgrade: websocket\r\n')
    const drip = setInterval(() => socket.write('x: y\r\n'), 100)
    socket.on('close', () => clearInterval(drip))
  }),
  '2,000 WebSocket handshakes without a credential': handshakes(() => ({})),
  '2,000 WebSocket handshakes with a wrong one': handshakes(() => ({
    authorization: `Bearer clc_${'x'.repeat(43)}`,
  })),
  '2,000 WebSocket handshakes of a member': handshakes(({ headers }) => headers),
  'bodies of 100 MB': bodies({}, 100, Buffer.alloc(MEBIBYTE, 120)),
  'bodies that unpack to 50 MB': bodies(
    { 'content-encoding': 'gzip' },
    1,
    gzipSync(Buffer.alloc(50 * MEBIBYTE)),
  ),
  'frames of 17 MB': eachClosed((client) => client.send(Buffer.alloc(17 * MEBIBYTE))),
  'frames of 15 MB that are nothing': eachClosed((client) =>
    client.send(Buffer.alloc(15 * MEBIBYTE, 255)),
  ),
  'compressed frames': deflated,
  'a flood of awareness': awareness,
  'enormous clocks': eachClosed((client) => {
    client.send(synced)
    client.update(enormousClock(2 ** 52))
  }),
  'updates that build on nothing': (() => {
    const updates = baseless(1_000)
    return eachClosed((client) => {
      for (const update of updates) client.update(update)
    })
  })(),
  'types nested 3,000 deep': (() => {
    const update = frame(0, 1, nested(3_000))
    return eachClosed((client) => client.send(update))
  })(),
  'updates of a million structs': large(() => crumbs(1_000_000)),
  'updates of 100,000 client ids': large(() => manyClients(100_000)),
} satisfies Record<string, Attack>

export type AttackName = keyof typeof ATTACKS

/** Connections that an attack opens at least, however slow the machine is. */
export const LEAST_HELD = 20

/** So many connections, one after the other, on which something is said; they stay, and nothing that comes is read. */
const holding =
  (count: number, say: (socket: Socket, victim: Victim) => void): Attack =>
  async (victim, isOver) => {
    const sockets: Socket[] = []
    while (sockets.length < count && (sockets.length < LEAST_HELD || !isOver())) {
      const socket = connect(victim.port, '127.0.0.1')
      socket.on('error', () => {})
      await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => {})
      socket.pause()
      say(socket, victim)
      sockets.push(socket)
      // Else all of it is in this process's memory first.
      for (let i = 0; i < 100 && socket.writableLength > 0 && !socket.destroyed; i++) await pause(1)
    }
    while (!isOver()) await pause(20)
    const left = sockets.filter(({ destroyed }) => !destroyed).length
    for (const socket of sockets) socket.destroy()
    return { opened: sockets.length, left }
  }

const LARGE_FILE = '/api/workspaces/default/files/content'
const unread = holding(300, (socket, { headers }) => {
  const asked = `GET ${LARGE_FILE}?key=large.txt HTTP/1.1\r\nhost: x\r\n`
  socket.write(`${asked}authorization: ${headers.authorization}\r\n\r\n`)
})

/** Those that have the server hold memory, until it is sent the rest or what it has sent is taken. */
export const HOLDS = {
  '300 answers of 4 MB that nobody takes': async (victim, isOver) => {
    const init = { headers: { ...victim.headers, 'content-type': 'application/json' } }
    const by = JSON.stringify({ name: victim.agent })
    const workspace = `${victim.url}/api/workspaces/default`
    await fetch(`${workspace}/register`, { ...init, method: 'POST', body: by })
    const file = { key: 'large.txt', content: `${'x'.repeat(99)}\n`.repeat(40_000), force: true }
    const put = { ...init, method: 'PUT', body: JSON.stringify(file) }
    await fetch(`${victim.url}${LARGE_FILE}`, put)
    return unread(victim, isOver)
  },
  '1,000 bodies of 1 MB that do not end, without a credential': holding(1_000, (socket) => {
    socket.write('POST /api/join HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n')
    socket.write(`content-length: ${MEBIBYTE}\r\n\r\n`)
    socket.write(Buffer.alloc(MEBIBYTE - 100, 32))
  }),
  '60 frames of 16 MB that do not end': holding(60, (socket, { headers }) => {
    const head =
      'GET /sync/default HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n'
    const key = 'sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n'
    socket.write(`${head}${key}authorization: ${headers.authorization}\r\n\r\n`)
    const frame = Buffer.alloc(14)
    frame.set([0x82, 0xff])
    frame.writeBigUInt64BE(BigInt(16 * MEBIBYTE), 2)
    socket.write(Buffer.concat([frame, Buffer.alloc(16 * MEBIBYTE - 1_000)]))
  }),
} satisfies Record<string, Attack>

export type HoldName = keyof typeof HOLDS
