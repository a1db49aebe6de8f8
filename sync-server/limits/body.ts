import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { ClawError } from '../../protocol/errors.ts'
import type { Hold } from '../sync/held.ts'
import { requestBudget } from './fair-scheduler.ts'

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

/** Bytes that take a millisecond to decode and parse. */
const LARGE = 128 * 1024

/**
 * Reads a request's body as text. Rejects with `too_large` beyond `most` bytes and stops reading;
 * with `usage` for a compressed body, of which it reads nothing, and for one that breaks off; with
 * `bad_text` if it is not UTF-8. Received bytes count as held.
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
        setImmediate(() => request.resume()) // other work runs between two chunks
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
      // Other work runs before a large body is decoded.
      if (size > LARGE) await requestBudget.next()
      try {
        resolve(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)))
      } catch {
        reject(new ClawError('bad_text', 'the request body is not UTF-8', 'encode it as UTF-8'))
      }
    })
  })

/**
 * A client that is still sending cannot read an error answer, so the rest of its body is read and
 * discarded, for at most this time (milliseconds) and at most these bytes.
 */
const DRAIN_MS = 2_000
const DRAIN_BYTES = 64 * 1024 * 1024
/** The most requests drained at once (count). */
const MOST_DRAINED = 32
/** Milliseconds between two reads; draining at full speed would delay other clients. */
const PIECE_MS = 5

/** Reads and discards a stream, slowly. */
export const readSlowly = (source: Readable): void => {
  source.on('data', () => {
    source.pause()
    setTimeout(() => source.resume(), PIECE_MS)
  })
}

let drained = 0

/**
 * Call after a request was answered: discards the rest of its body, and closes the connection if
 * that takes too long.
 */
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
  request.read(0) // else Node dumps the unread body at full speed
  request.resume()
}
