import type { Socket } from 'node:net'
import type { Hold } from '../sync/held.ts'
import type { BufferPool } from './buffer-pool.ts'

/** Bytes of the shortest header: two bytes and the mask. */
const SHORTEST = 6

/** Payloads longer than this are assembled here (bytes). */
const LARGE = 256 * 1024

/** From this length on (bytes), aligned bytes are unmasked four at a time. */
const LONG = 256

/** Bits of a frame's first byte: the last frame of its message; a control frame, which is in no message (RFC 6455, 5.2). */
const FIN = 0x80
const CONTROL = 0x08

/** The progress of messages on a socket. */
export interface Incoming {
  /** True while a message is incomplete. */
  isPartial: boolean
  /** The number of the message, and its bytes so far. */
  message: number
  size: number
  /** Bytes of all messages so far. */
  came: number
  /** Stops reading. */
  end: () => void
}

/**
 * Unmasks the bytes from `from` to `to`; the first one uses byte `used` of the mask (RFC 6455,
 * 5.3).
 */
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
 * Unmasks and assembles frames as they arrive. `ws` does both at once for a complete frame, which
 * takes 30 ms for 16 MB. Here `ws` gets a mask of zeros, which needs no work, and a large payload
 * as one piece.
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
  /** Received bytes of the header, and its length. */
  #have = 0
  #size = SHORTEST
  /** Missing bytes of the payload, and the position in the mask. */
  #left = 0
  #used = 0
  /** A large payload, with the bytes filled so far, and its whole length. */
  #whole: Buffer | null = null
  #filled = 0
  #total = 0
  #isMessage = true
  #isLast = true
  #isClosed = false
  /** Bytes of the current chunk passed to `ws`. */
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
    this.#isClosed = true // `ws` reads the remaining bytes itself, after `take`
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

  /** Handles a byte of the header. Returns the byte for `ws`: 0 for the mask's bytes. */
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

  /**
   * Handles the end of a header at `i`. Its payload is assembled here, unless it is too large: then
   * `ws` rejects it.
   */
  #beginLarge(chunk: Buffer, i: number): void {
    if (this.#left > this.#most || this.#isClosed) return
    this.#pass(chunk.subarray(this.#passed, i))
    this.#passed = i
    this.#total = this.#left
    this.#filled = 0
    this.#whole = this.#pool.take(LARGE)
  }

  /** Handles payload from `i` on. Returns the position behind it. */
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

  /** Without this the event loop reads 2 MB from the socket before any other work. */
  #yield(): void {
    this.#socket.pause()
    setImmediate(() => {
      if (!this.#isPaused()) this.#socket.resume()
    })
  }
}

/**
 * Reads a socket's frames in place of `ws`, which must listen to the socket already. `ws` rejects
 * malformed frames, and payloads over `most` bytes at their first bytes. Large payloads are in
 * memory of `pool`, which grows as they arrive; the caller returns it. `hold` counts a message from
 * its first byte on; the caller subtracts it when done.
 */
export const readEarly = (
  socket: Socket,
  most: number,
  isPaused: () => boolean,
  pool: BufferPool,
  hold: Pick<Hold, 'add'>,
): Incoming => new EarlyReader(socket, most, isPaused, pool, hold).incoming

/**
 * Full memory is replaced by memory this many times larger, so that most bytes are copied at most
 * once.
 */
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
