import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { MAX_FILE_BYTES } from '../../../protocol/limits.ts'
import { readFile } from '../../../workspace/files/file-info.ts'
import { until } from '../../support/client.ts'
import { has, mirrorStage, put, read, textAt } from '../../support/mirror/stage.ts'
import { treeOf } from '../../support/mirror/tree.ts'
import { tempDir } from '../../support/server.ts'

const stage = mirrorStage()

it('[MIRROR-1] files go both ways, each change of a file too, with every way of writing', async () => {
  const [one, two] = [await stage.join('one'), await stage.join('two')]
  const [a, b] = [tempDir('a'), tempDir('b')]
  writeFileSync(join(a, 'there.md'), 'was there\n')
  await one.mirror(a)
  await two.mirror(b)
  await has('first', b, 'there.md', 'was there\n')

  mkdirSync(join(a, 'deep/er'), { recursive: true })
  writeFileSync(join(a, 'deep/er/new.md'), 'new\n')
  await has('new in new folders', b, 'deep/er/new.md', 'new\n')
  appendFileSync(join(b, 'deep/er/new.md'), 'appended\n')
  await has('append', a, 'deep/er/new.md', 'new\nappended\n')
  writeFileSync(join(a, 'x.tmp2'), 'new\nappended\nrenamed\n')
  renameSync(join(a, 'x.tmp2'), join(a, 'deep/er/new.md'))
  await has('rename into place', b, 'deep/er/new.md', 'new\nappended\nrenamed\n')
  execFileSync('sed', ['-i', 's/new/by sed/', join(b, 'deep/er/new.md')])
  await has('sed', a, 'deep/er/new.md', 'by sed\nappended\nrenamed\n')
  const file = openSync(join(a, 'deep/er/new.md'), 'w')
  writeSync(file, 'in ')
  writeSync(file, 'two parts\n')
  closeSync(file)
  await has('truncate and write', b, 'deep/er/new.md', 'in two parts\n')
  rmSync(join(b, 'deep'), { recursive: true })
  await has('deletion', a, 'deep/er/new.md', null)
  await until('the empty folders went', () => !existsSync(join(a, 'deep')))
  put(two, 'from/doc.md', 'CRLF\r\n\ud83e\udd80 \u4e2d')
  await has('document', a, 'from/doc.md', 'CRLF\r\n\ud83e\udd80 \u4e2d')
  await has('document', b, 'from/doc.md', 'CRLF\r\n\ud83e\udd80 \u4e2d')
})

it('[MIRROR-1] with a prefix only what is below it is mirrored', async () => {
  const one = await stage.join('one')
  put(one, 'notes/a.md', 'a\n')
  put(one, 'other.md', 'o\n')
  const { folder } = await one.mirror(undefined, { prefix: 'notes' })
  expect([...treeOf(folder.path)]).toEqual([['a.md', 'a\n']])
  writeFileSync(join(folder.path, 'b.md'), 'b\n')
  await until('it is shared', () => textAt(one, 'notes/b.md') === 'b\n')
})

it('[MIRROR-4] mode bits stay, and no reader meets half a file', async () => {
  const one = await stage.join('one')
  const dir = tempDir('dir')
  const path = join(dir, 'run.sh')
  writeFileSync(path, 'A'.repeat(100_000))
  chmodSync(path, 0o750)
  await one.mirror(dir)
  let isOver = false
  const sizes = new Set<number>()
  const reading = (async () => {
    while (!isOver) {
      sizes.add(readFileSync(path).length)
      await new Promise((next) => setImmediate(next))
    }
  })()
  for (const letter of ['B', 'C', 'D']) {
    put(one, 'run.sh', letter.repeat(100_000), textAt(one, 'run.sh'))
    await has(letter, dir, 'run.sh', letter.repeat(100_000))
  }
  isOver = true
  await reading
  expect([...sizes]).toEqual([100_000])
  expect(statSync(path).mode & 0o777).toBe(0o750)
  expect(readdirSync(dir)).toEqual(['run.sh'])
})

it('[MIRROR-4] a file that is emptied, or gone, for a moment is neither empty nor gone', async () => {
  const one = await stage.join('one')
  const dir = tempDir('dir')
  writeFileSync(join(dir, 'a.md'), 'a\n')
  writeFileSync(join(dir, 'b.md'), 'b\n')
  await one.mirror(dir)
  const seen: (string | null)[] = []
  one.place.replica.doc.on('update', () => seen.push(textAt(one, 'a.md'), textAt(one, 'b.md')))
  const file = openSync(join(dir, 'a.md'), 'w')
  rmSync(join(dir, 'b.md'))
  writeFileSync(join(dir, 'c.md'), 'c\n') // the mirror has looked once this is shared
  await until('c is shared', () => textAt(one, 'c.md') === 'c\n')
  writeSync(file, 'a\nmore\n')
  closeSync(file)
  writeFileSync(join(dir, 'b.md'), 'b\nmore\n')
  await until(
    'both are shared',
    () => textAt(one, 'a.md') === 'a\nmore\n' && textAt(one, 'b.md') === 'b\nmore\n',
  )
  expect(seen).not.toContain('')
  expect(seen).not.toContain(null)
})

it('[MIRROR-5] what the mirror wrote itself is no edit', async () => {
  const [one, two] = [await stage.join('one'), await stage.join('two')]
  const [a, b] = [tempDir('a'), tempDir('b')]
  const first = await one.mirror(a)
  const second = await two.mirror(b)
  writeFileSync(join(a, 'f.md'), 'x\n')
  await has('create', b, 'f.md', 'x\n')
  appendFileSync(join(b, 'f.md'), 'y\n')
  await has('append', a, 'f.md', 'x\ny\n')
  appendFileSync(join(a, 'g.md'), 'last\n')
  await has('last', b, 'g.md', 'last\n')
  await first.idle()
  await second.idle()
  expect(readFile(one.place.replica.doc, 'f.md').version).toBe(2)
  expect(one.events.filter(({ file_key }) => file_key === 'f.md').map(({ type }) => type)).toEqual([
    'out',
    'in',
  ])
  expect(two.events.filter(({ file_key }) => file_key === 'f.md').map(({ type }) => type)).toEqual([
    'in',
    'out',
  ])
})

it('[MIRROR-6] ignored files stay where they are, by rules that change, too', async () => {
  const one = await stage.join('one')
  const dir = tempDir('dir')
  mkdirSync(join(dir, 'sub'))
  mkdirSync(join(dir, '.git/hooks'), { recursive: true })
  writeFileSync(join(dir, '.git/config'), 'secret\n')
  writeFileSync(join(dir, '.gitignore'), '*.log\n')
  writeFileSync(join(dir, '.clawlinkignore'), 'private/\n!important.log\n')
  writeFileSync(join(dir, 'a.log'), 'log\n')
  writeFileSync(join(dir, 'important.log'), 'log\n')
  writeFileSync(join(dir, 'sub/b.md'), 'b\n')
  put(one, '.git/hooks/post-checkout', 'evil\n')
  put(one, 'private/theirs.md', 'theirs\n')
  await one.mirror(dir)
  expect(existsSync(join(dir, '.git/hooks/post-checkout'))).toBe(false)
  expect(existsSync(join(dir, 'private'))).toBe(false)
  expect(textAt(one, 'private/theirs.md')).toBe('theirs\n')
  expect(textAt(one, '.git/config')).toBeNull()
  expect(textAt(one, 'a.log')).toBeNull()
  expect(textAt(one, 'important.log')).toBe('log\n')

  writeFileSync(join(dir, 'sub/.gitignore'), 'c.md\n')
  await until('the rule is shared', () => textAt(one, 'sub/.gitignore') !== null)
  writeFileSync(join(dir, 'sub/c.md'), 'c\n')
  writeFileSync(join(dir, 'sub/d.md'), 'd\n')
  await until('d is shared', () => textAt(one, 'sub/d.md') === 'd\n')
  expect(textAt(one, 'sub/c.md')).toBeNull()
  writeFileSync(join(dir, '.clawlinkignore'), '')
  await has('theirs', dir, 'private/theirs.md', 'theirs\n')
})

it('[MIRROR-7] no symbolic link is followed, and nothing is written outside', async () => {
  const one = await stage.join('one')
  const [dir, outside] = [tempDir('dir'), tempDir('outside')]
  writeFileSync(join(outside, 'secret.md'), 'secret\n')
  symlinkSync(outside, join(dir, 'way'))
  symlinkSync(join(outside, 'secret.md'), join(dir, 'link.md'))
  put(one, 'way/out.md', 'out\n')
  put(one, 'link.md', 'overwritten\n')
  const mirror = await one.mirror(dir)
  expect([...mirror.skipped.keys()].sort()).toEqual(['link.md', 'way', 'way/out.md'])
  expect(readdirSync(outside)).toEqual(['secret.md'])
  expect(read(outside, 'secret.md')).toBe('secret\n')
  expect(textAt(one, 'link.md')).toBe('overwritten\n')
  expect(textAt(one, 'way/out.md')).toBe('out\n')
  expect(textAt(one, 'way/secret.md')).toBeNull()
})

it('[MIRROR-8] what is no text, or too large, or has no place is named and left as it is', async () => {
  const one = await stage.join('one')
  const dir = tempDir('dir')
  writeFileSync(join(dir, 'latin1.txt'), Buffer.from([0x61, 0xe9, 0x0a]))
  writeFileSync(join(dir, 'nul.bin'), 'a\0b')
  writeFileSync(join(dir, 'large.txt'), Buffer.alloc(MAX_FILE_BYTES + 1, 0x61))
  writeFileSync(join(dir, 'file'), 'a file\n')
  put(one, 'file/below.md', 'nowhere to go\n')
  put(one, 'fine.md', 'fine\n')
  const mirror = await one.mirror(dir)
  expect(Object.fromEntries(mirror.skipped)).toEqual({
    'latin1.txt': 'it is not UTF-8 text',
    'nul.bin': 'it is not text: it has a NUL in it',
    'large.txt': expect.stringContaining('the limit is'),
    'file/below.md': expect.stringContaining('not a folder'),
  })
  expect(read(dir, 'fine.md')).toBe('fine\n')

  // What becomes binary is no deletion, and is not written over.
  writeFileSync(join(dir, 'fine.md'), 'a\0b')
  await until('it is told', () => mirror.skipped.has('fine.md'))
  put(one, 'fine.md', 'fine\nmore\n', 'fine\n')
  put(one, 'other.md', 'other\n')
  await has('other', dir, 'other.md', 'other\n')
  expect(read(dir, 'fine.md')).toBe('a\0b')
  expect(textAt(one, 'fine.md')).toBe('fine\nmore\n')
})

it('[MIRROR-9] [MIRROR-35] a folder that goes away ends its mirror and deletes nothing', async () => {
  const one = await stage.join('one')
  const dir = join(tempDir('parent'), 'dir')
  mkdirSync(dir)
  writeFileSync(join(dir, 'a.md'), 'a\n')
  const mirror = await one.mirror(dir)
  rmSync(dir, { recursive: true })
  await until('it has stopped', () => mirror.isStopped)
  expect(textAt(one, 'a.md')).toBe('a\n')
  expect(one.events.at(-1)).toMatchObject({ type: 'stopped' })
})

it('[MIRROR-10] many files are few transactions', async () => {
  const one = await stage.join('one')
  const dir = tempDir('dir')
  for (let i = 0; i < 300; i++) writeFileSync(join(dir, `${i}.md`), `${i}\n`)
  let updates = 0
  one.place.replica.doc.on('update', () => updates++)
  await one.mirror(dir)
  expect(treeOf(dir).size).toBe(300)
  // Those that were written a moment ago are left alone for a moment.
  expect(updates).toBeLessThanOrEqual(10)
})
