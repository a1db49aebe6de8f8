import * as encoding from 'lib0/encoding'
import {
  AWARENESS,
  type AwarenessEntry,
  BARRIER,
  FRAGMENT_BYTES,
  SYNC,
  SYNC_UPDATE,
} from '../../../protocol/frames.ts'
import type { Head } from '../../storage/chain.ts'

/** Length of a WebSocket frame's header for a payload of `size` bytes, unmasked (RFC 6455, 5.2). */
const headerSize = (size: number): number => (size < 126 ? 2 : size < 65_536 ? 4 : 10)

const writeHeader = (buffer: Buffer, firstByte: number, size: number): number => {
  buffer[0] = firstByte
  if (size < 126) {
    buffer[1] = size
    return 2
  }
  if (size < 65_536) {
    buffer[1] = 126
    buffer.writeUInt16BE(size, 2)
    return 4
  }
  buffer[1] = 127
  buffer.writeBigUInt64BE(BigInt(size), 2)
  return 10
}

const FIN = 0x80
const BINARY = 2
const CONTINUATION = 0

/** The WebSocket frame of a message `head ++ body`, ready for `socket.write`. */
const frameOf = (head: Uint8Array, body: Uint8Array): Buffer => {
  const size = head.length + body.length
  const buffer = Buffer.allocUnsafe(headerSize(size) + size)
  const start = writeHeader(buffer, FIN | BINARY, size)
  buffer.set(head, start)
  buffer.set(body, start + head.length)
  return buffer
}

const EMPTY = new Uint8Array(0)
const frame = (write: (encoder: encoding.Encoder) => void): Buffer =>
  frameOf(encoding.encode(write), EMPTY)

const syncHead = (step: number, size: number): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, SYNC)
    encoding.writeVarUint(encoder, step)
    encoding.writeVarUint(encoder, size)
  })

/** A Yjs update as a sync `update` message, in one frame; written at once, as each update that comes in is. */
export const updateFrame = (update: Uint8Array): Buffer => {
  const { length } = update
  const size = 2 + varUintSize(length) + length
  const buffer = Buffer.allocUnsafe(headerSize(size) + size)
  let at = writeHeader(buffer, FIN | BINARY, size)
  buffer[at++] = SYNC
  buffer[at++] = SYNC_UPDATE
  let left = length
  for (; left > 127; left = Math.floor(left / 128)) buffer[at++] = (left & 127) | 128
  buffer[at++] = left
  buffer.set(update, at)
  return buffer
}

/** Length of a number as lib0 writes it. */
const varUintSize = (number: number): number => {
  let size = 1
  for (let left = number; left > 127; left = Math.floor(left / 128)) size++
  return size
}

/** A message of any size as WebSocket fragments, so that control frames get through between them. */
const fragments = (head: Uint8Array, body: Uint8Array): Buffer[] => {
  if (head.length + body.length <= FRAGMENT_BYTES) return [frameOf(head, body)]
  const message = Buffer.concat([head, body])
  const frames: Buffer[] = []
  for (let at = 0; at < message.length; at += FRAGMENT_BYTES) {
    const part = message.subarray(at, at + FRAGMENT_BYTES)
    const last = at + FRAGMENT_BYTES >= message.length
    const buffer = Buffer.allocUnsafe(headerSize(part.length) + part.length)
    const opcode = at === 0 ? BINARY : CONTINUATION
    buffer.set(part, writeHeader(buffer, (last ? FIN : 0) | opcode, part.length))
    frames.push(buffer)
  }
  return frames
}

export const updateFragments = (update: Uint8Array): Buffer[] =>
  fragments(syncHead(2, update.length), update)

export const syncStep2Fragments = (update: Uint8Array): Buffer[] =>
  fragments(syncHead(1, update.length), update)

/**
 * An empty SyncStep2: `synced` becomes true on a stock client. Its payload is the empty Yjs update.
 */
export const SYNC_DONE: Buffer = syncStep2Fragments(new Uint8Array([0, 0]))[0]!

export const syncStep1Frame = (stateVector: Uint8Array): Buffer =>
  frameOf(syncHead(0, stateVector.length), stateVector)

/** The answer to a barrier; `head` for a client that keeps heads. */
export const barrierFrame = (nonce: number, head: Head | null = null): Buffer =>
  frame((encoder) => {
    encoding.writeVarUint(encoder, BARRIER)
    encoding.writeVarUint(encoder, nonce)
    if (head === null) return
    encoding.writeVarUint(encoder, head.seq)
    encoding.writeUint8Array(encoder, head.head)
  })

/** Without entries it is a keep-alive that changes nothing. */
export const awarenessFrame = (entries: readonly AwarenessEntry[]): Buffer =>
  frame((encoder) => {
    const body = encoding.encode((inner) => {
      encoding.writeVarUint(inner, entries.length)
      for (const { client, clock, json } of entries) {
        encoding.writeVarUint(inner, client)
        encoding.writeVarUint(inner, clock)
        encoding.writeVarString(inner, json)
      }
    })
    encoding.writeVarUint(encoder, AWARENESS)
    encoding.writeVarUint8Array(encoder, body)
  })
