import { createHash } from 'node:crypto'
import { createReadStream, readFileSync, statSync } from 'node:fs'
import { Readable } from 'node:stream'
import type { BlobSource } from '../../../client/blobs.ts'
import { ClawError } from '../../../protocol/errors.ts'
import { MAX_FILE_BYTES } from '../../../protocol/limits.ts'
import { checkBlobSize } from '../../../workspace/files/put-blob.ts'
import type { Call } from '../../command/call.ts'
import { cannotRead } from '../../command/cannot-read.ts'

/** The content of a local file or of stdin: text to merge, or bytes. */
export type Local = { text: string } | { blob: BlobSource }

/**
 * Reads the local file to be shared, or stdin for `-`. A file is text if it is UTF-8 without NUL, unless `asBytes`. A
 * file too large for text is read in pieces. Throws `no_such_local_file`, `too_large`.
 */
export const openLocal = async (call: Call, path: string, asBytes: boolean): Promise<Local> => {
  if (path === '-') return ofBytes(call.request.stdin ?? new Uint8Array(), asBytes)
  const file = call.resolve(path)
  try {
    const { size } = statSync(file)
    if (size <= MAX_FILE_BYTES) return ofBytes(readFileSync(file), asBytes)
    checkBlobSize(size)
    return await ofLargeFile(file, size, asBytes)
  } catch (cause) {
    if (cause instanceof ClawError) throw cause
    throw cannotRead(path, call.request.cwd, cause)
  }
}

const ofBytes = (bytes: Uint8Array, asBytes: boolean): Local => {
  const text = asBytes || bytes.includes(0) ? null : decoded(bytes)
  if (text !== null) return { text }
  checkBlobSize(bytes.length)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const read = (start: number) => Readable.from([bytes.subarray(start)], { objectMode: false })
  return { blob: { sha256, size: bytes.length, read } }
}

const decoded = (bytes: Uint8Array): string | null => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return null
  }
}

const ofLargeFile = async (path: string, size: number, asBytes: boolean): Promise<Local> => {
  const hash = createHash('sha256')
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let isText = !asBytes
  const look = (chunk: Uint8Array, last: boolean): void => {
    if (!isText) return
    try {
      decoder.decode(chunk, { stream: !last })
      isText = !chunk.includes(0)
    } catch {
      isText = false
    }
  }
  const read = (start: number) => createReadStream(path, { start, highWaterMark: 256 * 1024 })
  for await (const chunk of read(0)) {
    hash.update(chunk as Uint8Array)
    look(chunk as Uint8Array, false)
  }
  look(new Uint8Array(), true)
  if (!isText) return { blob: { sha256: hash.digest('hex'), size, read } }
  throw new ClawError(
    'too_large',
    `the file would be ${size} bytes; the limit for text is ${MAX_FILE_BYTES}`,
    'split it into several files, or share it as it is, not to be merged, with --binary',
  )
}
