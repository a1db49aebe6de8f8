import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { MAX_BLOB_BYTES } from '../../../protocol/limits.ts'
import { MAX_AGENT_PARTIALS } from '../../../sync-server/config/limits.ts'
import { BlobStore } from '../../../sync-server/storage/blobs/blob-store.ts'
import { tempDir } from '../../support/server.ts'

const stored = () => {
  const blobs = new BlobStore(tempDir('uploads'), Date.now)
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
  return { begin, whole }
}

it('[BLOB-10] unfinished uploads of one agent keep no other from uploading', async () => {
  const { begin, whole } = stored()
  for (let i = 0; i < MAX_AGENT_PARTIALS; i++) expect(await begin('mallory', 100)).toBe(false)
  expect(await begin('mallory', 100)).toBe('busy')
  expect(await whole('ann', Buffer.from('a picture'))).toMatchObject({ complete: true })
})

it('[BLOB-10] nor do they by what they announce: where there is no room that of who announced the most goes', async () => {
  const { begin, whole } = stored()
  // All that a workspace may have.
  for (let i = 0; i < 15; i++) expect(await begin('mallory', MAX_BLOB_BYTES)).toBe(false)
  expect(await begin('bob', MAX_BLOB_BYTES)).toBe(false)
  expect(await whole('ann', randomBytes(1_000))).toMatchObject({ complete: true })
  expect(await begin('ann', MAX_BLOB_BYTES)).toBe(false)
  for (let i = 0; i < 3; i++) expect(await begin('ann', MAX_BLOB_BYTES)).toBe(false)
  // One's own uploads make no room for each other.
  expect(await begin('mallory', MAX_BLOB_BYTES)).toBe('quota')
})
