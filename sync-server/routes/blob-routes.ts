import { Readable } from 'node:stream'
import * as z from 'zod'
import { ClawError } from '../../protocol/errors.ts'
import { isBlobName } from '../../protocol/ids.ts'
import { STREAM_BYTES } from '../config/quotas.ts'
import { callerOf } from '../http/caller.ts'
import { type HttpContext, requestOf } from '../http/context.ts'
import { type Asked, type Route, route } from '../http/route.ts'
import type { Blobs } from '../storage/blobs/blobs.ts'
import { WrongOffset } from '../storage/blobs/upload-quotas.ts'
import { nameOf } from '../sync/principal.ts'
import type { AppEnv } from './env.ts'

const digits = z
  .string()
  .regex(/^\d{1,15}$/, 'not a number of bytes')
  .transform(Number)
const HeadQuery = z.strictObject({ size: digits.optional() })
const PutQuery = z.strictObject({ size: digits, offset: digits.default(0) })
type HeadAsked = Asked<z.infer<typeof HeadQuery>>
type PutAsked = Asked<z.infer<typeof PutQuery>>

/** Bytes of an upload that the server has. */
const OFFSET = 'upload-offset'

const blobIn = (c: HttpContext): string => {
  const name = c.req.param('sha256') ?? ''
  if (isBlobName(name)) return name
  throw new ClawError(
    'bad_name',
    `"${name.slice(0, 80)}" is not the name of a blob`,
    'it is the SHA-256 of its bytes, 64 digits and lower-case letters',
  )
}

/** The bytes of shared files that are not text: docs/PROTOCOL.md. */
export const blobRoutes = (env: AppEnv): Route[] => {
  const path = '/api/workspaces/:workspace/blobs/:sha256'
  return [
    route({
      ...{ method: 'GET', path, needs: 'read', summary: 'The bytes of a blob' },
      ...{ query: HeadQuery, bytes: true, run: (asked: HeadAsked) => get(env, asked) },
      statuses: { 200: 'All of it', 206: 'The range that was asked for' },
    }),
    route({
      ...{ method: 'PUT', path, needs: 'write', summary: 'Uploads a blob, or resumes an upload' },
      ...{ query: PutQuery, run: (asked: PutAsked) => put(env, asked) },
      answer: z.object({ offset: z.number(), complete: z.boolean() }),
      statuses: { 201: 'All of it is there', 202: 'More of it is to come' },
    }),
  ]
}

const get = async ({ blobs }: AppEnv, { c, workspace, query }: HeadAsked): Promise<Response> => {
  const sha256 = blobIn(c)
  // Hono handles HEAD as GET.
  const isHead = c.req.method === 'HEAD'
  const size = await blobs.size(workspace, sha256)
  if (size === null) {
    if (isHead && query.size !== undefined) {
      const { offset } = await blobs.progress({ workspace, sha256, size: query.size })
      c.header(OFFSET, String(offset))
    }
    throw new ClawError(
      'unknown_blob',
      `this server does not have the blob ${sha256}`,
      'an agent that has the file can upload it again',
    )
  }
  if (!isHead) return download(c, blobs, { workspace, sha256, size })
  c.header(OFFSET, String(size))
  c.header('accept-ranges', 'bytes')
  return c.body(null)
}

const put = async (env: AppEnv, { c, workspace, query }: PutAsked): Promise<Response> => {
  const sha256 = blobIn(c)
  const { size, offset } = query
  const trouble = env.trouble()
  if (trouble !== null) throw new ClawError('storage_failed', trouble, 'see the server log')
  if (offset > size) throw new ClawError('usage', `offset ${offset} is after the end, ${size}`)
  const body: Readable = requestOf(c)
  env.holdOf(requestOf(c)).add(STREAM_BYTES)
  try {
    const by = callerOf(c)
    const upload = { workspace, sha256, size, by: by === null ? undefined : nameOf(by) }
    const progress = await env.blobs.append(upload, offset, body)
    c.header(OFFSET, String(progress.offset))
    return c.json({ ok: true, data: progress }, progress.complete ? 201 : 202)
  } catch (error) {
    if (error instanceof WrongOffset) c.header(OFFSET, String(error.offset))
    throw error
  } finally {
    if (!body.readableEnded) await drain(body)
  }
}

/** Bytes still read from a rejected upload: a client reads no answer while it is sending. */
const DRAIN_BYTES = 16 * 1024 * 1024

const drain = async (body: Readable): Promise<void> => {
  if (body.destroyed) return
  let left = DRAIN_BYTES
  try {
    for await (const chunk of body) {
      left -= (chunk as Uint8Array).length
      if (left < 0) return
    }
  } catch {
    // The client hung up: nothing is left to read.
  }
}

const download = (
  c: HttpContext,
  blobs: Blobs,
  { workspace, sha256, size }: { workspace: string; sha256: string; size: number },
): Response => {
  const range = rangeOf(c.req.header('range'), size)
  // No browser may show these bytes as a page of this server.
  c.header('content-type', 'application/octet-stream')
  c.header('content-disposition', 'attachment')
  c.header('x-content-type-options', 'nosniff')
  c.header('accept-ranges', 'bytes')
  c.header('etag', `"${sha256}"`)
  if (range === 'none') {
    c.header('content-range', `bytes */${size}`)
    return c.body(null, 416)
  }
  const { start, end } = range ?? { start: 0, end: size - 1 }
  c.header('content-length', String(end - start + 1))
  if (range !== null) c.header('content-range', `bytes ${start}-${end}/${size}`)
  const status = range === null ? 200 : 206
  if (end < start) return c.body(null, status)
  const stream = Readable.toWeb(blobs.read(workspace, sha256, start, end))
  return c.body(stream as ReadableStream<Uint8Array>, status)
}

/** One range, both ends inclusive; null without a `Range` header, or with one that a server may ignore (RFC 9110, 14.2). */
const rangeOf = (
  header: string | undefined,
  size: number,
): { start: number; end: number } | 'none' | null => {
  const match = /^bytes=(\d{0,16})-(\d{0,16})$/.exec(header ?? '')
  if (match === null) return null
  const [, from = '', to = ''] = match
  if (from === '') {
    if (to === '') return null
    const start = Math.max(0, size - Number(to))
    return start < size ? { start, end: size - 1 } : 'none'
  }
  const start = Number(from)
  const end = to === '' ? size - 1 : Math.min(Number(to), size - 1)
  if (to !== '' && Number(to) < start) return null
  return start < size ? { start, end } : 'none'
}
