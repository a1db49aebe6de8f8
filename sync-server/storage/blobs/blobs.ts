import type { Readable } from 'node:stream'
import { ClawError } from '../../../protocol/errors.ts'
import type { Transfer } from './transfers.ts'
import type { Announced } from './upload-quotas.ts'

/**
 * The bytes of an upload that are stored. Complete: verified, and durable.
 */
export interface Progress {
  offset: number
  complete: boolean
}

/**
 * The bytes of binary files: below a folder, or in the store. The caller checks `workspace` and `sha256`. Methods throw
 * `storage_failed` if they cannot be stored or read.
 */
export interface Blobs {
  /** Bytes of a workspace's complete blobs. */
  bytesOf: (workspace: string) => Promise<number>
  /** Length of a blob in bytes; null if it does not exist. */
  size: (workspace: string, sha256: string) => Promise<number | null>
  /** The bytes of a blob from `start` to `end`, both included. */
  read: (workspace: string, sha256: string, start: number, end: number) => Readable
  /** The progress of an upload; offset 0 if it has not begun. */
  progress: (upload: Announced) => Promise<Progress>
  /**
   * Appends `body` at `offset`. A complete upload is verified. A blob that exists already counts as put now. Throws
   * `wrong_offset`; `busy` while another request sends the same upload; `too_large`; `quota`; `usage` for more bytes than
   * announced and `bad_blob` for other bytes, which both end the upload; `malformed` if the body breaks off, after which
   * the upload can continue.
   */
  append: (upload: Announced, offset: number, body: Readable) => Promise<Progress>
  /** Names of the workspaces with blobs or uploads. */
  workspaces: () => Promise<string[]>
  /**
   * Deletes the blobs that are not `wanted` and were put before `before`, and old uploads. Returns the count of deleted
   * blobs.
   */
  collect: (workspace: string, wanted: ReadonlySet<string>, before: number) => Promise<number>
  /** Forgets what is in memory of a workspace: it was deleted, or another process may write it. */
  forget: (workspace: string) => void
}

/**
 * The chunks of a request's body. The body stays open if the caller stops early. Throws `malformed`
 * if it breaks off.
 */
const chunksOf = async function* (body: Readable): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body.iterator({ destroyOnReturn: false })) yield chunk as Uint8Array
  } catch (cause) {
    const error = new ClawError(
      'malformed',
      `the body broke off: ${(cause as Error).message}`,
      'HEAD says how much is here; go on from there',
    )
    error.cause = cause
    throw error
  }
}

export const storageError = (thrown: unknown): ClawError => {
  if (thrown instanceof ClawError) return thrown
  const { code, message } = thrown as NodeJS.ErrnoException
  const error = new ClawError(
    'storage_failed',
    `the server cannot store these bytes: ${code ?? message}`,
    code === 'ENOSPC' ? 'make room on the disk of the server' : 'see the server log',
  )
  error.cause = thrown
  return error
}

/** The error for bytes that are not those of their name. */
export const badBlob = ({ size, sha256 }: Announced): ClawError =>
  new ClawError(
    'bad_blob',
    `the ${size} bytes that came are not those with the SHA-256 ${sha256}`,
    'they may have been changed on the way, or at home while they were sent: send them again',
  )

interface Incoming {
  upload: Announced
  /** Position of the body in the upload. */
  offset: number
  body: Readable
  transfer: Transfer
  /** Ends the upload and deletes its bytes. */
  drop: () => Promise<unknown>
}

/**
 * The chunks of an upload's body, each with its position. Throws `malformed` if the body breaks off, and `usage`, after
 * `drop`, if it has more bytes than announced.
 */
export const receive = async function* ({ upload, offset, body, transfer, drop }: Incoming) {
  let at = offset
  for await (const chunk of chunksOf(body)) {
    transfer.noteBytes()
    if (at + chunk.length > upload.size) {
      await drop()
      throw new ClawError('usage', `more came than the ${upload.size} bytes announced`)
    }
    yield { chunk, at }
    at += chunk.length
  }
}
