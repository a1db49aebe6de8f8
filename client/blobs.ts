import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { openHttp, textOf } from '../lib/http.ts'
import { ClawError, type ErrorBody, VERBS_HEADER } from '../protocol/errors.ts'
import { gateway, httpError, noServer, notClawLink } from './http/middlebox.ts'
import { agentFor } from './http/proof.ts'
import { authorization, type Target } from './http/target.ts'
import { tlsFor } from './http/trust.ts'

/** A request ends after so much of an upload, or so long: servers and proxies bound both. */
const PIECE_BYTES = 16 * 1024 * 1024
const PIECE_MS = 10_000
/** A line on which nothing moves for this long is dead. */
const STALL_MS = 30_000
/** Waits before each retry of a broken upload, in milliseconds; progress starts them over. */
const RETRY_AFTER_MS: readonly number[] = [100, 400, 1_000, 2_000, 4_000]
/** Far above any answer of ours that is not a blob. */
const MAX_ANSWER_BYTES = 64 * 1024

/** Which bytes. */
export interface BlobName {
  sha256: string
  size: number
}

/** Bytes to upload, and how to read them from a position on. */
export interface BlobSource extends BlobName {
  read: (start: number) => Readable
}

/** Between where bytes move, and who looks on. */
export interface Transfer {
  /** The server's base URL. */
  base: string
  token?: Target['token']
  faith?: Target['faith']
  workspace: string
  /** Aborts when the caller no longer wants the transfer. */
  signal: AbortSignal
  /** Told how many bytes are there. */
  onProgress: (bytes: number) => void
}

/**
 * Uploads a blob, going on from what the server has of it. Throws what the server refuses it with, `unreachable` once it
 * gets no further, `no_such_local_file` where it cannot be read, and `bad_blob` where it has changed meanwhile.
 */
export const uploadBlob = async (transfer: Transfer, blob: BlobSource): Promise<void> => {
  let furthest = -1
  let failures = 0
  let at: number | null = null
  /** True if a part is from an earlier attempt, and could belong to another file. */
  let isResumed: boolean | null = null
  for (;;) {
    try {
      at ??= await uploaded(transfer, blob)
      isResumed ??= at > 0
      if (at > furthest) failures = 0
      furthest = Math.max(furthest, at)
      const { offset, complete } = await putPiece(transfer, blob, at)
      if (complete) return
      if (offset <= at) {
        throw new ClawError('bad_blob', 'the file got shorter while it was sent', 'put it again')
      }
      at = offset
    } catch (error) {
      if (isResumed && error instanceof ClawError && error.code === 'bad_blob') {
        isResumed = false
        furthest = -1
      } else {
        const wait = RETRY_AFTER_MS[failures++]
        if (!mayPass(error) || wait === undefined) throw error
        await pause(transfer, wait)
      }
      at = null
    }
  }
}

/**
 * Downloads a blob into an empty file, going on where it is cut, and verifies it. Throws `unknown_blob`, `bad_blob`,
 * and `unreachable` once it gets no further.
 */
export const downloadBlob = async (
  transfer: Transfer,
  blob: BlobName,
  file: FileHandle,
): Promise<void> => {
  const hash = createHash('sha256')
  let at = 0
  let failures = 0
  const take = async (chunk: Uint8Array): Promise<void> => {
    if (at + chunk.length > blob.size) throw wrongBytes(blob)
    hash.update(chunk)
    for (let done = 0; done < chunk.length; ) {
      done += (await file.write(chunk, done, chunk.length - done, at + done)).bytesWritten
    }
    at += chunk.length
    failures = 0
    transfer.onProgress(at)
  }
  while (at < blob.size) {
    try {
      for await (const chunk of await getFrom(transfer, blob, at)) await take(chunk as Uint8Array)
      if (at < blob.size) throw noServer(transfer.base, 'it ended early')
    } catch (thrown) {
      const error = fromNetwork(transfer, thrown)
      const wait = RETRY_AFTER_MS[failures++]
      if (!mayPass(error) || wait === undefined) throw error
      await pause(transfer, wait)
    }
  }
  if (hash.digest('hex') !== blob.sha256) throw wrongBytes(blob)
}

const wrongBytes = ({ sha256 }: BlobName): ClawError =>
  new ClawError(
    'bad_blob',
    `what came is not the bytes with the SHA-256 ${sha256}`,
    'something between here and the server changes them; try again',
  )

const mayPass = (error: unknown): boolean =>
  error instanceof ClawError &&
  (error.code === 'busy' ||
    error.code === 'too_many' ||
    error.code === 'wrong_offset' ||
    (error.exit === 6 && error.code !== 'not_clawlink'))

const gone = (): ClawError =>
  new ClawError(
    'shutting_down',
    'the transfer was stopped',
    'run the same command again: it continues',
  )

const pause = async ({ signal }: Transfer, ms: number): Promise<void> => {
  if (signal.aborted) throw gone()
  await sleep(ms, undefined, { signal }).catch(() => {
    throw gone()
  })
}

const fromNetwork = ({ base, signal }: Transfer, error: unknown): ClawError => {
  if (signal.aborted) return gone()
  const { code, syscall } = error as NodeJS.ErrnoException
  // Of the local disk.
  if (syscall === 'write' && (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EIO')) {
    return new ClawError('data_unusable', `cannot write here: ${code}`, 'make room on the disk')
  }
  return httpError(base, error as NodeJS.ErrnoException)
}

/** Sends a request; resolves when the head of the answer is there. */
const send = async (
  transfer: Transfer,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: AsyncIterable<Uint8Array>,
): Promise<IncomingMessage> => {
  const { base, signal, workspace } = transfer
  const url = new URL(`${base}/api/workspaces/${workspace}/blobs/${path}`)
  const tls = tlsFor(url)
  try {
    return await openHttp(url, {
      method,
      headers: {
        ...headers,
        [VERBS_HEADER]: '1',
        ...authorization(transfer),
        connection: 'close',
      },
      ...(body !== undefined && { body }),
      agent: agentFor(transfer, [transfer.token?.() ?? null], STALL_MS) ?? false,
      tls,
      timeoutMs: STALL_MS,
      signal,
    })
  } catch (error) {
    throw fromNetwork(transfer, error)
  }
}

/** The bytes of a blob that the server has (count). */
const uploaded = async (transfer: Transfer, { sha256, size }: BlobName): Promise<number> => {
  const answer = await send(transfer, 'HEAD', `${sha256}?size=${size}`)
  const { statusCode: status = 0, headers } = answer
  answer.resume()
  const offset = headers['upload-offset']
  if (status === 401) throw unknownHere(transfer.base)
  if (status === 429) throw new ClawError('too_many', `${transfer.base} is asked too often`, 'wait')
  if ((status === 200 || status === 404) && /^\d+$/.test(String(offset))) return Number(offset)
  throw gateway(transfer.base, status) ?? notClawLink(transfer.base, 'it takes no blobs')
}

const unknownHere = (base: string): ClawError =>
  new ClawError('unauthorized', `${base} does not know this credential`, 'join again')

const putPiece = async (
  transfer: Transfer,
  blob: BlobSource,
  offset: number,
): Promise<{ offset: number; complete: boolean }> => {
  const path = `${blob.sha256}?size=${blob.size}&offset=${offset}`
  const sent = await send(transfer, 'PUT', path, {}, pieceOf(transfer, blob, offset))
  const { data } = await answerOf<{ offset: number; complete: boolean }>(transfer, sent)
  if (typeof data?.offset === 'number' && typeof data.complete === 'boolean') return data
  throw notClawLink(transfer.base, 'it takes no blobs')
}

const pieceOf = async function* (
  { onProgress }: Transfer,
  blob: BlobSource,
  offset: number,
): AsyncGenerator<Uint8Array> {
  if (offset >= blob.size) return
  const began = Date.now()
  let at = offset
  try {
    for await (const read of blob.read(offset)) {
      const chunk = (read as Uint8Array).subarray(0, blob.size - at)
      yield chunk
      at += chunk.length
      onProgress(at)
      if (at - offset >= PIECE_BYTES || Date.now() - began >= PIECE_MS || at >= blob.size) return
    }
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    throw new ClawError('no_such_local_file', `cannot read it any more: ${code ?? message}`)
  }
}

/** The bytes from `start` on. */
const getFrom = async (
  transfer: Transfer,
  { sha256, size }: BlobName,
  start: number,
): Promise<AsyncIterable<unknown>> => {
  const headers: Record<string, string> = start === 0 ? {} : { range: `bytes=${start}-` }
  const sent = await send(transfer, 'GET', sha256, headers)
  if (sent.statusCode === 200) return start === 0 ? sent : without(sent, start)
  if (sent.statusCode === 206) {
    if (sent.headers['content-range'] === `bytes ${start}-${size - 1}/${size}`) return sent
    sent.destroy()
    throw wrongBytes({ sha256, size })
  }
  await answerOf(transfer, sent)
  throw notClawLink(transfer.base, `it answered ${sent.statusCode}`)
}

/** The rest after the first bytes: a proxy on the way does not support ranges. */
const without = async function* (
  bytes: AsyncIterable<unknown>,
  first: number,
): AsyncGenerator<Uint8Array> {
  let left = first
  for await (const read of bytes) {
    const chunk = read as Uint8Array
    if (chunk.length > left) yield chunk.subarray(left)
    left = Math.max(0, left - chunk.length)
  }
}

interface Answer<T> {
  data?: T
  error?: Partial<ErrorBody>
}

/** The JSON of an answer. Throws the error that is in it. */
const answerOf = async <T>(transfer: Transfer, answer: IncomingMessage): Promise<Answer<T>> => {
  const { base } = transfer
  const text = await textOf(answer, MAX_ANSWER_BYTES).catch((error) => {
    throw fromNetwork(transfer, error)
  })
  const { statusCode: status = 0 } = answer
  let json: Answer<T>
  try {
    json = JSON.parse(text) as Answer<T>
  } catch {
    throw gateway(base, status) ?? noServer(base, `it answered ${status} without JSON`)
  }
  if (json.error?.code !== undefined) throw ClawError.fromBody(json.error)
  return json
}
