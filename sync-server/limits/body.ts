import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { ClawError } from '../../protocol/errors.ts'
import type { Hold } from '../sync/held.ts'
import { breath } from './fair-scheduler.ts'

const tooLarge = (most: number): ClawError =>
  new ClawError(
    'too_large',
    `the request body is over ${most} bytes`,
    'put a long result into a shared file and name the file',
  )

const packed = (encoding: string): ClawError =>
  new ClawError(
    'usage',
    `the request body is encoded as ${encoding.slice(0, 40)}, which is not taken`,
    'send it as it is, without content-encoding',
  )

/** Bytes of a body that takes a millisecond to decode and parse. */
const LARGE = 128 * 1024

/**
 * A request's body. Throws `too_large` where it has more than `most` bytes, and reads no more of it then; `usage` where it
 * is compressed, and reads nothing of it; `bad_text` where it is not UTF-8. What has come is held.
 */
export const readText = (
  request: IncomingMessage,
  most: number,
  hold: Pick<Hold, 'add'>,
): Promise<string> =>
  new Promise((resolve, reject) => {
    const encoding = request.headers['content-encoding'] ?? 'identity'
    if (encoding !== 'identity') return reject(packed(encoding))
    if (Number(request.headers['content-length'] ?? 0) > most) return reject(tooLarge(most))
    let chunks: Buffer[] = []
    let size = 0
    const take = (chunk: Buffer): void => {
      size += chunk.length
      request.pause()
      if (size <= most) {
        chunks.push(chunk)
        hold.add(chunk.length)
        setImmediate(() => request.resume()) // others have their turn between two pieces
        return
      }
      chunks = []
      request.off('data', take)
      reject(tooLarge(most))
    }
    request.on('data', take)
    const broke = (): void => reject(new ClawError('usage', 'the request broke off'))
    request.once('close', broke)
    request.once('end', async () => {
      request.off('close', broke)
      // Others have their turn before a large one is read.
      if (size > LARGE) await breath.next()
      try {
        resolve(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)))
      } catch {
        reject(new ClawError('bad_text', 'the request body is not UTF-8', 'encode it as UTF-8'))
      }
    })
  })

/** A client that is still sending cannot read a refusal: what it sends is read for nothing for so long, and so much of it … */
const DRAIN_MS = 2_000
const DRAIN_BYTES = 64 * 1024 * 1024
/** … of so many at a time (count): it is a courtesy … */
const MOST_DRAINED = 32
/** … a piece at a time (milliseconds between two): at full speed it would cost others more than it is worth. */
const PIECE_MS = 5

/** Reads a stream for nothing. */
export const readSlowly = (source: Readable): void => {
  source.on('data', () => {
    source.pause()
    setTimeout(() => source.resume(), PIECE_MS)
  })
}

let drained = 0

/** Call when a request was answered: reads what is left of its body, and cuts it off where that takes too long. */
export const drain = (request: IncomingMessage): void => {
  if (request.complete) return
  let left = DRAIN_BYTES
  const cut = (): void => request.socket.destroySoon()
  if (drained >= MOST_DRAINED) {
    cut()
    return
  }
  drained++
  const timer = setTimeout(cut, DRAIN_MS).unref()
  request.once('close', () => {
    drained--
    clearTimeout(timer)
  })
  request.once('end', () => clearTimeout(timer))
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) cut()
  })
  readSlowly(request)
  request.read(0) // else Node takes it for one that nobody reads, and reads all of it at once
  request.resume()
}
