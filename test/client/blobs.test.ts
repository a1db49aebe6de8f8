import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type BlobSource, downloadBlob, uploadBlob } from '../../client/blobs.ts'
import type { ClawError } from '../../protocol/errors.ts'
import { type Limit, startBadLine } from '../support/bad-line.ts'
import { type Bytes, getBytes, head, named, putBytes, someBytes } from '../support/blobs.ts'
import { runSeed, seeded, until } from '../support/client.ts'
import { startHere } from '../support/in-process.ts'
import { fetch, type ServerAt, targetOf, tempDir } from '../support/server.ts'

let server: ServerAt
beforeAll(async () => {
  server = await startHere()
})
afterAll(() => server.stop())

/** `starts`: from where it was read. */
const sourceOf = ({ bytes, sha256, size }: Bytes): BlobSource & { starts: number[] } => {
  const starts: number[] = []
  const chunks = function* (start: number) {
    for (let at = start; at < bytes.length; at += 64 * 1024) {
      yield bytes.subarray(at, at + 64 * 1024)
    }
  }
  const read = (start: number) => {
    starts.push(start)
    return Readable.from(chunks(start))
  }
  return { sha256, size, read, starts }
}

const transfer = (base: string, signal = new AbortController().signal) => {
  const seen: number[] = []
  return {
    ...targetOf(base),
    workspace: 'default',
    signal,
    onProgress: (n: number) => seen.push(n),
    seen,
  }
}

const download = async (base: string, blob: Bytes, signal?: AbortSignal): Promise<Buffer> => {
  const path = join(tempDir('got'), 'got')
  const file = await open(path, 'w+')
  try {
    await downloadBlob(transfer(base, signal), blob, file)
    return await file.readFile()
  } finally {
    await file.close()
  }
}

const codeOf = (failing: Promise<unknown>): Promise<string> =>
  failing.then(
    () => 'nothing',
    (error: ClawError) => error.code,
  )

it('[BLOB-2] uploads and downloads over a line that is cut again and again', async () => {
  const random = seeded(runSeed('cut lines'))
  const blob = someBytes(6_000_000)
  const cuts = (): Limit[] =>
    Array.from({ length: 6 }, () => ({
      bytes: 20_000 + Math.floor(random() * 1_500_000),
      end: 'cut',
    }))
  const proxy = await startBadLine(server.port, { puts: cuts(), gets: cuts() })
  const source = sourceOf(blob)
  const up = transfer(proxy.url)
  await uploadBlob(up, source)
  expect(up.seen.at(-1)).toBe(blob.size)
  const afterUpload = proxy.reached.length
  expect(afterUpload).toBeGreaterThan(2)
  expect(source.starts).toEqual([...source.starts].sort((a, b) => a - b))
  expect(source.starts.at(-1)).toBeGreaterThan(0)
  expect((await getBytes(server, blob.sha256)).equals(blob.bytes)).toBe(true)
  expect((await download(proxy.url, blob)).equals(blob.bytes)).toBe(true)
  expect(proxy.reached.length).toBeGreaterThan(afterUpload + 2)
  await proxy.close()
})

it('[BLOB-2] gives up once it gets no further, and goes on when asked again', async () => {
  const blob = someBytes(300_000)
  const dead: Limit[] = Array.from({ length: 20 }, () => ({ bytes: 60, end: 'cut' }))
  const proxy = await startBadLine(server.port, { puts: dead, gets: [] })
  await putBytes(server, blob, 0, blob.bytes.subarray(0, 100_000))
  expect(await codeOf(uploadBlob(transfer(proxy.url), sourceOf(blob)))).toBe('unreachable')
  const { offset } = await head(server, blob)
  expect(offset).toBeGreaterThanOrEqual(100_000)
  const source = sourceOf(blob)
  await uploadBlob(transfer(server.url), source)
  expect(source.starts).toEqual([offset])
  await proxy.close()
})

it('[BLOB-3] what another time left of other bytes is begun anew', async () => {
  const blob = someBytes(200_000)
  await putBytes(server, blob, 0, someBytes(150_000).bytes)
  await uploadBlob(transfer(server.url), sourceOf(blob))
  expect((await getBytes(server, blob.sha256)).equals(blob.bytes)).toBe(true)
})

it('[BLOB-3] a file that changes while it is sent is refused', async () => {
  const blob = someBytes(100_000)
  const other = sourceOf({ ...someBytes(100_000), sha256: blob.sha256 })
  expect(await codeOf(uploadBlob(transfer(server.url), other))).toBe('bad_blob')
  const shorter = sourceOf({ ...blob, bytes: blob.bytes.subarray(0, 50_000) })
  expect(await codeOf(uploadBlob(transfer(server.url), shorter))).toBe('bad_blob')
  const longer = sourceOf({ ...blob, bytes: Buffer.concat([blob.bytes, blob.bytes]) })
  await uploadBlob(transfer(server.url), longer)
  expect((await getBytes(server, blob.sha256)).equals(blob.bytes)).toBe(true)
})

it('[BLOB-3] two who upload the same bytes at once both succeed', async () => {
  const blob = someBytes(8_000_000)
  await Promise.all([1, 2, 3].map(() => uploadBlob(transfer(server.url), sourceOf(blob))))
  expect((await getBytes(server, blob.sha256)).equals(blob.bytes)).toBe(true)
})

it('[BLOB-2] nothing goes on once nobody wants it', async () => {
  const blob = someBytes(2_000_000)
  const hold: Limit = { bytes: 500_000, end: 'hold' }
  const proxy = await startBadLine(server.port, { puts: [hold], gets: [hold] })
  for (const run of [
    (signal: AbortSignal) => uploadBlob(transfer(proxy.url, signal), sourceOf(blob)),
    (signal: AbortSignal) => download(proxy.url, blob, signal),
  ]) {
    const stop = new AbortController()
    const before = proxy.reached.length
    const ended = codeOf(run(stop.signal))
    await until('it is held', () => proxy.reached.length > before)
    stop.abort()
    expect(await ended).toBe('shutting_down')
    await until('it is there', async () => {
      const { offset } = await head(server, blob)
      return (await putBytes(server, blob, offset)).status === 201
    })
  }
  await proxy.close()
})

it('[BLOB-1] a large blob goes through the server without being held by it', async () => {
  const size = 120 * 1024 * 1024
  const hash = createHash('sha256')
  const chunks = function* (start: number) {
    for (let at = start; at < size; at += zeros.length) yield zeros
  }
  const zeros = Buffer.alloc(1024 * 1024)
  for (const chunk of chunks(0)) hash.update(chunk)
  const sha256 = hash.digest('hex')
  const rss = async () => {
    const text = await (await fetch(`${server.url}/metrics`)).text()
    return Number(/^clawlink_resident_bytes (\d+)/m.exec(text)?.[1])
  }
  const before = await rss()
  const read = (start: number) => Readable.from(chunks(start))
  await uploadBlob(transfer(server.url), { sha256, size, read })
  const path = join(tempDir('large'), 'got')
  const file = await open(path, 'w')
  await downloadBlob(transfer(server.url), { sha256, size }, file)
  expect((await file.stat()).size).toBe(size)
  await file.close()
  expect(((await rss()) - before) / 1e6).toBeLessThan(100)
})

it('says who answers where there is no blob, or no ClawLink', async () => {
  const nothing = named(Buffer.from('nothing'))
  expect(await codeOf(download(server.url, nothing))).toBe('unknown_blob')
  expect(await codeOf(download(server.url, { ...nothing, size: 0, sha256: '0'.repeat(64) }))).toBe(
    'bad_blob',
  )
})
