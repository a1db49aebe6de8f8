import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { parseFrame } from '../../../protocol/frames.ts'
import { BufferPool } from '../../../sync-server/limits/buffer-pool.ts'
import { readEarly } from '../../../sync-server/limits/frames.ts'
import { liveDoc, RawClient, runSeed, seeded, until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { fetch, type ServerAt } from '../../support/server.ts'

let server: ServerAt
beforeAll(async () => {
  server = await startHere({ args: ['--log-level', 'error'] })
})
afterAll(() => server.stop())

/** A client's frame (RFC 6455, 5.2). */
const frame = (payload: Uint8Array, mask: Uint8Array): Buffer => {
  const { length } = payload
  const head = length < 126 ? 0 : length < 65_536 ? 2 : 8
  const bytes = Buffer.alloc(6 + head + length)
  bytes[0] = 0x82
  bytes[1] = 0x80 | (head === 0 ? length : head === 2 ? 126 : 127)
  if (head === 2) bytes.writeUInt16BE(length, 2)
  if (head === 8) bytes.writeBigUInt64BE(BigInt(length), 2)
  bytes.set(mask, 2 + head)
  for (let i = 0; i < length; i++) bytes[6 + head + i] = payload[i]! ^ mask[i & 3]!
  return bytes
}

it('[LIM-25] frames are unmasked and put together as they come, however they are cut', () => {
  const random = seeded(runSeed('frames'))
  const upTo = (n: number): number => Math.floor(random() * n)
  const bytesOf = (n: number) => Uint8Array.from({ length: n }, () => upTo(256))
  const payloads = [0, 1, 125, 126, 65_535, 65_536, 200_000, 262_145, 700_000].map(bytesOf)
  for (let i = 0; i < 50; i++) payloads.push(bytesOf(upTo(1_000)))
  const sent = Buffer.concat(payloads.map((payload) => frame(payload, bytesOf(4))))
  const expected = Buffer.concat(payloads.map((payload) => frame(payload, new Uint8Array(4))))
  for (const longest of [1, 10, 300, 70_000]) {
    const socket = Object.assign(new EventEmitter(), {
      pause() {},
      resume() {},
    }) as unknown as Socket
    const got: Buffer[] = []
    socket.on('data', (chunk: Buffer) => got.push(chunk))
    readEarly(socket, 600_000, () => false, new BufferPool(), { add: () => {} })
    for (let at = 0; at < sent.length; ) {
      const end = at + 1 + upTo(longest)
      socket.emit('data', Buffer.from(sent.subarray(at, end)))
      at = end
    }
    expect(Buffer.concat(got).equals(expected)).toBe(true)
    const pieces = got.map(({ length }) => length)
    expect(pieces.filter((length) => length > longest)).toEqual([262_145])
  }
})

it('[LIM-25] what comes after a close frame is read for nothing, and is no offence', async () => {
  const client = await RawClient.open(`${server.sync}/default`)
  await client.barrier()
  const raw = (client.ws as unknown as { _socket: Socket })._socket
  const close = frame(Buffer.from([1000 >> 8, 1000 & 255]), new Uint8Array(4))
  close[0] = 0x88
  raw.on('error', () => {})
  const gone = new Promise((done) => raw.on('close', done))
  // More than the server reads at a time.
  raw.end(Buffer.concat([close, Buffer.alloc(1_000_000, 255)]))
  await gone
  await until('the server is there', async () => (await fetch(`${server.url}/health`)).ok)
  const metrics = await (await fetch(`${server.url}/metrics`)).text()
  expect(metrics).not.toMatch(/closes_total\{/)
})

it('[LIM-25] memory of a large message is used again once it was given back, and for a while', () => {
  vi.useFakeTimers()
  try {
    const pool = new BufferPool()
    const [one, other] = [pool.take(700_000), pool.take(700_000)]
    expect(other.buffer).not.toBe(one.buffer)
    expect(one.length).toBe(700_000)
    pool.give(one)
    pool.give(one)
    const again = pool.take(800_000)
    expect(again.buffer).toBe(one.buffer)
    expect(again.length).toBe(800_000)
    expect(pool.take(1).buffer).not.toBe(one.buffer)
    pool.give(Buffer.alloc(10_000_000))
    expect(pool.take(10_000_000).buffer.byteLength).toBe(10 * 1024 * 1024)
    pool.give(again)
    vi.advanceTimersByTime(60_000)
    expect(pool.take(1).buffer).not.toBe(one.buffer)
    const three = [1, 2, 3].map((mebibytes) => pool.take(mebibytes * 1024 * 1024))
    for (const bytes of three) pool.give(bytes)
    expect(
      [3, 1, 1].map((n) =>
        three.map(({ buffer }) => buffer).indexOf(pool.take(n * 1024 * 1024).buffer),
      ),
    ).toEqual([2, 1, -1])
  } finally {
    vi.useRealTimers()
  }
})

it('[LIM-25] large messages of several, read at the same time, are each its own', async () => {
  const url = `${server.sync}/large`
  const letters = [...'abcdef']
  const clients = await Promise.all(letters.map(() => liveDoc(url, new Y.Doc())))
  const texts = clients.map(({ doc }, i) => doc.getText(`file:${letters[i]}`))
  const sizes = letters.map((_, i) => 270_000 + i * 90_000)
  for (let round = 0; round < 4; round++) {
    const broken = await RawClient.open(url)
    broken.send(Buffer.alloc(2_000_000, 255))
    // One behind the other, so that the next one begins in the piece in which one ends.
    for (const i of [...texts.keys(), ...texts.keys(), ...texts.keys()]) {
      texts[i]!.insert(texts[i]!.length, letters[i]!.repeat(sizes[i]!))
    }
    await Promise.all(clients.map(({ client }) => client.barrier()))
    await broken.closed
  }
  const { client, doc } = await liveDoc(url, new Y.Doc())
  client.subscribe()
  await client.barrier()
  for (const [i, letter] of letters.entries()) {
    expect(doc.getText(`file:${letter}`).toString() === letter.repeat(sizes[i]! * 12)).toBe(true)
  }
  await Promise.all([client, ...clients.map(({ client }) => client)].map((one) => one.close()))
})

it('[LIM-25] what is read of a message is a copy, as its memory is used again', () => {
  const message = Buffer.from([0, 2, 3, 1, 2, 3])
  const frame = parseFrame(message, 100)
  message.fill(0)
  expect(frame).toEqual({ type: 'update', update: Uint8Array.of(1, 2, 3), isSyncStep2: false })
})
