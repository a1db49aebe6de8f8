import type { Socket } from 'node:net'
import type { Hold } from '../sync/held.ts'
import type { BufferPool } from './buffer-pool.ts'

/** The shortest header: two bytes and the mask. */
const SHORTEST = 6

/** A payload that is longer is put together here (bytes). */
const LARGE = 256 * 1024

/** From so many bytes on four are unmasked at a time, where they lie as words do. */
const LONG = 256

/** What a frame's first byte says: the last of its message, and no part of any (RFC 6455, 5.2). */
const FIN = 0x80
const CONTROL = 0x08

/** How far messages have come on a socket. */
export interface Incoming {
  /** A message has begun, and more of it is to come. */
  isPartial: boolean
  /** Which message it is (count), and how much of it has come (bytes). */
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
 * Does by and by, as a frame comes, what `ws` would do in one go once it is complete, and which for one of 16 MB takes 30 ms:
 * takes its mask off, and puts it together. `ws` sees a mask of zeros, which says that there is nothing left to do, and a
 * large payload as one piece. What is no WebSocket frame, or has a payload of more than `most` bytes, `ws` refuses at its
 * first bytes. Call when `ws` listens to the socket. Large payloads are in memory of the pool's, to which they are to be given
 * back; it grows as they come. What comes of messages is held from its first byte on: who has done with a message lets go of it.
 */
export const readEarly = (
  socket: Socket,
  most: number,
  isPaused: () => boolean,
  pool: BufferPool,
  hold: Pick<Hold, 'add'>,
): Incoming => {
  const [read] = socket.listeners('data') as [(chunk: Buffer) => void]
  const header = new Uint8Array(14)
  const mask = new Uint8Array(4)
  let have = 0
  let size = SHORTEST
  /** Bytes of the payload still to come, and how many there were. */
  let left = 0
  let used = 0
  /** A large payload, as far as it has come: so many bytes of it. */
  let whole: Buffer | null = null
  let filled = 0
  let total = 0
  let isMessage = true
  let isLast = true
  const incoming: Incoming = {
    isPartial: false,
    message: 0,
    size: 0,
    came: 0,
    end: () => socket.off('data', take),
  }
  let isClosed = false

  /** Takes a byte of the header; returns what is to stand for it. */
  const readHeader = (byte: number): number => {
    header[have++] = byte
    if (have === 2) size = SHORTEST + extraOf(byte)
    if (have <= size - 4) return byte
    mask[have - size + 3] = byte
    if (have === size) {
      have = 0
      left = lengthOf(header)
      used = 0
      isMessage = (header[0]! & CONTROL) === 0
      isLast = (header[0]! & FIN) !== 0
      if (isMessage && !incoming.isPartial) {
        incoming.message++
        incoming.size = 0
      }
      if (isMessage) incoming.isPartial = left > 0 || !isLast
    }
    return 0
  }

  /** So much of a payload has come. */
  const came = (bytes: number): void => {
    if (!isMessage) return
    incoming.came += bytes
    incoming.size += bytes
    incoming.isPartial = left > bytes || !isLast
    hold.add(bytes)
  }

  const pass = (piece: Buffer): void => {
    if (piece.length > 0 && !isClosed) read.call(socket, piece)
  }
  const take = (chunk: Buffer): void => {
    /** Up to where `ws` has it. */
    let passed = 0
    for (let i = 0; i < chunk.length; ) {
      if (left === 0) {
        chunk[i] = readHeader(chunk[i]!)
        i++
        if (left <= LARGE || left > most || isClosed) continue
        pass(chunk.subarray(passed, i))
        passed = i
        total = left
        filled = 0
        whole = pool.take(LARGE)
        continue
      }
      const taken = Math.min(left, chunk.length - i)
      unmask(chunk, i, i + taken, mask, used)
      came(taken)
      if (whole !== null) {
        if (filled + taken > whole.length) whole = grown(whole, filled, total, pool)
        chunk.copy(whole, filled, i, i + taken)
        filled += taken
        passed = i + taken
      }
      used = (used + taken) & 3
      left -= taken
      i += taken
      if (whole === null || left > 0) continue
      pass(whole.subarray(0, filled))
      whole = null
    }
    pass(chunk.subarray(passed))
    if (whole === null) return
    // Else the event loop reads 2 MB before it does anything else.
    socket.pause()
    setImmediate(() => {
      if (!isPaused()) socket.resume()
    })
  }
  socket.off('data', read)
  socket.on('data', take)
  socket.prependListener('close', () => {
    if (whole !== null) pass(whole.subarray(0, filled))
    whole = null
    isClosed = true // what is still unread `ws` reads by itself, after `take`
  })
  return incoming
}

/** So many times larger memory takes the place of what is full: most bytes are copied once at most. */
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
