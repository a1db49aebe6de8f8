import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { unsealed } from '../storage/integrity/checksummed.ts'
import { Corruption } from '../storage/integrity/corruption.ts'

/** Of a record in the file: bytes of its key (4), of its value (4), little-endian; then the key, then the value, sealed. */
const HEADER_BYTES = 8
const CHUNK_BYTES = 1024 * 1024

export interface Written {
  records: number
  bytes: number
  /** Of the file, hex. */
  sha256: string
}

export type Records = AsyncIterable<[string, Uint8Array]>

/** Writes records to a new file, fsync'd. Throws Corruption where a value is not what was sealed. */
export const writeRecords = async (
  path: string,
  records: Records,
  see: (key: string) => void,
): Promise<Written> => {
  const hash = createHash('sha256')
  const written = { records: 0, bytes: 0 }
  const file = await open(path, 'wx', 0o600)
  let waiting: Uint8Array[] = []
  let waitingBytes = 0
  const flush = async (): Promise<void> => {
    const chunk = Buffer.concat(waiting, waitingBytes)
    hash.update(chunk)
    await file.writeFile(chunk)
    written.bytes += waitingBytes
    waiting = []
    waitingBytes = 0
  }
  try {
    for await (const [key, value] of records) {
      if (unsealed(value) === null) throw new Corruption(key, 'its checksum is wrong')
      const name = Buffer.from(key)
      const header = Buffer.alloc(HEADER_BYTES)
      header.writeUInt32LE(name.length, 0)
      header.writeUInt32LE(value.length, 4)
      waiting.push(header, name, value)
      waitingBytes += HEADER_BYTES + name.length + value.length
      written.records++
      see(key)
      if (waitingBytes >= CHUNK_BYTES) await flush()
    }
    await flush()
    await file.sync()
  } finally {
    await file.close()
  }
  return { ...written, sha256: hash.digest('hex') }
}

/** The records of a file; `done` is called with what it came to. Throws Corruption where the file ends within one. */
export const readRecords = async function* (
  path: string,
  done: (read: Written) => void,
): AsyncGenerator<[string, Uint8Array]> {
  const hash = createHash('sha256')
  const read = { records: 0, bytes: 0 }
  let chunks: Buffer[] = []
  let there = 0
  /** As many as the next record takes, as far as is known: a large one is put together once. */
  let needed = HEADER_BYTES
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
    hash.update(chunk as Buffer)
    read.bytes += (chunk as Buffer).length
    chunks.push(chunk as Buffer)
    there += (chunk as Buffer).length
    if (there < needed) continue
    const bytes = Buffer.concat(chunks, there)
    let at = 0
    needed = HEADER_BYTES
    while (there - at >= HEADER_BYTES) {
      const value = at + HEADER_BYTES + bytes.readUInt32LE(at)
      const end = value + bytes.readUInt32LE(at + 4)
      needed = end - at
      if (end > there) break
      yield [bytes.toString('utf8', at + HEADER_BYTES, value), bytes.subarray(value, end)]
      read.records++
      at = end
      needed = HEADER_BYTES
    }
    chunks = [bytes.subarray(at)]
    there -= at
  }
  if (there > 0) throw new Corruption('records', 'the file ends within a record')
  done({ ...read, sha256: hash.digest('hex') })
}
