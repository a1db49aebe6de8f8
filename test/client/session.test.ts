import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { afterEach, expect, it, vi } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as syncProtocol from 'y-protocols/sync'
import * as Y from 'yjs'
import { Replica } from '../../client/replica/replica.ts'
import { backoffMs } from '../../client/session/closing.ts'
import { Session } from '../../client/session/session.ts'
import { ClawError } from '../../protocol/errors.ts'
import { AWARENESS, BARRIER, HEAD_BYTES, SYNC } from '../../protocol/frames.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { until } from '../support/client.ts'
import { startServer, targetOf, tempDir } from '../support/server.ts'

const TIMEOUT_MS = 20_000
const closers: (() => unknown)[] = []
afterEach(async () => {
  vi.useRealTimers()
  for (const close of closers.splice(0).reverse()) await close()
})

const openReplica = async () => {
  const replica = await Replica.open(join(tempDir('session'), 'r'), () => {})
  closers.push(() => replica.close().catch(() => {}))
  return replica
}
const connect = (url: string, replica: Replica, id?: string, beatMs?: number) => {
  const presence = { agent: { id: id as AgentId, name: 'N', kind: 'agent' as const } }
  const session = new Session(targetOf(url), 'default', replica, id ? presence : null, beatMs)
  closers.push(() => session.close())
  return session
}

/** A server of the sync protocol that shows what reaches it, and does no more than it is told. */
const stub = async (onSocket: (socket: WebSocket, doc: Y.Doc) => void, autoPong = true) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', autoPong })
  const doc = new Y.Doc()
  const frames: Uint8Array[] = []
  server.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => frames.push(data))
    onSocket(socket, doc)
  })
  await once(server, 'listening')
  closers.push(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, frames, server, doc }
}

/** Syncs like any y-websocket server; `onBarrier` gets the frames of type 100. */
const syncing = (onBarrier: (socket: WebSocket, frame: Buffer) => void) => {
  return (socket: WebSocket, doc: Y.Doc) => {
    const frame = (write: (encoder: encoding.Encoder) => void) => {
      const encoder = encoding.createEncoder()
      encoding.writeVarUint(encoder, 0)
      write(encoder)
      if (encoding.length(encoder) > 1) socket.send(encoding.toUint8Array(encoder))
    }
    frame((encoder) => syncProtocol.writeSyncStep1(encoder, doc))
    socket.on('message', (data: Buffer) => {
      if (data[0] === 100) onBarrier(socket, data)
      const decoder = decoding.createDecoder(data)
      if (decoding.readVarUint(decoder) !== 0) return
      frame((encoder) => syncProtocol.readSyncMessage(decoder, encoder, doc, null))
    })
  }
}

const awarenessFrame = (awareness: Awareness, client: number): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, AWARENESS)
    encoding.writeVarUint8Array(encoder, encodeAwarenessUpdate(awareness, [client]))
  })

/** The client ids of which an awareness frame shows states. */
const clientsIn = (bytes: Uint8Array): number[] => {
  const decoder = decoding.createDecoder(bytes)
  decoding.readVarUint(decoder)
  const update = decoding.createDecoder(decoding.readVarUint8Array(decoder))
  return Array.from({ length: decoding.readVarUint(update) }, () => {
    const client = decoding.readVarUint(update)
    decoding.readVarUint(update)
    decoding.readVarString(update)
    return client
  })
}

it('[PRESENCE-10] a session sends its own presence, and never that of others back', async () => {
  const others = new Awareness(new Y.Doc())
  closers.push(() => others.destroy())
  const { url, frames, server } = await stub(syncing((socket, frame) => socket.send(frame)))
  const replica = await openReplica()
  const session = connect(url, replica, 'a-1')
  await session.synced(TIMEOUT_MS)
  const [socket] = server.clients
  for (let n = 0; n < 5; n++) {
    others.setLocalState({ agent: { id: 'a-2', name: 'B', kind: 'agent' }, n })
    socket!.send(awarenessFrame(others, others.clientID))
  }
  await until('the other is seen', () => session.present().has('a-2' as AgentId))
  session.show({ agent: { id: 'a-1' as AgentId, name: 'M', kind: 'agent' } })
  await session.barrier(TIMEOUT_MS)
  const shown = frames.filter(([type]) => type === AWARENESS).flatMap(clientsIn)
  expect(shown.length).toBeGreaterThan(0)
  expect(new Set(shown)).toEqual(new Set([replica.doc.clientID]))
})

it('[REPLICA-1] nothing is on the wire before it is on the local disk', async () => {
  const { url, frames, server, doc } = await stub(syncing((socket, frame) => socket.send(frame)))
  const replica = await openReplica()
  const session = connect(url, replica)
  await session.synced(TIMEOUT_MS)
  await session.barrier(TIMEOUT_MS)

  let release = () => {}
  const disk = new Promise<void>((resolve) => {
    release = resolve
  })
  const commit = replica.commit.bind(replica)
  replica.commit = () => disk.then(commit)
  const before = frames.length
  replica.doc.getArray('list').push([1])
  const barrier = session.barrier(TIMEOUT_MS)
  const [socket] = server.clients
  for (let i = 0; i < 3; i++) {
    socket!.ping()
    await once(socket!, 'pong')
  }
  expect(frames.length).toBe(before)
  release()
  await barrier
  expect(doc.getArray('list').toArray()).toEqual([1])
})

it('[REPLICA-1] what the disk refuses is never sent, and whoever waits is told', async () => {
  const { url, doc } = await stub(syncing((socket, frame) => socket.send(frame)))
  const replica = await openReplica()
  const session = connect(url, replica)
  await session.synced(TIMEOUT_MS)
  replica.commit = () => Promise.reject(new ClawError('data_unusable', 'disk full'))
  replica.doc.getArray('list').push([1])
  await expect(session.barrier(TIMEOUT_MS)).rejects.toMatchObject({ code: 'data_unusable' })
  expect(doc.getArray('list').length).toBe(0)
})

it('[BARRIER-1] [BARRIER-3] a barrier whose connection breaks is asked again on the next one', async () => {
  let asked = 0
  const { url, doc } = await stub(
    syncing((socket, frame) => {
      if (asked++ === 0) socket.terminate()
      else socket.send(frame)
    }),
  )
  const replica = await openReplica()
  const session = connect(url, replica)
  await session.synced(TIMEOUT_MS)
  replica.doc.getArray('list').push([1])
  await session.barrier(TIMEOUT_MS)
  expect(asked).toBe(2)
  expect(doc.getArray('list').toArray()).toEqual([1])
})

it('[REPLICA-6] is not synced before it has sent what the server lacked', async () => {
  const { url, doc } = await stub(syncing((socket, frame) => socket.send(frame)))
  const replica = await openReplica()
  replica.doc.getArray('list').push([1, 2])
  const session = connect(url, replica)
  await session.synced(TIMEOUT_MS)
  await session.barrier(TIMEOUT_MS)
  expect(doc.getArray('list').toArray()).toEqual([1, 2])
})

it.each([
  [4413, 'too_large'],
  [1009, 'too_large'],
  [4400, 'malformed'],
  [4403, 'not_allowed'],
  [4503, 'storage_failed'],
  [1001, 'shutting_down'],
])('close code %i is %s', async (closeCode, code) => {
  const { url } = await stub((socket) => socket.close(closeCode, 'because'))
  const session = connect(url, await openReplica())
  await expect(session.synced(TIMEOUT_MS)).rejects.toMatchObject({ code })
})

it.each(['by closing', 'at the handshake'])(
  '[LINK-20] a credential that was revoked, said %s, is not shown again; the next one is',
  async (how) => {
    const ended = 'the credential was revoked'
    const shown: (string | undefined)[] = []
    const { url, server } = await stub((socket, doc) => {
      if (shown.at(-1)?.endsWith('old')) socket.close(4401, ended)
      else syncing((one, frame) => one.send(frame))(socket, doc)
    })
    server.options.verifyClient = ({ req: { headers } }, done) => {
      shown.push(headers.authorization)
      if (how === 'by closing' || !headers.authorization?.endsWith('old')) return done(true)
      const error = { code: 'revoked', message: ended, hint: '', retryable: false }
      done(false, 401, JSON.stringify({ ok: false, error }))
    }
    let token = 'old'
    const target = { ...targetOf(url), token: () => token }
    const session = new Session(target, 'default', await openReplica(), null)
    closers.push(() => session.close())
    const over = { code: 'revoked', message: expect.stringContaining('was revoked') }
    await expect(session.synced(TIMEOUT_MS)).rejects.toMatchObject(over)
    for (let i = 0; i < 3; i++) {
      session.wake()
      session.redial()
      await expect(session.fresh(TIMEOUT_MS)).rejects.toMatchObject(over)
    }
    expect(session.contact).toMatchObject({ connected: false, why: over })
    expect(shown).toEqual(['Bearer old'])
    token = 'new'
    await session.fresh(TIMEOUT_MS)
    expect(shown).toEqual(['Bearer old', 'Bearer new'])
  },
)

it('[REPLICA-6] [REPLICA-11] tries to reconnect are spread, ever rarer, and never rarer than every 2.5 s', () => {
  for (let tries = 1; tries < 30; tries++) {
    const [soonest, latest] = [backoffMs(tries, 0), backoffMs(tries, 1)]
    expect(latest).toBe(Math.min(100 * 2 ** tries, 2_500))
    expect(soonest).toBe(latest / 4)
  }
})

it('[REPLICA-6] a slow reader that was cut off connects again', async () => {
  let connections = 0
  const sync = syncing(() => {})
  const { url } = await stub((socket, doc) => {
    if (connections++ === 0) socket.close(4408)
    else sync(socket, doc)
  })
  await connect(url, await openReplica()).synced(TIMEOUT_MS)
  expect(connections).toBe(2)
})

it('[REPLICA-14] updates that were read together are one transaction, before what came after them', async () => {
  const { url, server, doc } = await stub(syncing((socket, frame) => socket.send(frame)))
  const replica = await openReplica()
  const session = connect(url, replica)
  await session.synced(TIMEOUT_MS)
  await session.barrier(TIMEOUT_MS)
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  const list = doc.getArray('list')
  for (let n = 0; n < 20; n++) list.push([n])

  const transactions: unknown[] = []
  replica.doc.on('update', () => transactions.push(replica.doc.getArray('list').toArray()))
  const [socket] = server.clients as Set<WebSocket & { _socket: Socket }>
  socket!._socket.cork()
  for (const update of updates) {
    socket!.send(
      encoding.encode((encoder) => {
        encoding.writeVarUint(encoder, SYNC)
        syncProtocol.writeUpdate(encoder, update)
      }),
    )
  }
  // An answer to a barrier, which nobody has asked for.
  let atBarrier: unknown[] | null = null
  session.onHead = () => {
    atBarrier = replica.doc.getArray('list').toArray()
  }
  const head = encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, BARRIER)
    encoding.writeVarUint(encoder, 1_000)
    encoding.writeVarUint(encoder, 1)
    encoding.writeUint8Array(encoder, new Uint8Array(HEAD_BYTES))
  })
  socket!.send(head)
  socket!._socket.uncork()
  await until('the barrier has come', () => atBarrier !== null)
  expect(atBarrier).toEqual(list.toArray())
  expect(transactions).toEqual([list.toArray()])
})

it('[REPLICA-7] a server that is silent over two beats is given up, and dialed again', async () => {
  let connections = 0
  const sync = syncing(() => {})
  const { url } = await stub((socket, doc) => {
    connections++
    sync(socket, doc)
  }, false)
  const session = connect(url, await openReplica(), undefined, 50)
  await session.synced(TIMEOUT_MS)
  await until('it has dialed again', () => connections >= 2)
  await session.synced(TIMEOUT_MS)
})

it('[REPLICA-12] while a write waits, a silent server is given up before a beat', async () => {
  // A beat, let alone the second one, comes later than the barrier must.
  const beatMs = 1.5 * TIMEOUT_MS
  let connections = 0
  const { url } = await stub((socket, doc) => {
    const isFirst = ++connections === 1
    syncing((to, frame) => isFirst || to.send(frame))(socket, doc)
  }, false)
  const session = connect(url, await openReplica(), undefined, beatMs)
  await session.synced(TIMEOUT_MS)
  await session.barrier(TIMEOUT_MS)
  expect(connections).toBe(2)
})

it('[REPLICA-12] … and one that answers pings is kept, however long its answer takes', async () => {
  let connections = 0
  let pings = 0
  const { url } = await stub((socket, doc) => {
    connections++
    syncing((to, frame) => {
      to.on('ping', () => ++pings === 8 && to.send(frame))
    })(socket, doc)
  })
  const session = connect(url, await openReplica(), undefined, 500)
  await session.synced(TIMEOUT_MS)
  await session.barrier(TIMEOUT_MS)
  expect(pings).toBeGreaterThanOrEqual(8)
  expect(connections).toBe(1)
})

it('[REPLICA-7] [REPLICA-10] … not one that takes long to send what is large', async () => {
  let connections = 0
  let pings = 0
  const { url } = await stub((socket, doc) => {
    connections++
    doc.getArray('list').push(['large'])
    const step2 = encoding.encode((encoder) => {
      encoding.writeVarUint(encoder, 0)
      syncProtocol.writeSyncStep2(encoder, doc)
    })
    let sent = 0
    socket.on('ping', () => {
      if (sent === step2.length) return
      pings++
      socket.send(step2.subarray(sent, sent + 1), { fin: ++sent === step2.length })
    })
  }, false)
  const replica = await openReplica()
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] })
  connect(url, replica, undefined, 50)
  await until('it is connected', () => connections === 1)
  while (replica.doc.getArray('list').length === 0) {
    const before = pings
    vi.advanceTimersByTime(50)
    // A beat before the connection is open asks for nothing.
    for (let turn = 0; turn < 50 && pings === before; turn++) await setImmediate()
    for (let turn = 0; turn < 5; turn++) await setImmediate() // the piece is read
  }
  expect(pings).toBeGreaterThan(10)
  expect(connections).toBe(1)
})

it('[PRESENCE-1] agents see each other while they are connected', async () => {
  const server = await startServer()
  closers.push(() => server.stop())
  const first = connect(server.url, await openReplica(), 'a-1')
  await first.synced(TIMEOUT_MS)
  await first.barrier(TIMEOUT_MS)
  const second = connect(server.url, await openReplica(), 'a-2')
  await second.synced(TIMEOUT_MS)
  expect([...second.present().keys()].sort()).toEqual(['a-1', 'a-2'])
  const gone = new Promise<void>((resolve) => {
    second.onPresence(() => {
      if (!second.present().has('a-1' as AgentId)) resolve()
    })
  })
  first.close()
  await gone
})

it('[REPLICA-4] goes on under the client id that Yjs takes when it meets its own from elsewhere', async () => {
  const server = await startServer()
  closers.push(() => server.stop())
  const [one, two] = [await openReplica(), await openReplica()]
  const { clientID } = one.doc
  one.doc.getArray('list').push([1])
  const first = connect(server.url, one, 'a-1')
  await first.synced(TIMEOUT_MS)
  await first.barrier(TIMEOUT_MS)
  first.close()

  two.doc.clientID = clientID
  const second = connect(server.url, two, 'a-2')
  await second.synced(TIMEOUT_MS)
  expect(two.doc.clientID).not.toBe(clientID)
  two.doc.getArray('list').push([2])
  await second.barrier(TIMEOUT_MS)
  expect(two.doc.getArray('list').toArray()).toEqual([1, 2])
  second.close()
})
