import { createHash, randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ErrorBody } from '../../protocol/errors.ts'
import { fetch } from './server.ts'

export interface Bytes {
  bytes: Buffer
  sha256: string
  size: number
}

export const named = (bytes: Buffer): Bytes => ({
  bytes,
  sha256: createHash('sha256').update(bytes).digest('hex'),
  size: bytes.length,
})

/** Random bytes. The first one never occurs in UTF-8, so that they are never taken for a text. */
export const someBytes = (size: number): Bytes => {
  const bytes = randomBytes(size)
  return named(bytes.fill(0xff, 0, Math.min(size, 1)))
}

export const blobUrl = (server: { url: string }, sha256: string, workspace = 'default'): string =>
  `${server.url}/api/workspaces/${workspace}/blobs/${sha256}`

export interface PutAnswer {
  status: number
  offset: number | null
  complete?: boolean
  code?: string
}

/** One PUT: all of the bytes from `offset` on, where nothing else is said. */
export const putBytes = async (
  server: { url: string },
  { bytes, sha256, size }: Bytes,
  offset = 0,
  part = bytes.subarray(offset),
  workspace = 'default',
): Promise<PutAnswer> => {
  const url = `${blobUrl(server, sha256, workspace)}?size=${size}&offset=${offset}`
  const answer = await fetch(url, { method: 'PUT', body: part })
  const { data, error } = (await answer.json()) as { data?: PutAnswer; error?: ErrorBody }
  const header = answer.headers.get('upload-offset')
  return {
    status: answer.status,
    offset: header === null ? null : Number(header),
    ...(data && { complete: data.complete! }),
    ...(error && { code: error.code }),
  }
}

export const head = async (
  server: { url: string },
  { sha256, size }: Pick<Bytes, 'sha256' | 'size'>,
): Promise<{ status: number; offset: number }> => {
  const answer = await fetch(`${blobUrl(server, sha256)}?size=${size}`, { method: 'HEAD' })
  return { status: answer.status, offset: Number(answer.headers.get('upload-offset')) }
}

export const getBytes = async (server: { url: string }, sha256: string): Promise<Buffer> =>
  Buffer.from(await (await fetch(blobUrl(server, sha256))).arrayBuffer())

/** Every file below a server's blobs, as `<workspace>/<folder>/<name>`, sorted. */
export const blobFiles = (data: string): string[] => {
  try {
    return readdirSync(join(data, 'blobs'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(join(data, 'blobs').length + 1))
      .sort()
  } catch {
    return [] // there are none
  }
}
