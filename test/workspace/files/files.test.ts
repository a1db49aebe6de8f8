import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { ClawError } from '../../../protocol/errors.ts'
import { MAX_FILE_BYTES, MAX_PATH_BYTES } from '../../../protocol/limits.ts'
import { checkFileKey } from '../../../workspace/document/path.ts'
import { fileVersions } from '../../../workspace/files/edit-counts.ts'
import { fileInfo, listFiles, readFile } from '../../../workspace/files/file-info.ts'
import { moveFile, removeFile } from '../../../workspace/files/move-file.ts'
import { type FilePut, putFile } from '../../../workspace/files/put-file.ts'
import { clearRemoved, keysByFileId } from '../../../workspace/files/tree.ts'
import { agentId, codeOf, replica, send, sync } from '../../support/workspace/replicas.ts'

const [ann, bob, cat] = ['ann', 'bob', 'cat'].map(agentId) as [
  FilePut['by'],
  FilePut['by'],
  FilePut['by'],
]

const put = (doc: Y.Doc, content: string, more: Partial<FilePut> = {}) =>
  putFile(doc, { key: 'plan.md', content, base: null, by: ann, now: 1000, ...more })

const hintOf = (call: () => unknown): string => {
  try {
    call()
  } catch (error) {
    return (error as ClawError).hint
  }
  return ''
}

/** Two replicas that share one file. */
const shared = (content: string): [Y.Doc, Y.Doc] => {
  const [a, b] = [replica(1), replica(2)]
  put(a, content)
  sync(a, b)
  return [a, b]
}

describe('putFile', () => {
  it('creates a file', () => {
    const doc = replica(1)
    expect(put(doc, 'é\n')).toEqual({
      file: {
        file_key: 'plan.md',
        version: 1,
        last_editor: ann,
        updated_at: '1970-01-01T00:00:01.000Z',
        size: 3,
        media_type: 'text/plain',
      },
      changed: true,
      created: true,
      conflicts: [],
      lines: [{ from_line: 1, to_line: 1 }],
    })
    expect(readFile(doc, 'plan.md').content).toBe('é\n')
    expect(put(doc, '', { key: 'empty' })).toMatchObject({ created: true, file: { version: 1 } })
  })

  it('keeps a line end that comes last', () => {
    const doc = replica(1)
    put(doc, 'a\n\n')
    put(doc, 'a\n\nb\n\n', { base: 'a\n\n' })
    expect(readFile(doc, 'plan.md').content).toBe('a\n\nb\n\n')
  })

  it('[FILE-3] writes nothing where nothing is to change', () => {
    const [doc] = shared('a\n')
    let updates = 0
    doc.on('update', () => updates++)
    for (const base of [null, 'a\n', 'older\n']) {
      expect(put(doc, 'a\n', { base })).toMatchObject({ changed: false, file: { version: 1 } })
    }
    expect(updates).toBe(0)
  })

  it('[FILE-7] changes text and version in one update, and leaves alone what did not change', () => {
    const [doc, other] = shared(`${'x'.repeat(5000)}\nb\n`)
    const updates: Uint8Array[] = []
    doc.on('update', (update) => updates.push(update))
    put(doc, `${'x'.repeat(5000)}\nB\n`, { base: `${'x'.repeat(5000)}\nb\n`, now: 2000 })
    expect(updates.length).toBe(1)
    expect(updates[0]!.length).toBeLessThan(200)
    Y.applyUpdate(other, updates[0]!)
    expect(fileInfo(other, 'plan.md')).toMatchObject({
      version: 2,
      updated_at: '1970-01-01T00:00:02.000Z',
    })
  })

  it('[FILE-5] refuses to replace what the writer has not seen, unless forced', () => {
    const [, doc] = shared('a\n')
    expect(codeOf(() => put(doc, 'b\n', { by: bob }))).toBe('no_base')
    expect(put(doc, 'b\n', { by: bob, force: true })).toMatchObject({
      changed: true,
      conflicts: [],
    })
    expect(readFile(doc, 'plan.md')).toMatchObject({ content: 'b\n', last_editor: bob, version: 2 })
  })

  it('[FILE-1] loses nothing that others did since the base', () => {
    const [a, b] = shared('1\n2\n3\n')
    put(b, '1\n2\nthree\n', { base: '1\n2\n3\n', by: bob })
    sync(a, b)
    expect(put(a, 'one\n2\n3\n', { base: '1\n2\n3\n' })).toMatchObject({ conflicts: [] })
    expect(readFile(a, 'plan.md').content).toBe('one\n2\nthree\n')
  })

  it('[FILE-1] merges puts that were made apart', () => {
    const [a, b] = shared('1\n2\n3\n')
    put(a, 'one\n2\n3\n', { base: '1\n2\n3\n' })
    put(b, '1\n2\nthree\n', { base: '1\n2\n3\n', by: bob })
    sync(a, b)
    for (const doc of [a, b]) {
      expect(readFile(doc, 'plan.md')).toMatchObject({ content: 'one\n2\nthree\n', version: 3 })
    }
  })

  it('[FILE-2] says whose lines a conflict is with: those who wrote there, not those who wrote elsewhere', () => {
    const [a, b] = shared('1\n2\n3\n4\n')
    const c = replica(3)
    put(b, '1\n2 bob\n3\n4\n', { base: '1\n2\n3\n4\n', by: bob })
    send(b, c)
    put(c, '1\n2 bob\n3 cat\n4\n', { base: '1\n2 bob\n3\n4\n', by: cat })
    put(c, '1\n2 bob\n3 cat\n4\nelsewhere\n', { base: '1\n2 bob\n3 cat\n4\n', by: cat })
    sync(a, b, c)
    const base = '1\n2\n3\n4\n'
    expect(put(b, '1\n2 mine\n3\n4\n', { base, by: ann }).conflicts).toEqual([
      { from_line: 2, to_line: 4, by: `${bob}, ${cat}` },
    ])
    expect(put(a, '1\n2\n3\nfour\n', { base, by: ann }).conflicts).toEqual([])
  })

  it('names the last editor where the others only removed', () => {
    const [a, b] = shared('1\n2\n3\n')
    put(b, '1\n3\n', { base: '1\n2\n3\n', by: bob, now: 5000 })
    sync(a, b)
    expect(put(a, '1\n2 more\n3\n', { base: '1\n2\n3\n' })).toMatchObject({
      conflicts: [{ from_line: 2, to_line: 2, by: bob }],
    })
    expect(readFile(a, 'plan.md').content).toBe('1\n2 more\n3\n')
  })

  it('reports a conflict also where all stays as it is', () => {
    const [doc] = shared('1\n2\n')
    put(doc, '1\nother\n', { base: '1\n2\n', by: bob })
    expect(put(doc, '1\n', { base: '1\n2\n' })).toMatchObject({
      changed: false,
      conflicts: [{ from_line: 2, to_line: 2 }],
    })
  })

  it('[FILE-3] is the same put when made again', () => {
    const [a, b] = shared('1\n')
    put(a, '1\nmine\n', { base: '1\n' })
    put(b, '1\ntheirs\n', { base: '1\n', by: bob })
    sync(a, b)
    expect(put(a, '1\nmine\n', { base: '1\n' })).toMatchObject({ changed: false, conflicts: [] })
  })

  it('[FILE-1] keeps both texts of a file that two create at once', () => {
    const [a, b] = [replica(1), replica(2)]
    put(a, 'from ann\n')
    put(b, 'from bob\n', { by: bob })
    sync(a, b)
    const { content } = readFile(a, 'plan.md')
    expect(content.split('\n').sort()).toEqual(['', 'from ann', 'from bob'])
    expect(readFile(b, 'plan.md')).toEqual(readFile(a, 'plan.md'))
    expect(fileInfo(a, 'plan.md').version).toBe(2)
  })

  it('[FILE-7] breaks a tie of time alike on every replica', () => {
    const [a, b] = shared('1\n')
    put(a, '1\na\n', { base: '1\n', now: 2000 })
    put(b, '1\nb\n', { base: '1\n', by: bob, now: 2000 })
    sync(a, b)
    expect(fileInfo(a, 'plan.md')).toEqual(fileInfo(b, 'plan.md'))
  })

  it.each([
    ['a lone surrogate', 'a\ud800b', 'bad_text'],
    ['NUL', 'a\0b', 'bad_text'],
    ['too much', 'x'.repeat(MAX_FILE_BYTES + 1), 'too_large'],
  ])('refuses %s', (_, content, code) => {
    const doc = replica(1)
    expect(codeOf(() => put(doc, content))).toBe(code)
    expect(listFiles(doc)).toEqual([])
  })

  it('[FILE-6] refuses what the merge would make too large, and changes nothing', () => {
    const half = 'x'.repeat(MAX_FILE_BYTES / 2)
    const [doc] = shared('1\n')
    put(doc, `1\n${half}\n`, { base: '1\n' })
    expect(codeOf(() => put(doc, `1\ny${half}\n`, { base: '1\n', by: bob }))).toBe('too_large')
    expect(fileInfo(doc, 'plan.md').version).toBe(2)
  })
})

describe('reading files', () => {
  it('lists them by path', () => {
    const doc = replica(1)
    for (const key of ['b', 'a/z', 'B', 'a']) put(doc, key, { key })
    expect(listFiles(doc).map(({ file_key }) => file_key)).toEqual(['B', 'a', 'a/z', 'b'])
  })

  it('finds a name however its accents are written', () => {
    const doc = replica(1)
    put(doc, 'x', { key: 're\u0301sume\u0301.md' })
    expect(readFile(doc, 'résumé.md').file_key).toBe('résumé.md'.normalize('NFC'))
  })

  it('says what is near an unknown name', () => {
    const [doc] = shared('x')
    expect(codeOf(() => readFile(doc, 'pln.md'))).toBe('unknown_file')
    expect(hintOf(() => fileInfo(doc, 'pln.md'))).toBe('did you mean plan.md?')
  })

  it('tells path and version of a content', () => {
    const [doc] = shared('x')
    const versionOf = fileVersions(doc)
    expect(versionOf('plan.md')).toEqual({ file_key: 'plan.md', version: 1 })
    expect(versionOf('other')).toBeNull()
  })
})

describe('removeFile', () => {
  it('leaves no path; a file made there again has none of the old text and goes on counting', () => {
    const [doc] = shared('old\n')
    removeFile(doc, 'plan.md', ann, 2000)
    expect(listFiles(doc)).toEqual([])
    expect(fileVersions(doc)('plan.md')).toBeNull()
    expect(codeOf(() => removeFile(doc, 'plan.md', ann, 3000))).toBe('unknown_file')
    expect(hintOf(() => readFile(doc, 'plan.md'))).toContain(`${ann} removed it`)
    expect(put(doc, 'new\n')).toMatchObject({ created: true, file: { version: 2 } })
    expect(readFile(doc, 'plan.md').content).toBe('new\n')
  })

  it('[FILE-8] an edit at the same time brings the file back, whole and with the edit', () => {
    const [a, b] = shared('one\ntwo\n')
    removeFile(a, 'plan.md', ann, 2000)
    put(b, 'one\ntwo\nedit\n', { base: 'one\ntwo\n', by: bob })
    sync(a, b)
    for (const doc of [a, b]) expect(readFile(doc, 'plan.md').content).toBe('one\ntwo\nedit\n')
    // Now it is known, and can be removed.
    removeFile(a, 'plan.md', ann, 3000)
    sync(a, b)
    expect(listFiles(b)).toEqual([])
  })

  it('two that remove it at the same time agree', () => {
    const [a, b] = shared('old\n')
    removeFile(a, 'plan.md', ann, 2000)
    removeFile(b, 'plan.md', bob, 2001)
    sync(a, b)
    for (const doc of [a, b]) expect(listFiles(doc)).toEqual([])
  })

  it('[FILE-9] is refused to one who has not read what others changed since', () => {
    const [a, b] = shared('old\n')
    put(b, 'new\n', { base: 'old\n', by: bob })
    sync(a, b)
    expect(codeOf(() => removeFile(a, 'plan.md', ann, 2000, 1))).toBe('stale')
    removeFile(a, 'plan.md', ann, 2000, 2)
    expect(listFiles(a)).toEqual([])
  })

  it('the server clears the text later, but not that of a file that came back or moved', () => {
    const [a, b] = shared('old\n')
    put(a, 'other\n', { key: 'moved.md' })
    put(a, 'third\n', { key: 'back.md' })
    sync(a, b)
    moveFile(a, 'moved.md', 'there.md', ann, 2000)
    removeFile(a, 'back.md', ann, 2000)
    put(b, 'third\nedit\n', { key: 'back.md', base: 'third\n', by: bob })
    removeFile(a, 'plan.md', ann, 2000)
    sync(a, b)
    expect(clearRemoved(a, 2000)).toBe(0)
    expect(clearRemoved(a, 2001)).toBe(1)
    expect(clearRemoved(a, 2001)).toBe(0)
    expect(a.getText('file:plan.md').toJSON()).toBe('')
    expect(listFiles(a).map(({ file_key }) => file_key)).toEqual(['back.md', 'there.md'])
    expect(readFile(a, 'there.md').content).toBe('other\n')
  })
})

it('[FILE-19] another path that leads to a text does not take the place of its own, also after a rename', () => {
  const [a, b] = shared('one\n')
  const copy = { fileId: 'plan.md', mediaType: 'text/plain', createdBy: bob, createdAt: 1 }
  b.getMap('files').set('-a.md', copy)
  sync(a, b)
  expect(keysByFileId(a).get('plan.md')).toBe('plan.md')
  moveFile(a, 'plan.md', 'sub/plan.md', ann, 2000)
  moveFile(a, 'sub/plan.md', 'z.md', ann, 3000)
  expect(keysByFileId(a).get('plan.md')).toBe('z.md')
  // A circle of renames leads nowhere: the first path counts.
  const removed = { by: bob, at: 1, edits: {}, movedTo: 'plan.md' }
  b.getMap('files').set('plan.md', { ...copy, removed })
  sync(a, b)
  expect(keysByFileId(a).get('plan.md')).toBe('-a.md')
})

describe('moveFile', () => {
  it('[FILE-10] keeps the text, its versions, and edits at the same time under the old name', () => {
    const [a, b] = shared('one\n')
    expect(moveFile(a, 'plan.md', 'notes/plan.md', ann, 2000)).toMatchObject({
      file_key: 'notes/plan.md',
      version: 2,
    })
    put(b, 'one\ntwo\n', { base: 'one\n', by: bob })
    sync(a, b)
    for (const doc of [a, b]) {
      expect(readFile(doc, 'notes/plan.md')).toMatchObject({ content: 'one\ntwo\n', version: 3 })
      expect(listFiles(doc)).toHaveLength(1)
      expect(hintOf(() => readFile(doc, 'plan.md'))).toBe(`${ann} renamed it to notes/plan.md`)
    }
  })

  it('a file made under the old name has a text of its own, the same for all who make it', () => {
    const [a, b] = shared('one\n')
    moveFile(a, 'plan.md', 'b.md', ann, 2000)
    sync(a, b)
    put(a, 'from a\n')
    put(b, 'from b\n', { by: bob })
    sync(a, b)
    expect(readFile(a, 'b.md').content).toBe('one\n')
    expect(readFile(a, 'plan.md').content).toBe(readFile(b, 'plan.md').content)
    expect(readFile(a, 'plan.md').content.split('\n').sort()).toEqual(['', 'from a', 'from b'])
    // And once more.
    moveFile(a, 'plan.md', 'c.md', ann, 3000)
    put(a, 'third\n')
    expect(readFile(a, 'c.md').content).toContain('from a')
    expect(readFile(a, 'plan.md').content).toBe('third\n')
  })

  it('back and forth', () => {
    const [doc] = shared('one\n')
    moveFile(doc, 'plan.md', 'b.md', ann, 2000)
    moveFile(doc, 'b.md', 'plan.md', ann, 3000)
    expect(readFile(doc, 'plan.md')).toMatchObject({ content: 'one\n', version: 3 })
    put(doc, 'new\n', { key: 'b.md' })
    expect(readFile(doc, 'plan.md').content).toBe('one\n')
    expect(readFile(doc, 'b.md').content).toBe('new\n')
  })

  it('two names given at the same time both stand, for one text', () => {
    const [a, b] = shared('one\n')
    moveFile(a, 'plan.md', 'a.md', ann, 2000)
    moveFile(b, 'plan.md', 'b.md', bob, 2000)
    sync(a, b)
    put(a, 'one\ntwo\n', { key: 'a.md', base: 'one\n' })
    expect(listFiles(a).map(({ file_key }) => file_key)).toEqual(['a.md', 'b.md'])
    expect(readFile(a, 'b.md').content).toBe('one\ntwo\n')
  })

  it('a file in the way is not overwritten, unless forced', () => {
    const [doc] = shared('one\n')
    put(doc, 'other\n', { key: 'b.md' })
    expect(codeOf(() => moveFile(doc, 'plan.md', 'b.md', ann, 2000))).toBe('file_exists')
    expect(codeOf(() => moveFile(doc, 'none.md', 'c.md', ann, 2000))).toBe('unknown_file')
    expect(codeOf(() => moveFile(doc, 'plan.md', '../c.md', ann, 2000))).toBe('bad_path')
    moveFile(doc, 'plan.md', 'b.md', ann, 2000, true)
    expect(readFile(doc, 'b.md').content).toBe('one\n')
  })
})

describe('checkFileKey', () => {
  it.each([
    'a',
    'notes/plan.md',
    '.env',
    'a/..b/c...',
    'ä/漢字 👍.txt',
    'x'.repeat(MAX_PATH_BYTES),
  ])('takes %s', (key) => expect(checkFileKey(key)).toBe(key.normalize('NFC')))

  it.each([
    '',
    '/',
    '/etc/passwd',
    'a/',
    'a//b',
    '.',
    '..',
    './a',
    '../a',
    'a/./b',
    'a/../b',
    'a/..',
    'a\\b',
    'a\nb',
    'a\u0000',
    'a\u2028b',
    'a\ud800',
    'x'.repeat(MAX_PATH_BYTES + 1),
  ])('refuses %j', (key) => expect(codeOf(() => checkFileKey(key))).toBe('bad_path'))
})
