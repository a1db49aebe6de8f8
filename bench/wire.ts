import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

/** How to talk to a contender: what a client says first, and how an update is wrapped. */
export interface Wire {
  path: (room: string) => string
  /** Messages that a new client sends at once. */
  hello: (room: string) => Uint8Array[]
  /** True for the message that says "you are in the room, and get every update from here on". */
  isWelcome: (message: Uint8Array) => boolean
  wrap: (room: string, update: Uint8Array) => Uint8Array
  /** The Yjs update in a message, or null if there is none. */
  unwrap: (message: Uint8Array) => Uint8Array | null
  /** The same for an awareness update, as y-protocols encodes it. */
  wrapAwareness: (room: string, update: Uint8Array) => Uint8Array
  unwrapAwareness: (message: Uint8Array) => Uint8Array | null
}

export type WireName = 'stock' | 'hocuspocus' | 'bare' | 'durable'

const SYNC = 0
const AWARENESS = 1
const STEP_1 = 0
const STEP_2 = 1
const UPDATE = 2
const EMPTY_STATE_VECTOR = new Uint8Array([0])
const EMPTY_UPDATE = new Uint8Array([0, 0])

const writeSync = (encoder: encoding.Encoder, step: number, body: Uint8Array) => {
  encoding.writeVarUint(encoder, SYNC)
  encoding.writeVarUint(encoder, step)
  encoding.writeVarUint8Array(encoder, body)
}
const sync = (step: number, body: Uint8Array): Uint8Array =>
  encoding.encode((encoder) => writeSync(encoder, step, body))

const readSyncUpdate = (decoder: decoding.Decoder): Uint8Array | null => {
  if (decoding.readVarUint(decoder) !== SYNC) return null
  return decoding.readVarUint(decoder) === STEP_1 ? null : decoding.readVarUint8Array(decoder)
}

const writeAwareness = (encoder: encoding.Encoder, update: Uint8Array) => {
  encoding.writeVarUint(encoder, AWARENESS)
  encoding.writeVarUint8Array(encoder, update)
}
const readAwareness = (decoder: decoding.Decoder): Uint8Array | null =>
  decoding.readVarUint(decoder) === AWARENESS ? decoding.readVarUint8Array(decoder) : null

/** What y-websocket speaks, and clawlink-sync with it. */
const stock: Wire = {
  path: (room) => `/sync/${room}`,
  hello: () => [sync(STEP_1, EMPTY_STATE_VECTOR), sync(STEP_2, EMPTY_UPDATE)],
  isWelcome: (message) => message[0] === SYNC && message[1] === STEP_2,
  wrap: (_room, update) => sync(UPDATE, update),
  unwrap: (message) => readSyncUpdate(decoding.createDecoder(message)),
  wrapAwareness: (_room, update) => encoding.encode((encoder) => writeAwareness(encoder, update)),
  unwrapAwareness: (message) => readAwareness(decoding.createDecoder(message)),
}

/** Hocuspocus: the document's name before every message, and an authentication message (2, 0, token) first. */
const named = (room: string, write: (encoder: encoding.Encoder) => void): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeVarString(encoder, room)
    write(encoder)
  })
const HOCUSPOCUS_AUTH = 2
const AUTH_TOKEN = 0
const hocuspocusBody = (message: Uint8Array): decoding.Decoder => {
  const decoder = decoding.createDecoder(message)
  decoding.readVarString(decoder)
  return decoder
}
const hocuspocus: Wire = {
  path: () => '/',
  hello: (room) => [
    named(room, (encoder) => {
      encoding.writeVarUint(encoder, HOCUSPOCUS_AUTH)
      encoding.writeVarUint(encoder, AUTH_TOKEN)
      encoding.writeVarString(encoder, '')
    }),
    named(room, (encoder) => writeSync(encoder, STEP_1, EMPTY_STATE_VECTOR)),
  ],
  isWelcome: (message) => {
    const decoder = hocuspocusBody(message)
    return decoding.readVarUint(decoder) === SYNC && decoding.readVarUint(decoder) === STEP_2
  },
  wrap: (room, update) => named(room, (encoder) => writeSync(encoder, UPDATE, update)),
  unwrap: (message) => readSyncUpdate(hocuspocusBody(message)),
  wrapAwareness: (room, update) => named(room, (encoder) => writeAwareness(encoder, update)),
  unwrapAwareness: (message) => readAwareness(hocuspocusBody(message)),
}

/** The floors relay whatever they get and greet a new client with one byte; nothing else is said. */
const bare: Wire = { ...stock, path: () => '/', hello: () => [], isWelcome: () => true }

/** The durable floor knows rooms. */
const durable: Wire = { ...bare, path: stock.path }

export const WIRES: Record<WireName, Wire> = { stock, hocuspocus, bare, durable }

const FIN_BINARY = 0x82
const MASKED = 0x80

/**
 * A client's WebSocket frame. The mask is zero, so the payload stays as it is: a server unmasks it as any other,
 * and the load generator saves the work.
 */
export const clientFrame = (message: Uint8Array): Buffer => {
  const size = message.length
  const head = size < 126 ? 2 : size < 65_536 ? 4 : 10
  const frame = Buffer.alloc(head + 4 + size)
  frame[0] = FIN_BINARY
  frame[1] = MASKED | (head === 2 ? size : head === 4 ? 126 : 127)
  if (head === 4) frame.writeUInt16BE(size, 2)
  if (head === 10) frame.writeBigUInt64BE(BigInt(size), 2)
  frame.set(message, head + 4)
  return frame
}

/** The whole frames at the start of a server's bytes: their data messages, and how many bytes they took. */
export const readServerFrames = (bytes: Buffer): { messages: Buffer[]; read: number } => {
  const messages: Buffer[] = []
  let at = 0
  while (at + 2 <= bytes.length) {
    const short = bytes[at + 1]! & 0x7f
    const head = short < 126 ? 2 : short === 126 ? 4 : 10
    if (at + head > bytes.length) break
    const size =
      head === 2
        ? short
        : head === 4
          ? bytes.readUInt16BE(at + 2)
          : Number(bytes.readBigUInt64BE(at + 2))
    if (at + head + size > bytes.length) break
    if ((bytes[at]! & 0x0f) === 2) messages.push(bytes.subarray(at + head, at + head + size))
    at += head + size
  }
  return { messages, read: at }
}
