import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { Bases } from '../../../agent/mirror/bases.ts'
import type { AgentId } from '../../../protocol/ids.ts'
import { MAX_FILE_BYTES } from '../../../protocol/limits.ts'
import { readFile } from '../../../workspace/files/file-info.ts'
import { removeFile } from '../../../workspace/files/move-file.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { findLeaf } from '../../../workspace/files/tree.ts'
import { runSeed, seeded, until } from '../../support/client.ts'
import { type Member, member, writer } from '../../support/mirror/members.ts'
import { differences, isSame, markersIn, treeOf } from '../../support/mirror/tree.ts'
import { makeWorkspaces, type Server, startServer, tempDir } from '../../support/server.ts'

let server: Server
let workspace = ''
let count = 0
let members: Member[] = []
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())
beforeEach(async () => {
  workspace = `mirror${count++}`
  await makeWorkspaces(server.url, workspace)
})
afterEach(async () => {
  for (const one of members) await one.close()
  members = []
})

const join2 = async (name: string, home?: string): Promise<Member> => {
  const one = await member(server.url, workspace, name, home)
  members.push(one)
  return one
}
const textAt = ({ place }: Member, key: string): string | null =>
  findLeaf(place.replica.doc, key) === null ? null : readFile(place.replica.doc, key).content
const put = ({ place }: Member, key: string, content: string, base: string | null = null) =>
  putFile(place.replica.doc, { key, content, base, by: 'p' as AgentId, now: 1, force: true })
const read = (dir: string, rel: string): string | null => {
  try {
    return readFileSync(join(dir, rel), 'utf8')
  } catch {
    return null
  }
}
const has = (what: string, dir: string, rel: string, text: string | null) =>
  until(`${what}: ${rel} is there`, () => read(dir, rel) === text)

it('[MIRROR-1] files go both ways, each change of a file too, with every way of writing', async () => {
  const [one, two] = [await join2('one'), await join2('two')]
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
  const one = await join2('one')
  put(one, 'notes/a.md', 'a\n')
  put(one, 'other.md', 'o\n')
  const { folder } = await one.mirror(undefined, { prefix: 'notes' })
  expect([...treeOf(folder.path)]).toEqual([['a.md', 'a\n']])
  writeFileSync(join(folder.path, 'b.md'), 'b\n')
  await until('it is shared', () => textAt(one, 'notes/b.md') === 'b\n')
})

it('[MIRROR-2] what was edited on both sides while no mirror ran is merged', async () => {
  const home = tempDir('home')
  const [one, two] = [await join2('one', home), await join2('two')]
  const dir = tempDir('dir')
  writeFileSync(join(dir, 'a.md'), '1\n2\n3\n4\n5\n')
  writeFileSync(join(dir, 'gone.md'), 'x\n')
  writeFileSync(join(dir, 'kept.md'), 'x\n')
  await one.mirror(dir)
  await one.close()
  members = members.filter((other) => other !== one)
  await until('two has it', () => textAt(two, 'kept.md') === 'x\n')

  writeFileSync(join(dir, 'a.md'), '1\nmine\n2\n3\n4\n5\n')
  rmSync(join(dir, 'gone.md'))
  rmSync(join(dir, 'kept.md'))
  put(two, 'a.md', '1\n2\n3\n4\ntheirs\n5\n', '1\n2\n3\n4\n5\n')
  put(two, 'kept.md', 'x\nand more\n', 'x\n')
  await two.confirm()
  const again = await join2('one', home)
  await again.mirror(dir)
  expect(read(dir, 'a.md')).toBe('1\nmine\n2\n3\n4\ntheirs\n5\n')
  expect(read(dir, 'kept.md')).toBe('x\nand more\n')
  await until('two has the edit', () => textAt(two, 'a.md') === read(dir, 'a.md'))
  await until('two has the deletion', () => textAt(two, 'gone.md') === null)
})

it('[MIRROR-2] a folder that had files of the same names before is merged, no line of either lost', async () => {
  const one = await join2('one')
  put(one, 'a.md', 'same\ntheirs\nend\n')
  put(one, 'b.md', 'equal\n')
  const dir = tempDir('dir')
  writeFileSync(join(dir, 'a.md'), 'same\nmine\nend\n')
  writeFileSync(join(dir, 'b.md'), 'equal\n')
  await one.mirror(dir)
  expect(read(dir, 'a.md')).toBe('same\ntheirs\nmine\nend\n')
  expect(textAt(one, 'a.md')).toBe('same\ntheirs\nmine\nend\n')
  expect(one.events.filter(({ file_key }) => file_key === 'b.md')).toEqual([])
})

it('[MIRROR-2] two that mirror alike folders at the same time have each line once', async () => {
  const [one, two] = [await join2('one'), await join2('two')]
  const [a, b] = [tempDir('a'), tempDir('b')]
  const textOf = (i: number, line: string) => `file ${i}\n1\n2\n${line}3\n4\n5\n`
  for (let i = 0; i < 40; i++) {
    writeFileSync(join(a, `${i}.md`), textOf(i, i % 4 === 0 ? 'a has this\n' : ''))
    writeFileSync(join(b, `${i}.md`), textOf(i, i % 3 === 0 ? 'b has this\n' : ''))
  }
  await Promise.all([one.mirror(a), two.mirror(b)])
  const isRight = (dir: string) => {
    for (let i = 0; i < 40; i++) {
      const lines = read(dir, `${i}.md`)!.split('\n')
      const added = [...(i % 4 === 0 ? ['a has this'] : []), ...(i % 3 === 0 ? ['b has this'] : [])]
      const wanted = [...textOf(i, '').split('\n'), ...added]
      if (lines.sort().join('\n') !== wanted.sort().join('\n')) return false
    }
    return true
  }
  await until('each line is there once', () => isSame(a, b) && isRight(a))
  appendFileSync(join(a, '0.md'), 'more\n')
  await until('more is there', () => read(b, '0.md')?.endsWith('more\n') === true)
  expect(isSame(a, b)).toBe(true)
})

it('[MIRROR-2] what is written to a file after the mirror put another in its place is not lost', async () => {
  const one = await join2('one')
  const dir = tempDir('dir')
  const text = Array.from({ length: 20 }, (_, i) => `line ${i}\n`).join('')
  writeFileSync(join(dir, 'a.md'), text)
  await one.mirror(dir)
  const late = openSync(join(dir, 'a.md'), 'a')
  put(one, 'a.md', `theirs\n${text}`, text)
  await has('theirs', dir, 'a.md', `theirs\n${text}`)
  writeSync(late, 'late\n')
  closeSync(late)
  await has('late', dir, 'a.md', `theirs\n${text}late\n`)

  // A tool that read before the mirror wrote, and writes after it.
  const before = read(dir, 'a.md')!
  put(one, 'a.md', `more\n${before}`, before)
  await has('more', dir, 'a.md', `more\n${before}`)
  writeFileSync(join(dir, 'a.md'), before.replace('line 7\n', 'line 7\nmine\n'))
  const both = `more\n${before}`.replace('line 7\n', 'line 7\nmine\n')
  await has('both', dir, 'a.md', both)
  expect(textAt(one, 'a.md')).toBe(both)
})

/** What a mirror of `dir` has noted of each file. */
const basesOf = (replica: Parameters<typeof Bases.load>[0], dir: string): Promise<Bases> => {
  const digest = createHash('sha256')
    .update(`${realpathSync(dir)}\0`)
    .digest('hex')
  return Bases.load(replica, digest.slice(0, 16))
}

/** Writes to the file as a tool does that rests for this time after it has read the file (ms). */
const writeAfter = (restMs: number, dir: string, rel: string, text: string): void => {
  const temp = join(tempDir('tool'), 'text')
  writeFileSync(temp, text)
  const at = (Date.now() + restMs) / 1000
  utimesSync(temp, at, at)
  renameSync(temp, join(dir, rel))
}

it('[MIRROR-2] a tool that rests between its read and its write takes nothing back', async () => {
  const one = await join2('one')
  const dir = tempDir('dir')
  const text = Array.from({ length: 20 }, (_, i) => `line ${i}\n`).join('')
  writeFileSync(join(dir, 'a.md'), text)
  await one.mirror(dir)
  let now = text
  for (const [i, restMs] of [3_000, 60_000].entries()) {
    const seen = now
    for (let n = 0; n < 12; n++) {
      const next = now.replace(`line ${n}\n`, `line ${n}\ntheirs ${i}.${n}\n`)
      put(one, 'a.md', next, now)
      now = next
      await has('theirs', dir, 'a.md', now)
    }
    writeAfter(restMs, dir, 'a.md', seen.replace('line 18\n', `mine ${i}\nline 18\n`))
    now = now.replace('line 18\n', `mine ${i}\nline 18\n`)
    await has('both', dir, 'a.md', now)
    expect(textAt(one, 'a.md')).toBe(now)
  }
  // What others wrote can be removed, also by somebody who writes at once.
  writeAfter(3_000, dir, 'a.md', now.replace('theirs 0.3\n', ''))
  now = now.replace('theirs 0.3\n', '')
  await until('it is removed', () => textAt(one, 'a.md') === now)
})

it('[MIRROR-9] what a tool made of the text that a killed mirror had just replaced takes nothing back', async () => {
  const one = await join2('one')
  const { replica } = one.place
  const dir = tempDir('dir')
  const text = Array.from({ length: 20 }, (_, i) => `line ${i}\n`).join('')
  writeFileSync(join(dir, 'a.md'), text)
  await (await one.mirror(dir)).close()
  // What is there when it is killed after it has put a file in its place, and before it has noted that.
  const bases = await basesOf(replica, dir)
  const written = `theirs 1\ntheirs 2\n${text}`
  put(one, 'a.md', written, text)
  bases.plan('a.md', written, findLeaf(replica.doc, 'a.md')!.entry.fileId)
  await replica.commit()
  writeFileSync(join(dir, 'a.md'), written)
  await one.mirror(dir)
  writeAfter(3_000, dir, 'a.md', text.replace('line 7\n', 'line 7\nmine\n'))
  const both = written.replace('line 7\n', 'line 7\nmine\n')
  await has('both', dir, 'a.md', both)
  expect(textAt(one, 'a.md')).toBe(both)
})

it('[MIRROR-9] what a tool made of the text before, just when the mirror ended, is merged by the next', async () => {
  const one = await join2('one')
  const dir = tempDir('dir')
  const text = Array.from({ length: 20 }, (_, i) => `line ${i}\n`).join('')
  writeFileSync(join(dir, 'a.md'), text)
  const mirror = await one.mirror(dir)
  put(one, 'a.md', `theirs\n${text}`, text)
  await has('theirs', dir, 'a.md', `theirs\n${text}`)
  writeFileSync(join(dir, 'a.md'), text.replace('line 7\n', 'line 7\nmine\n'))
  await mirror.close()
  await one.mirror(dir)
  const both = `theirs\n${text}`.replace('line 7\n', 'line 7\nmine\n')
  expect(read(dir, 'a.md')).toBe(both)
  expect(textAt(one, 'a.md')).toBe(both)
})

it('[MIRROR-9] what a tool made of what a mirror had just written when it was killed is not there twice', async () => {
  const one = await join2('one')
  const { replica } = one.place
  const dir = tempDir('dir')
  const text = Array.from({ length: 20 }, (_, i) => `line ${i}\n`).join('')
  writeFileSync(join(dir, 'a.md'), text)
  await (await one.mirror(dir)).close()
  // What is there when it is killed after it has put a file in its place, and before it has noted that.
  const bases = await basesOf(replica, dir)
  expect(bases.size).toBe(1)
  const written = `theirs 1\ntheirs 2\n${text}`
  put(one, 'a.md', written, text)
  bases.plan('a.md', written, findLeaf(replica.doc, 'a.md')!.entry.fileId)
  await replica.commit()
  writeFileSync(join(dir, 'a.md'), `mine\n${written}`)
  put(one, 'a.md', `theirs 3\n${written}`, written)
  await one.mirror(dir)
  const lines = read(dir, 'a.md')!.split('\n')
  expect([...lines].sort()).toEqual([...`mine\ntheirs 3\n${written}`.split('\n')].sort())
  expect(textAt(one, 'a.md')).toBe(read(dir, 'a.md'))
})

it('[MIRROR-9] a file that a mirror had just deleted when it was killed, and that others made anew, is not deleted for them', async () => {
  const one = await join2('one')
  const { replica } = one.place
  const dir = tempDir('dir')
  for (const rel of ['a.md', 'b.md']) writeFileSync(join(dir, rel), 'text\n')
  await (await one.mirror(dir)).close()
  // What is there when it is killed after it has deleted a file for others, and before it has noted that.
  const bases = await basesOf(replica, dir)
  bases.planRemoval('a.md')
  await replica.commit()
  rmSync(join(dir, 'a.md'))
  await one.mirror(dir)
  expect([read(dir, 'a.md'), textAt(one, 'a.md')]).toEqual(['text\n', 'text\n'])
})

it('[MIRROR-3] a deletion on disk gives way to a change of others, theirs to a change on disk', async () => {
  const home = tempDir('home')
  const [one, two] = [await join2('one', home), await join2('two')]
  const [a, b] = [tempDir('a'), tempDir('b')]
  writeFileSync(join(a, 'mine.md'), 'x\n')
  writeFileSync(join(a, 'plain.md'), 'x\n')
  await one.mirror(a)
  const second = await two.mirror(b)
  await until('b has them', () => isSame(a, b))

  removeFile(two.place.replica.doc, 'plain.md', 'p' as AgentId, 1)
  await has('deletion in the document', a, 'plain.md', null)
  await has('deletion in the document', b, 'plain.md', null)

  await second.close()
  appendFileSync(join(b, 'mine.md'), 'edited while it was removed\n')
  rmSync(join(a, 'mine.md'))
  await until('it is removed', () => textAt(two, 'mine.md') === null)
  await two.mirror(b)
  await has('it comes back', a, 'mine.md', 'x\nedited while it was removed\n')
})

it('[MIRROR-3] an edit that came while the file was removed elsewhere brings it back', async () => {
  const [one, two] = [await join2('one'), await join2('two')]
  const [a, b] = [tempDir('a'), tempDir('b')]
  writeFileSync(join(a, 'f.md'), '1\n2\n3\n')
  await one.mirror(a)
  await two.mirror(b)
  await until('b has it', () => isSame(a, b))
  await server.kill()
  const { port, data } = server
  writeFileSync(join(b, 'f.md'), '1\nmine\n2\nmine too\n3\n')
  await until('it is in the document', () => textAt(two, 'f.md')?.includes('mine too') === true)
  rmSync(join(a, 'f.md'))
  await until('it is removed', () => textAt(one, 'f.md') === null)
  server = await startServer({ port, data })
  await has('it comes back', a, 'f.md', '1\nmine\n2\nmine too\n3\n')
  expect(read(b, 'f.md')).toBe('1\nmine\n2\nmine too\n3\n')
})

it('[MIRROR-3] a folder in which nothing is left gets its files again', async () => {
  const home = tempDir('home')
  const one = await join2('one', home)
  const dir = tempDir('dir')
  writeFileSync(join(dir, 'a.md'), 'a\n')
  const mirror = await one.mirror(dir)
  await mirror.close()
  rmSync(join(dir, 'a.md'))
  await one.mirror(dir)
  expect(read(dir, 'a.md')).toBe('a\n')
})

it('[MIRROR-4] mode bits stay, and no reader meets half a file', async () => {
  const one = await join2('one')
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
  const one = await join2('one')
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
  const [one, two] = [await join2('one'), await join2('two')]
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
  const one = await join2('one')
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
  const one = await join2('one')
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
  const one = await join2('one')
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
  const one = await join2('one')
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
  const one = await join2('one')
  const dir = tempDir('dir')
  for (let i = 0; i < 300; i++) writeFileSync(join(dir, `${i}.md`), `${i}\n`)
  let updates = 0
  one.place.replica.doc.on('update', () => updates++)
  await one.mirror(dir)
  expect(treeOf(dir).size).toBe(300)
  // Those that were written a moment ago are left alone for a moment.
  expect(updates).toBeLessThanOrEqual(10)
})

it('[MIRROR-2] many writers by disk and document: every marker is there once, and all are the same', async () => {
  const seed = runSeed('mirror')
  const random = seeded(seed)
  const [one, two] = [await join2('one'), await join2('two')]
  const [a, b] = [tempDir('a'), tempDir('b')]
  const files = ['a.md', 'b.md', 'deep/c.md']
  mkdirSync(join(a, 'deep'))
  for (const file of files) {
    writeFileSync(join(a, file), Array.from({ length: 40 }, (_, i) => `${file} ${i}\n`).join(''))
  }
  const first = await one.mirror(a)
  const second = await two.mirror(b)
  await until('b has them', () => isSame(a, b))

  const wanted: string[] = []
  const third = await join2('three')
  await third.place.session!.fresh(20_000)
  let written = 0
  const isWriting = { now: true }
  const document = (async () => {
    while (isWriting.now && written < 200) {
      const key = files[Math.floor(random() * files.length)]!
      const base = textAt(third, key)!
      const lines = base.split('\n')
      lines.splice(Math.floor(random() * lines.length), 0, `<doc-${written}>`)
      put(third, key, lines.join('\n'), base)
      wanted.push(`<doc-${written++}>`)
      await third.confirm()
      await new Promise((next) => setTimeout(next, random() * 30))
    }
  })()
  const options = { edits: 40, pause: 15 }
  const said = await Promise.all([
    writer(a, files, { ...options, name: 'one', seed }),
    writer(b, files, { ...options, name: 'two', seed: seed + 1 }),
  ])
  isWriting.now = false
  await document
  wanted.push(...said.flat())
  await until(
    'everything is everywhere',
    () => {
      const counts = markersIn(treeOf(a))
      return isSame(a, b) && wanted.every((marker) => counts.has(marker))
    },
    60_000,
  ).catch(() => {})
  await first.idle()
  await second.idle()
  expect(differences(treeOf(a), treeOf(b))).toEqual([])
  const counts = markersIn(treeOf(a))
  expect(wanted.filter((marker) => counts.get(marker) !== 1)).toEqual([])
  expect(counts.size).toBe(wanted.length)
  for (const file of files) expect(textAt(third, file)).toBe(read(a, file))
  expect(written).toBeGreaterThan(5)
})
