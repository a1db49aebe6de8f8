import type { Socket } from 'node:net'
import type { Hold } from '../sync/held.ts'
import type { BufferPool } from './buffer-pool.ts'

/** The shortest header: two bytes and the mask. */
const SHORTEST = 6

/** Payloads longer than this are assembled here (bytes). */
const LARGE = 256 * 1024

/** From this many bytes on, four are unmasked at a time where they are aligned. */
const LONG = 256

/** Bits of a frame's first byte: the last frame of its message; a control frame, which is in no message (RFC 6455, 5.2). */
const FIN = 0x80
const CONTROL = 0x08

/** The progress of messages on a socket. */
export interface Incoming {
  /** A message has begun, and more of it is to come. */
  isPartial: boolean
  /** The number of the message, and its bytes so far. */
  message: number
  size: number
  /** Bytes of all messages so far. */
  came: number
  /** Reads no more. */
  end: () => void
}

/** Takes a mask off the bytes from `from` to `to`, of which the first is the mask's byte `used` (RFC 6455, 5.3). */
const unmask = (
  bytes: Uint8Array,
  from: number,
  to: number,
  mask: Uint8Array,
  used: number,
): void => {
  let i = from
  if (to - from >= LONG && (bytes.byteOffset + from) % 4 === 0) {
    const turned = Uint8Array.from(mask, (_, at) => mask[(used + at) & 3]!)
    const word = new Uint32Array(turned.buffer)[0]!
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset + from, (to - from) >> 2)
    for (let at = 0; at < words.length; at++) words[at]! ^= word
    i += words.length * 4
  }
  for (; i < to; i++) bytes[i]! ^= mask[(used + i - from) & 3]!
}

/**
 * Unmasks and assembles frames as they come. `ws` does both in one go once a frame is complete, which takes 30 ms for one
 * of 16 MB. It sees a mask of zeros, which leaves it nothing to do, and a large payload as one piece.
 */
class EarlyReader {
  readonly incoming: Incoming
  readonly #socket: Socket
  /** `ws`' own listener. */
  readonly #read: (chunk: Buffer) => void
  readonly #most: number
  readonly #isPaused: () => boolean
  readonly #pool: BufferPool
  readonly #hold: Pick<Hold, 'add'>
  readonly #header = new Uint8Array(14)
  readonly #mask = new Uint8Array(4)
  /** Bytes of the header that have come, and that it has. */
  #have = 0
  #size = SHORTEST
  /** Bytes of the payload still to come, and the position in the mask. */
  #left = 0
  #used = 0
  /** A large payload, with the bytes filled so far, and its whole length. */
  #whole: Buffer | null = null
  #filled = 0
  #total = 0
  #isMessage = true
  #isLast = true
  #isClosed = false
  /** Bytes of the present chunk that `ws` has. */
  #passed = 0

  constructor(
    socket: Socket,
    most: number,
    isPaused: () => boolean,
    pool: BufferPool,
    hold: Pick<Hold, 'add'>,
  ) {
    this.#socket = socket
    this.#most = most
    this.#isPaused = isPaused
    this.#pool = pool
    this.#hold = hold
    const [read] = socket.listeners('data') as [(chunk: Buffer) => void]
    this.#read = read
    const take = (chunk: Buffer): void => this.#take(chunk)
    const end = (): void => void socket.off('data', take)
    this.incoming = { isPartial: false, message: 0, size: 0, came: 0, end }
    socket.off('data', read)
    socket.on('data', take)
    socket.prependListener('close', () => this.#close())
  }

  #close(): void {
    if (this.#whole !== null) this.#pass(this.#whole.subarray(0, this.#filled))
    this.#whole = null
    this.#isClosed = true // `ws` reads the bytes that are still unread by itself, after `take`
  }

  #take(chunk: Buffer): void {
    this.#passed = 0
    for (let i = 0; i < chunk.length; ) {
      if (this.#left === 0) {
        chunk[i] = this.#readHeader(chunk[i]!)
        i++
        if (this.#left > LARGE) this.#beginLarge(chunk, i)
      } else i = this.#takePayload(chunk, i)
    }
    this.#pass(chunk.subarray(this.#passed))
    if (this.#whole !== null) this.#yield()
  }

  /** Takes a byte of the header; returns the byte for `ws`, which is 0 for those of the mask. */
  #readHeader(byte: number): number {
    const header = this.#header
    header[this.#have++] = byte
    if (this.#have === 2) this.#size = SHORTEST + extraOf(byte)
    if (this.#have <= this.#size - 4) return byte
    this.#mask[this.#have - this.#size + 3] = byte
    if (this.#have === this.#size) this.#beginPayload()
    return 0
  }

  #beginPayload(): void {
    const { incoming } = this
    const header = this.#header
    this.#have = 0
    this.#left = lengthOf(header)
    this.#used = 0
    this.#isMessage = (header[0]! & CONTROL) === 0
    this.#isLast = (header[0]! & FIN) !== 0
    if (!this.#isMessage) return
    if (!incoming.isPartial) {
      incoming.message++
      incoming.size = 0
    }
    incoming.isPartial = this.#left > 0 || !this.#isLast
  }

  /** A header ends at `i`: its payload is assembled here, unless it is too large and `ws` rejects it. */
  #beginLarge(chunk: Buffer, i: number): void {
    if (this.#left > this.#most || this.#isClosed) return
    this.#pass(chunk.subarray(this.#passed, i))
    this.#passed = i
    this.#total = this.#left
    this.#filled = 0
    this.#whole = this.#pool.take(LARGE)
  }

  /** Takes payload from `i` on; returns the position behind it. */
  #takePayload(chunk: Buffer, i: number): number {
    const taken = Math.min(this.#left, chunk.length - i)
    const end = i + taken
    unmask(chunk, i, end, this.#mask, this.#used)
    this.#came(taken)
    if (this.#whole !== null) {
      if (this.#filled + taken > this.#whole.length) {
        this.#whole = grown(this.#whole, this.#filled, this.#total, this.#pool)
      }
      chunk.copy(this.#whole, this.#filled, i, end)
      this.#filled += taken
      this.#passed = end
    }
    this.#used = (this.#used + taken) & 3
    this.#left -= taken
    if (this.#whole !== null && this.#left === 0) {
      this.#pass(this.#whole.subarray(0, this.#filled))
      this.#whole = null
    }
    return end
  }

  #came(bytes: number): void {
    if (!this.#isMessage) return
    const { incoming } = this
    incoming.came += bytes
    incoming.size += bytes
    incoming.isPartial = this.#left > bytes || !this.#isLast
    this.#hold.add(bytes)
  }

  #pass(piece: Buffer): void {
    if (piece.length > 0 && !this.#isClosed) this.#read.call(this.#socket, piece)
  }

  /** Without this the event loop reads 2 MB from the socket before it does anything else. */
  #yield(): void {
    this.#socket.pause()
    setImmediate(() => {
      if (!this.#isPaused()) this.#socket.resume()
    })
  }
}

/**
 * Reads a socket's frames early, in place of `ws`, which must listen to it already. `ws` rejects input that is not a
 * WebSocket frame, and a payload of more than `most` bytes, at its first bytes. Large payloads are in memory of `pool`, which
 * grows as they come; give them back. `hold` counts a message from its first byte on; the caller subtracts it when done.
 */
export const readEarly = (
  socket: Socket,
  most: number,
  isPaused: () => boolean,
  pool: BufferPool,
  hold: Pick<Hold, 'add'>,
): Incoming => new EarlyReader(socket, most, isPaused, pool, hold).incoming

/** Full memory is replaced by memory this many times larger: most bytes are copied once at most. */
const GROWTH = 4

const grown = (full: Buffer, filled: number, total: number, pool: BufferPool): Buffer => {
  const larger = pool.take(Math.min(total, GROWTH * full.length))
  full.copy(larger, 0, 0, filled)
  pool.give(full)
  return larger
}

/** Bytes that the length takes beyond the seven bits in a frame's second byte. */
const extraOf = (second: number): number => {
  const short = second & 0x7f
  return short < 126 ? 0 : short === 126 ? 2 : 8
}

const lengthOf = (header: Uint8Array): number => {
  const extra = extraOf(header[1]!)
  if (extra === 0) return header[1]! & 0x7f
  let length = 0
  for (let i = 2; i < 2 + extra; i++) length = length * 256 + header[i]!
  return length
}
