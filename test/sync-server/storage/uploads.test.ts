import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { MAX_BLOB_BYTES } from '../../../protocol/limits.ts'
import { MAX_AGENT_PARTIALS } from '../../../sync-server/config/limits.ts'
import { BlobStore } from '../../../sync-server/storage/blobs/blob-store.ts'
import type { Blobs } from '../../../sync-server/storage/blobs/blobs.ts'
import { moveBlobs } from '../../../sync-server/storage/blobs/move.ts'
import { StoredBlobs } from '../../../sync-server/storage/blobs/stored-blobs.ts'
import { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'
import { tempDir } from '../../support/server.ts'

const inFolder = async (): Promise<Blobs> => new BlobStore(tempDir('uploads'), Date.now)
const inStore = async (): Promise<Blobs> => {
  const { derived } = await LevelUpdateLog.open(tempDir('uploads'), Date.now)
  return new StoredBlobs(derived.db, derived.put, Date.now)
}

const stored = async (open: () => Promise<Blobs>) => {
  const blobs = await open()
  /** Announces so many bytes, and sends one. */
  const begin = (by: string, size: number) =>
    blobs
      .append(
        { workspace: 'w', sha256: randomBytes(32).toString('hex'), size, by },
        0,
        Readable.from([Buffer.from('x')]),
      )
      .then(
        ({ complete }) => complete,
        ({ code }) => code,
      )
  const whole = (by: string, bytes: Buffer) => {
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const upload = { workspace: 'w', sha256, size: bytes.length, by }
    return blobs.append(upload, 0, Readable.from([bytes]))
  }
  return { blobs, begin, whole }
}

const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const read = async (blobs: Blobs, sha256: string, start: number, end: number): Promise<Buffer> =>
  Buffer.concat((await blobs.read('w', sha256, start, end).toArray()) as Buffer[])

describe.each([
  ['in a folder', inFolder],
  ['in the store', inStore],
])('blobs %s', (_, open) => {
  it('[BLOB-10] unfinished uploads of one agent keep no other from uploading', async () => {
    const { begin, whole } = await stored(open)
    for (let i = 0; i < MAX_AGENT_PARTIALS; i++) expect(await begin('mallory', 100)).toBe(false)
    expect(await begin('mallory', 100)).toBe('busy')
    expect(await whole('ann', Buffer.from('a picture'))).toMatchObject({ complete: true })
  })

  it('[BLOB-10] nor do they by what they announce: where there is no room that of who announced the most goes', async () => {
    const { begin, whole } = await stored(open)
    // All that a workspace may have.
    for (let i = 0; i < 15; i++) expect(await begin('mallory', MAX_BLOB_BYTES)).toBe(false)
    expect(await begin('bob', MAX_BLOB_BYTES)).toBe(false)
    expect(await whole('ann', randomBytes(1_000))).toMatchObject({ complete: true })
    expect(await begin('ann', MAX_BLOB_BYTES)).toBe(false)
    for (let i = 0; i < 3; i++) expect(await begin('ann', MAX_BLOB_BYTES)).toBe(false)
    // One's own uploads make no room for each other.
    expect(await begin('mallory', MAX_BLOB_BYTES)).toBe('quota')
  })

  it('[BLOB-1] [BLOB-2] come back as they were put, in any range, also when they came in parts', async () => {
    const { blobs, whole } = await stored(open)
    const bytes = randomBytes(700_000)
    const sha256 = sha256Of(bytes)
    const upload = { workspace: 'w', sha256, size: bytes.length, by: 'ann' }
    let offset = 0
    for (const end of [1, 300_000, 300_001, 699_999]) {
      const part = Readable.from([bytes.subarray(offset, end)])
      expect(await blobs.append(upload, offset, part)).toEqual({ offset: end, complete: false })
      offset = end
      expect(await blobs.progress(upload)).toEqual({ offset, complete: false })
      await expect(blobs.append(upload, offset - 1, part)).rejects.toMatchObject({ offset })
    }
    const last = Readable.from([bytes.subarray(offset)])
    expect(await blobs.append(upload, offset, last)).toEqual({ offset: 700_000, complete: true })
    expect(await blobs.size('w', sha256)).toBe(700_000)
    for (const [start, end] of [
      [0, 699_999],
      [0, 0],
      [1, 1],
      [299_999, 300_001],
      [262_144, 600_000],
      [699_999, 699_999],
    ] as const) {
      expect((await read(blobs, sha256, start, end)).equals(bytes.subarray(start, end + 1))).toBe(
        true,
      )
    }
    await whole('ann', Buffer.alloc(0))
    expect([await blobs.bytesOf('w'), await blobs.workspaces()]).toEqual([700_000, ['w']])
    expect(await blobs.collect('w', new Set([sha256]), Number.POSITIVE_INFINITY)).toBe(1)
    expect(await blobs.collect('w', new Set(), 0)).toBe(0)
    expect(await blobs.collect('w', new Set(), Number.POSITIVE_INFINITY)).toBe(1)
    expect([await blobs.bytesOf('w'), await blobs.size('w', sha256)]).toEqual([0, null])
  })

  it('[BLOB-2] bytes that are not those of the name, or more than announced, end the upload', async () => {
    const { blobs } = await stored(open)
    const bytes = randomBytes(300_000)
    const upload = { workspace: 'w', sha256: sha256Of(randomBytes(1)), size: bytes.length }
    const send = (...parts: Buffer[]) => blobs.append(upload, 0, Readable.from(parts))
    await expect(send(bytes)).rejects.toMatchObject({ code: 'bad_blob' })
    expect(await blobs.progress(upload)).toEqual({ offset: 0, complete: false })
    await expect(send(bytes, Buffer.from('x'))).rejects.toMatchObject({ code: 'usage' })
    expect(await blobs.progress(upload)).toEqual({ offset: 0, complete: false })
    expect([await blobs.size('w', upload.sha256), await blobs.bytesOf('w')]).toEqual([null, 0])
  })

  it('[BLOB-2] a body that breaks off leaves what came, and the upload goes on from there', async () => {
    const { blobs } = await stored(open)
    const bytes = randomBytes(400_000)
    const upload = { workspace: 'w', sha256: sha256Of(bytes), size: bytes.length }
    const breaking = async function* () {
      yield bytes.subarray(0, 399_000)
      throw new Error('gone')
    }
    const broken = blobs.append(upload, 0, Readable.from(breaking()))
    await expect(broken).rejects.toMatchObject({ code: 'malformed' })
    const { offset } = await blobs.progress(upload)
    expect(offset).toBe(399_000)
    const rest = Readable.from([bytes.subarray(offset)])
    expect(await blobs.append(upload, offset, rest)).toMatchObject({ complete: true })
  })
})

it('[NODE-10] blobs move between the folder and the store, each once it is whole at the other place', async () => {
  const [folder, store] = [await stored(inFolder), await stored(inStore)]
  const all = [Buffer.alloc(0), randomBytes(10), randomBytes(600_000)]
  for (const bytes of all) await folder.whole('ann', bytes)
  await moveBlobs(folder.blobs as BlobStore, store.blobs)
  expect([await folder.blobs.bytesOf('w'), await store.blobs.bytesOf('w')]).toEqual([0, 600_010])
  await moveBlobs(store.blobs as StoredBlobs, folder.blobs)
  expect([await folder.blobs.bytesOf('w'), await store.blobs.bytesOf('w')]).toEqual([600_010, 0])
  for (const bytes of all) {
    const found = await read(folder.blobs, sha256Of(bytes), 0, Math.max(0, bytes.length - 1))
    expect(found.equals(bytes)).toBe(true)
  }
})
