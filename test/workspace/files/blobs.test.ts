import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type * as Y from 'yjs'
import { MAX_BLOB_BYTES } from '../../../protocol/limits.ts'
import { blobsOf, type FileId } from '../../../workspace/document/schema.ts'
import { blobVersions, pruneBlobs, referencedBlobs } from '../../../workspace/files/blobs.ts'
import { fileInfo, readFile } from '../../../workspace/files/file-info.ts'
import { mediaTypeOf } from '../../../workspace/files/media-type.ts'
import { moveFile, removeFile } from '../../../workspace/files/move-file.ts'
import { type PutBlob, putBlob } from '../../../workspace/files/put-blob.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { agentId, codeOf, replica, sync } from '../../support/workspace/replicas.ts'

const [ann, bob] = ['ann', 'bob'].map(agentId) as [PutBlob['by'], PutBlob['by']]
const KEY = 'a.png'
const ID = KEY as FileId
const name = (n: number): string => n.toString(16).padStart(64, '0')

const put = (doc: Y.Doc, n: number, more: Partial<PutBlob> = {}) =>
  putBlob(doc, { key: KEY, sha256: name(n), size: n, known: null, by: ann, now: 1_000, ...more })
const text = (doc: Y.Doc, content: string, force = false) =>
  putFile(doc, { key: KEY, content, base: null, by: ann, now: 1_000, force })
const versions = (doc: Y.Doc): number[] => blobVersions(doc, ID).map(({ size }) => size)

describe('putBlob', () => {
  it('makes, changes and leaves alone', () => {
    const doc = replica(1)
    expect(put(doc, 1)).toEqual({
      file: {
        file_key: KEY,
        version: 1,
        last_editor: ann,
        updated_at: '1970-01-01T00:00:01.000Z',
        size: 1,
        media_type: 'image/png',
        sha256: name(1),
      },
      changed: true,
      created: true,
      replaced: null,
    })
    expect(put(doc, 1)).toMatchObject({ changed: false, file: { version: 1 } })
    expect(put(doc, 2, { known: name(1) })).toMatchObject({ created: false, replaced: null })
    // One that was there before is the newest again.
    expect(put(doc, 1, { known: name(2) }).file).toMatchObject({ version: 3, sha256: name(1) })
    expect(versions(doc)).toEqual([1, 2])
  })

  it('[BLOB-6] the later put is the file, whatever the clocks say, and what it replaced unread is named', () => {
    const doc = replica(1)
    put(doc, 1, { now: 9_000_000 })
    expect(put(doc, 2, { now: 5, by: bob, known: name(1) }).replaced).toBe(null)
    expect(put(doc, 3, { now: 7, by: bob, known: name(2) }).replaced).toBe(null)
    expect(put(doc, 4, { now: 6, by: ann, known: name(1) }).replaced).toMatchObject({
      sha256: name(3),
      by: bob,
    })
    expect(versions(doc)).toEqual([4, 3, 2, 1])
  })

  it('[BLOB-6] all that was put at the same time is kept, and replicas agree which is the file', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            who: fc.integer({ min: 0, max: 2 }),
            n: fc.integer({ min: 1, max: 12 }),
            now: fc.integer({ min: 0, max: 50 }),
            meets: fc.option(fc.integer({ min: 0, max: 2 })),
          }),
          { maxLength: 30 },
        ),
        (steps) => {
          const docs = [replica(1), replica(2), replica(3)]
          const all = new Set<number>()
          for (const { who, n, now, meets } of steps) {
            put(docs[who]!, n, { now, force: true })
            all.add(n)
            expect(versions(docs[who]!)[0]).toBe(n)
            if (meets !== null && meets !== who) sync(docs[who]!, docs[meets]!)
          }
          for (let round = 0; round < 2; round++) {
            sync(docs[0]!, docs[1]!)
            sync(docs[1]!, docs[2]!)
          }
          const [first, ...others] = docs.map(versions)
          for (const other of others) expect(other).toEqual(first)
          expect(new Set(first)).toEqual(all)
        },
      ),
    )
  })

  it('refuses what is too large, no path, text, and what its writer has not read', () => {
    const doc = replica(1)
    expect(codeOf(() => put(doc, 1, { size: MAX_BLOB_BYTES + 1 }))).toBe('too_large')
    expect(codeOf(() => put(doc, 1, { key: '../a' }))).toBe('bad_path')
    put(doc, 1)
    expect(codeOf(() => put(doc, 2))).toBe('no_base')
    expect(codeOf(() => text(doc, 'x'))).toBe('not_text')
    expect(codeOf(() => readFile(doc, KEY))).toBe('not_text')
    putFile(doc, { key: 't.png', content: 'x', base: null, by: ann, now: 1 })
    expect(codeOf(() => put(doc, 2, { key: 't.png', known: name(1) }))).toBe('is_text')
  })

  it('[BLOB-7] bytes and text take each other’s place whole', () => {
    const doc = replica(1)
    text(doc, 'one\n')
    put(doc, 1, { force: true })
    expect(fileInfo(doc, KEY)).toMatchObject({ version: 2, size: 1, media_type: 'image/png' })
    text(doc, 'two\n', true)
    expect(readFile(doc, KEY)).toMatchObject({ version: 3, content: 'two\n', size: 4 })
    put(doc, 2, { force: true })
    expect(versions(doc)).toEqual([2, 1])
    removeFile(doc, KEY, ann, 2_000)
    expect(text(doc, 'three\n')).toMatchObject({ created: true })
    expect(readFile(doc, KEY).content).toBe('three\n')
  })

  it('a version put while somebody removes or renames the file is in it', () => {
    const [a, b] = [replica(1), replica(2)]
    put(a, 1)
    sync(a, b)
    removeFile(a, KEY, ann, 2_000)
    put(b, 2, { by: bob, known: name(1) })
    sync(a, b)
    expect(fileInfo(a, KEY)).toMatchObject({ sha256: name(2), version: 2 })
    moveFile(a, KEY, 'b.png', ann, 3_000)
    put(b, 3, { by: bob, known: name(2) })
    sync(a, b)
    expect(fileInfo(b, 'b.png')).toMatchObject({ sha256: name(3) })
  })

  it('[BLOB-7] of text and bytes put at the same time one is shown, and both are kept', () => {
    const [a, b] = [replica(1), replica(2)]
    text(a, 'text\n')
    put(b, 1, { by: bob })
    sync(a, b)
    expect(fileInfo(a, KEY)).toEqual(fileInfo(b, KEY))
    expect(fileInfo(a, KEY).version).toBe(2)
    expect(a.getText(`file:${KEY}`).toString()).toBe('text\n')
    expect(versions(a)).toEqual([1])
    expect([codeOf(() => text(a, 'more')), codeOf(() => put(a, 2))].filter(Boolean)).not.toEqual([])
  })

  it('a put after a removal or a renaming makes another file', () => {
    const doc = replica(1)
    put(doc, 1)
    removeFile(doc, KEY, ann, 2_000)
    expect(put(doc, 2, { by: bob })).toMatchObject({ created: true, file: { sha256: name(2) } })
    moveFile(doc, KEY, 'b.png', ann, 3_000)
    expect(put(doc, 3)).toMatchObject({ created: true, file: { sha256: name(3), version: 1 } })
    expect(fileInfo(doc, 'b.png').sha256).toBe(name(2))
  })

  it('values of the wrong shape are no versions', () => {
    const doc = replica(1)
    put(doc, 1)
    const raw = doc.getMap(`blobs:${KEY}`)
    const good = { size: 1, mediaType: 'image/png', by: 'x', at: 5_000 }
    raw.set(name(2), { ...good, at: Number.POSITIVE_INFINITY })
    raw.set(name(3), { ...good, size: -1 })
    raw.set('../../etc/passwd', good)
    raw.set(name(4), null)
    raw.set(name(5), { ...good, sha256: '../x' })
    expect(blobVersions(doc, ID).map(({ sha256 }) => sha256)).toEqual([name(5), name(1)])
  })
})

describe('pruneBlobs', () => {
  const DAY = 86_400_000

  it('[BLOB-5] keeps the newest versions of a file that is there, under its new name, too', () => {
    const doc = replica(1)
    for (let n = 1; n <= 7; n++) put(doc, n, { force: true, now: n })
    moveFile(doc, KEY, 'b.png', ann, 10)
    expect(pruneBlobs(doc, 5, DAY)).toBe(2)
    expect(versions(doc)).toEqual([7, 6, 5, 4, 3])
    expect(referencedBlobs(doc)).toEqual(new Set([3, 4, 5, 6, 7].map(name)))
    expect(pruneBlobs(doc, 5, DAY)).toBe(0)
  })

  it('[BLOB-5] keeps those of a removed file for as long as its text would be', () => {
    const doc = replica(1)
    put(doc, 1, { now: 5 })
    removeFile(doc, KEY, ann, 20 * DAY)
    expect(pruneBlobs(doc, 5, 20 * DAY)).toBe(0)
    expect(pruneBlobs(doc, 5, 20 * DAY + 1)).toBe(1)
    expect(referencedBlobs(doc).size).toBe(0)
  })

  it('[BLOB-5] keeps what another file or a text took the place of for a while', () => {
    const doc = replica(1)
    put(doc, 1, { now: 5 })
    put(doc, 2, { key: 'b.png', now: 6 })
    moveFile(doc, 'b.png', KEY, ann, 7, true)
    expect(pruneBlobs(doc, 5, 5)).toBe(0)
    expect(pruneBlobs(doc, 5, 100)).toBe(1)
    expect(fileInfo(doc, KEY).sha256).toBe(name(2))
    text(doc, 'text\n', true)
    expect(pruneBlobs(doc, 5, 6)).toBe(0)
    expect(pruneBlobs(doc, 5, 100)).toBe(1)
    expect(blobsOf(doc, 'b.png' as FileId).size).toBe(0)
  })
})

it('mediaTypeOf goes by the ending, and is never text', () => {
  expect(mediaTypeOf('a/b.PNG')).toBe('image/png')
  for (const path of ['a.txt', 'a', 'a.', '.png/x', 'x.constructor', 'a.__proto__']) {
    expect(mediaTypeOf(path)).toBe('application/octet-stream')
  }
})
