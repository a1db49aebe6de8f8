import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'

/** Largest body that is looked into (bytes): a join and the actions of an admin are far smaller. */
const MOST_BYTES = 64 * 1024

/**
 * The JSON body of a request, which is left there to be read again. undefined for one that is no JSON, does not say its
 * length, is too long, or was cut off: whoever reads it next rejects it.
 */
export const peekJson = async (request: IncomingMessage): Promise<unknown> => {
  const length = Number(request.headers['content-length'] ?? 0)
  if (!(length > 0 && length <= MOST_BYTES)) return undefined
  const chunks: Buffer[] = []
  let size = 0
  while (size < length) {
    const chunk: Buffer | null = request.read()
    if (chunk !== null) {
      chunks.push(chunk)
      size += chunk.length
    } else if (request.destroyed || !(await hasMore(request))) return undefined
  }
  const body = Buffer.concat(chunks)
  request.unshift(body)
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

/** False once the request is cut off. */
const hasMore = async (request: IncomingMessage): Promise<boolean> => {
  const over = new AbortController()
  const { signal } = over
  try {
    return await Promise.race([
      once(request, 'readable', { signal }).then(() => true),
      once(request, 'close', { signal }).then(() => false),
    ])
  } catch {
    return false
  } finally {
    over.abort()
  }
}
