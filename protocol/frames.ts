import * as decoding from 'lib0/decoding'
import { ERRORS } from './errors.ts'

/** Size in bytes of one fragment of a large WebSocket message: pings pass between two fragments. */
export const FRAGMENT_BYTES = 128 * 1024

/**
 * The frames on `/sync/<workspace>`, as y-protocols and y-websocket 3 define them, plus the barrier:
 *
 *   message   = 0 sync | 1 awareness | 3 (query awareness) | 100 nonce (barrier)
 *   sync      = 0 bytes (SyncStep1: state vector) | 1 bytes (SyncStep2: update) | 2 bytes (update)
 *   awareness = bytes(count (clientID clock json)*)
 *
 * Numbers are lib0 varuints; bytes and json are length-prefixed. This file knows nothing of a document's content.
 */
export const SYNC = 0
export const SYNC_STEP_1 = 0
export const SYNC_STEP_2 = 1
export const SYNC_UPDATE = 2
export const AWARENESS = 1
const QUERY_AWARENESS = 3
export const BARRIER = 100

/**
 * A client that sends this header with the value 1 in its upgrade request asks for heads. The server answers its barriers
 * with `100 nonce seq head`: `head` is HEAD_BYTES of the log's hash chain at position `seq`.
 */
export const HEADS_HEADER = 'clawlink-heads'
export const HEAD_BYTES = 32

/** In the answer to an upgrade that another node forwarded: the address at which clients reach the owner directly. */
export const OWNER_HEADER = 'clawlink-owner'

/**
 * Close codes that the server sends, beside the standard 1000–1015. They are those of the table of errors; `replaced` is
 * not an error: the agent has opened a newer WebSocket.
 */
export const CLOSE = {
  malformed: ERRORS.malformed.close,
  unauthorized: ERRORS.unauthorized.close,
  notAllowed: ERRORS.not_allowed.close,
  slowReader: ERRORS.slow_reader.close,
  gap: ERRORS.gap.close,
  moved: ERRORS.moved.close,
  replaced: 4410,
  tooLarge: ERRORS.too_large.close,
  full: ERRORS.quota.close,
  invalid: ERRORS.invalid.close,
  forged: ERRORS.forged.close,
  storageFailed: ERRORS.storage_failed.close,
} as const

/** A frame that breaks the grammar or a limit; the connection that sent it is closed with `code`. */
export class WireError extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

/** A value thrown while reading a client's message, as the error that closes the connection; `malformed` by default. */
export const asWireError = (thrown: unknown): WireError =>
  thrown instanceof WireError
    ? thrown
    : new WireError(CLOSE.malformed, thrown instanceof Error ? thrown.message : String(thrown))

export interface AwarenessEntry {
  client: number
  clock: number
  /** JSON; `null`: the client has left. */
  json: string
}

export type Frame =
  | { type: 'syncStep1'; stateVector: Uint8Array }
  | { type: 'update'; update: Uint8Array; isSyncStep2: boolean }
  | { type: 'awareness'; entries: AwarenessEntry[] }
  | { type: 'queryAwareness' }
  | { type: 'barrier'; nonce: number }

/**
 * Reads a length-prefixed byte string and copies it: the memory of the message is reused. lib0's reader checks lengths only
 * against the ArrayBuffer, which sockets share; without the copy, a wrong length inside an update would read other messages.
 * Throws if the length points past the end of the message.
 */
const readBytes = (decoder: decoding.Decoder): Uint8Array => {
  const length = decoding.readVarUint(decoder)
  const end = decoder.pos + length
  if (end > decoder.arr.length) throw new Error('a length points past the end of the frame')
  // `slice` of a Buffer would be the same memory.
  const bytes = new Uint8Array(decoder.arr.subarray(decoder.pos, end))
  decoder.pos = end
  return bytes
}

/**
 * Largest clock of awareness and of Yjs (count). Its successor must be a safe integer: lib0 throws on larger ones, in every
 * client that reads it.
 */
export const MAX_CLOCK = 2 ** 40

/** Levels of arrays and objects in an awareness state (count): a cursor has 4. */
const MAX_STATE_DEPTH = 16

const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1)))

const readText = (bytes: Uint8Array): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Error('a text is not UTF-8')
  }
}

const readJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error('an awareness state is not JSON')
  }
}

const readAwareness = (bytes: Uint8Array, most: number): AwarenessEntry[] => {
  const decoder = decoding.createDecoder(bytes)
  const entries: AwarenessEntry[] = []
  for (let left = decoding.readVarUint(decoder); left > 0; left--) {
    const client = decoding.readVarUint(decoder)
    const clock = decoding.readVarUint(decoder)
    if (clock > MAX_CLOCK) throw new WireError(CLOSE.invalid, 'awareness clock out of range')
    const json = readText(readBytes(decoder))
    if (json.length > most) {
      throw new WireError(CLOSE.tooLarge, `awareness state over ${most} bytes`)
    }
    if (isDeeper(readJson(json), MAX_STATE_DEPTH)) {
      throw new WireError(
        CLOSE.invalid,
        `awareness state nested deeper than ${MAX_STATE_DEPTH} levels`,
      )
    }
    entries.push({ client, clock, json })
  }
  if (decoding.hasContent(decoder)) throw new Error('bytes after the last awareness entry')
  return entries
}

const readFrame = (decoder: decoding.Decoder, maxAwareness: number): Frame => {
  const type = decoding.readVarUint(decoder)
  if (type === SYNC) {
    const step = decoding.readVarUint(decoder)
    if (step === 0) return { type: 'syncStep1', stateVector: readBytes(decoder) }
    if (step > 2) throw new Error(`unknown sync message ${step}`)
    return { type: 'update', update: readBytes(decoder), isSyncStep2: step === 1 }
  }
  if (type === AWARENESS) {
    return { type: 'awareness', entries: readAwareness(readBytes(decoder), maxAwareness) }
  }
  if (type === QUERY_AWARENESS) return { type: 'queryAwareness' }
  if (type === BARRIER) return { type: 'barrier', nonce: decoding.readVarUint(decoder) }
  throw new Error(`unknown message type ${type}`)
}

/** Reads one message; throws WireError (`malformed`, `tooLarge`: an awareness state of more than `maxAwareness` bytes). */
export const parseFrame = (message: Uint8Array, maxAwareness: number): Frame => {
  try {
    const decoder = decoding.createDecoder(message)
    const frame = readFrame(decoder, maxAwareness)
    if (decoding.hasContent(decoder)) throw new Error('bytes after the end of the message')
    return frame
  } catch (error) {
    throw asWireError(error)
  }
}
