import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Bases } from '../../../agent/mirror/bases.ts'
import { Folder } from '../../../agent/mirror/disk/folder.ts'
import { type LookParts, lookAt } from '../../../agent/mirror/look-at.ts'
import { Terrain } from '../../../agent/mirror/terrain.ts'
import type { FileId } from '../../../protocol/ids.ts'
import { filesOf } from '../../../workspace/document/schema.ts'
import { until } from '../../support/client.ts'
import { MALLORY, oneMember } from '../../support/mirror/one.ts'
import { treeOf } from '../../support/mirror/tree.ts'
import { tempDir } from '../../support/server.ts'

const { one, dir, doc, put, drop, textAt, keys, read, has, write, mirror, carried } =
  oneMember('hostile')

/** An entry as no client of ours would write it. */
const plantRaw = (key: string, fileId = key) =>
  filesOf(doc()).set(key, {
    fileId: fileId as FileId,
    mediaType: 'text/plain',
    createdBy: MALLORY,
    createdAt: 1,
  })

it('[MIRROR-12] an error of one path costs that path, and is over when its cause is', async () => {
  write('file', 'a file\n')
  const long = 'n'.repeat(256)
  put(long, 'long\n')
  put('file/below.md', 'below\n')
  const open = await mirror()
  await carried()
  put('fine.md', 'fine\n')
  await has('fine.md', 'fine\n')
  expect(open.skipped.get(long)).toContain('too long')
  expect(open.skipped.get('file/below.md')).toContain('not a folder')

  rmSync(join(dir(), 'file'))
  await has('file/below.md', 'below\n')
  drop(long)
  await until('what is gone is not named', () => !open.skipped.has(long))
  expect(open.isStopped).toBe(false)
})

it('[MIRROR-12] a path that no disk can have is judged before the disk is asked', () => {
  const { replica } = one().place
  const folder = new Folder(dir())
  folder.look = () => expect.fail('the disk was asked')
  const bases = { get: () => undefined } as unknown as Bases
  const terrain = new Terrain({ folder, prefix: '', replica, id: 'x', bases, include: [] })
  const view = { folder, prefix: '', doc: replica.doc, bases, terrain } as unknown as LookParts
  const bad = [
    'n'.repeat(256),
    'a\0b',
    '../up',
    '/abs',
    'a//b',
    '',
    'x\\y',
    '.',
    'c\u0301',
    '\ud800',
  ]
  for (const rel of bad) expect(lookAt(view, rel), JSON.stringify(rel)).toEqual(expect.any(String))
})

it('[MIRROR-12] a folder in the place of a file is named until it goes', async () => {
  mkdirSync(join(dir(), 'a.md/in'), { recursive: true })
  put('a.md', 'a\n')
  const { skipped } = await mirror()
  expect(skipped.get('a.md')).toContain('a folder is in its place')
  rmSync(join(dir(), 'a.md'), { recursive: true })
  await has('a.md', 'a\n')
  await until('it is not named', () => !skipped.has('a.md'))
})

it('[MIRROR-13] rules that come from others let nothing through, whatever is done to them here besides', async () => {
  write('.gitignore', 'secrets/\n*.key\n')
  write('secrets/token.txt', 'secret\n')
  write('a.key', 'secret\n')
  write('ours/.gitignore', '*.tmp2\n')
  write('ours/a.tmp2')
  const isShared = () => textAt('secrets/token.txt') !== null || textAt('a.key') !== null
  const { notes } = await mirror()
  expect(notes).toEqual([])
  put('.clawlinkignore', '!secrets/\n!*.key\n')
  await has('.clawlinkignore', '!secrets/\n!*.key\n')
  put('.gitignore', '!secrets/\n', 'secrets/\n*.key\n')
  await has('.gitignore', '!secrets/\n')
  await carried()
  expect(isShared()).toBe(false)

  // A line added here is no word about theirs.
  appendFileSync(join(dir(), '.gitignore'), 'out/\n')
  await until('it is shared', () => textAt('.gitignore')?.includes('out/') === true)
  write('out/a.md', 'ignored\n')
  write('ours/.gitignore', '')
  await until('what was loosened here has been', () => textAt('ours/a.tmp2') !== null)
  await carried()
  expect(isShared()).toBe(false)
  expect(textAt('out/a.md')).toBeNull()
})

it('[MIRROR-13] what others made the rules lasts over a new start, until it is accepted here', async () => {
  write('.gitignore', 'secrets/\n')
  write('secrets/token.txt', 'secret\n')
  const first = await mirror()
  put('.gitignore', '', 'secrets/\n')
  await has('.gitignore', '')
  await first.close()
  const second = await mirror()
  await carried()
  expect(textAt('secrets/token.txt')).toBeNull()
  expect(second.notes.join()).toContain('--accept-rules')
  await second.acceptRules()
  await until('it is shared', () => textAt('secrets/token.txt') === 'secret\n')
  expect(second.notes).toEqual([])
})

it('[MIRROR-13] [MIRROR-25] [MIRROR-26] [MIRROR-27] a rule file that is gone lets nothing through, one that was changed here does after a while', async () => {
  write('.gitignore', '*.log\n*.out\n')
  write('a.log', 'log\n')
  write('a.out', 'out\n')
  const { skipped } = await mirror()
  rmSync(join(dir(), '.gitignore'))
  await until('it is removed', () => textAt('.gitignore') === null)
  await carried()
  expect(textAt('a.log')).toBeNull()
  const since = Date.now()
  write('.gitignore', '*.out\n')
  await until('the log is shared', () => textAt('a.log') === 'log\n')
  expect(Date.now() - since).toBeGreaterThanOrEqual(600)
  expect(textAt('a.out')).toBeNull()

  // What cannot be read says nothing: nothing new goes out, what is shared goes on.
  rmSync(join(dir(), '.gitignore'))
  writeFileSync(join(dir(), '.gitignore'), Buffer.from([0xff, 0xfe, 0x00]))
  write('new.md', 'new\n')
  await until('it is named', () => skipped.has('new.md'))
  expect(skipped.get('new.md')).toContain('cannot be read')
  write('a.log', 'log\nmore\n')
  await until('what is shared goes on', () => textAt('a.log') === 'log\nmore\n')
  expect(textAt('new.md')).toBeNull()
  write('.gitignore', '*.out\n')
  await until('it is shared', () => textAt('new.md') === 'new\n')
})

it('[MIRROR-13] [MIRROR-29] a rule counts for what is written after it, whoever is told first, and shared rules before anything leaves', async () => {
  put('.gitignore', '*.key\n')
  write('first.key', 'secret\n')
  execFileSync('git', ['-C', dir(), 'init', '-q'])
  await mirror()
  await has('.gitignore', '*.key\n')
  appendFileSync(join(dir(), '.git/info/exclude'), '*.late\n')
  write('a.late', 'secret\n')
  write('new/.gitignore', '*.own\n')
  write('new/b.own', 'secret\n')
  write('clone/.git/info/exclude', '*.inner\n')
  write('clone/c.inner', 'secret\n')
  write('clone/c.md')
  await until('the clone is shared', () => textAt('clone/c.md') !== null)
  await carried()
  expect(keys().filter((key) => !key.startsWith('carried'))).toEqual([
    '.gitignore',
    'clone/c.md',
    'new/.gitignore',
  ])
})

it('[MIRROR-13] [MIRROR-29] a rule that is away while its file is saved counts, though nobody has seen it before', async () => {
  execFileSync('git', ['-C', dir(), 'init', '-q'])
  const exclude = join(dir(), '.git/info/exclude')
  write('known.md')
  await mirror()
  appendFileSync(exclude, '*.late\n')
  write('a.late', 'secret\n')
  const rules = read('.git/info/exclude')!
  rmSync(exclude)
  write('known.md', 'changed\n')
  await until('the mirror has looked', () => textAt('known.md') === 'changed\n')
  writeFileSync(exclude, rules)
  await carried()
  expect(textAt('a.late')).toBeNull()
})

it('[MIRROR-13] [MIRROR-28] a work tree has the excludes of its repository', async () => {
  const main = tempDir('main')
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', main, '-c', 'user.email=a@b.c', '-c', 'user.name=n', ...args])
  git('init', '-q')
  git('commit', '-q', '--allow-empty', '-m', 'one')
  writeFileSync(join(main, '.git/info/exclude'), 'private.txt\n')
  writeFileSync(join(main, 'excludes'), '*.swo\n')
  git('config', 'core.excludesFile', join(main, 'excludes'))
  git('worktree', 'add', '-q', dir())
  for (const rel of ['private.txt', 'x.swo', 'ok.md']) write(rel)
  await mirror()
  expect(keys()).toEqual(['ok.md'])
})

it('[MIRROR-13] [MIRROR-28] what git is told beside its rule files counts, of the repository around, too', async () => {
  const git = (...args: string[]) => execFileSync('git', ['-C', dir(), ...args])
  git('init', '-q')
  write('.git/info/exclude', 'private.txt\n/sub/only.md\n')
  writeFileSync(join(dir(), '../excludes'), '*.swo\n')
  git('config', 'core.excludesFile', join(dir(), '../excludes'))
  write('.gitignore', 'sub/ignored.md\n')
  for (const rel of [
    'private.txt',
    'sub/private.txt',
    'x.swo',
    'sub/only.md',
    'sub/ignored.md',
    'sub/ok.md',
  ]) {
    write(rel, 'x\n')
  }
  const whole = await mirror({ prefix: 'whole' })
  expect([...doc().getMap('files').keys()].sort()).toEqual(['whole/.gitignore', 'whole/sub/ok.md'])
  await whole.close()
  await one().mirror(join(dir(), 'sub'), { prefix: 'part' })
  expect([...doc().getMap('files').keys()].filter((key) => key.startsWith('part'))).toEqual([
    'part/ok.md',
  ])
})

it('[MIRROR-14] what may hold credentials, or is run where it lies, goes neither way unless it is named', async () => {
  const secret = [
    '.env',
    'sub/.env.local',
    '.ssh/id_ed25519',
    'id_rsa.bak',
    '.aws/credentials',
    '.NETRC',
    '.npmrc',
    'deep/.docker/config.json',
    'sync-9077.json',
    'infra/prod.tfvars',
    'config/master.key',
  ]
  const models = ['.env.example', 'sub/.env.local.sample', '.gitmodules', 'certificate.pem']
  const key = '-----BEGIN OPENSSH PRIVATE KEY-----\nx\n'
  for (const rel of [...secret, ...models]) write(rel, 'secret\n')
  write('notes/pasted.md', `look:\n${key}`)
  write('.env.shared', 'named\n')
  write('srv/owner.json', '{}')
  write('srv/CURRENT', 'x\n')
  const incoming = [
    '.bashrc',
    '.ssh/authorized_keys',
    'a/.envrc',
    '.config/autostart/x.desktop',
    '.hg/hgrc',
    '.gitconfig',
  ]
  for (const rel of incoming) put(rel, 'evil\n')
  await expect(mirror()).rejects.toMatchObject({ code: 'not_allowed' })
  const { skipped } = await mirror({ include: ['.env.shared'], force: true })
  expect(textAt('.env.shared')).toBe('named\n')
  const shared = keys()
  expect(shared.filter((one) => !incoming.includes(one))).toEqual([
    '.env.example',
    '.env.shared',
    '.gitmodules',
    'certificate.pem',
    'sub/.env.local.sample',
  ])
  expect(incoming.filter((rel) => read(rel) !== null)).toEqual([])
  for (const rel of incoming) expect(skipped.get(rel), rel).toContain('--include')
  expect(skipped.get('notes/pasted.md')).toContain('private key')
  expect(skipped.get('srv')).toContain('server')
  put('srv/evil', 'evil\n')
  await carried()
  expect(read('srv/evil')).toBeNull()
})

it('[MIRROR-15] entries that lead to one text are one file, and all files take no more than they may', async () => {
  put('big.md', 'x'.repeat(10_000))
  for (let i = 0; i < 50; i++) plantRaw(`a/${i}`, 'big.md')
  const { skipped } = await mirror({ maxBytes: 40_960 })
  expect([...treeOf(dir()).keys()]).toEqual(['big.md'])
  expect(skipped.get('a/0')).toBe('it is the same text as big.md, which is mirrored')
  for (let i = 0; i < 50; i++) put(`small/${i}`, 'x\n')
  await until('it is full', () => treeOf(dir()).size === 8 && skipped.size === 50 + 43)
  expect(skipped.get('small/9')).toContain('--max-size')
  drop('big.md')
  await until('what it left is used', () => read('a/0') !== null || treeOf(dir()).size === 10)
  expect(read('big.md')).toBeNull()
})

it('[MIRROR-16] no bare git repository is shared, or completed', async () => {
  execFileSync('git', ['init', '-q', '--bare', join(dir(), 'mine.git')])
  mkdirSync(join(dir(), 'half/objects'), { recursive: true })
  mkdirSync(join(dir(), 'half/refs'))
  write('half/mine.md', 'mine\n')
  for (const at of ['lib', 'half', 'x']) {
    put(`${at}/HEAD`, 'ref: refs/heads/main\n')
    put(`${at}/config`, '[core]\nfsmonitor = "touch pwned"\n')
    if (at === 'x') put(`${at}/commondir`, '../lib\n')
    put(`${at}/objects/x`, 'x\n')
    put(`${at}/refs/x`, 'x\n')
  }
  const { skipped } = await mirror()
  await carried()
  const isRepository = (at: string) =>
    existsSync(join(dir(), at, 'HEAD')) &&
    ((existsSync(join(dir(), at, 'objects')) && existsSync(join(dir(), at, 'refs'))) ||
      existsSync(join(dir(), at, 'commondir')))
  expect(['lib', 'half', 'x', ''].filter(isRepository)).toEqual([])
  expect(textAt('half/mine.md')).toBe('mine\n')
  expect([...skipped.values()].filter((why) => why.includes('bare git')).length).toBeGreaterThan(3)
  expect([...doc().getMap('files').keys()].filter((key) => key.startsWith('mine.git'))).toEqual([])
  expect(skipped.get('mine.git')).toContain('bare git')
})

/** Has `sub` be a folder and a link by turns; what is made in its place meanwhile goes. */
const SWAP = `
const { renameSync, rmSync } = require('node:fs')
process.chdir(process.argv[1])
const swap = (from, to) => {
  for (;;) {
    try {
      return renameSync(from, to)
    } catch {
      try {
        rmSync(to, { recursive: true, force: true })
      } catch {}
    }
  }
}
for (;;) {
  for (const [from, to] of [['sub', 'away'], ['link', 'sub'], ['sub', 'link'], ['away', 'sub']]) {
    swap(from, to)
    const until = Date.now() + 1
    while (Date.now() < until);
  }
}`

it('[MIRROR-7] swapping a folder for a link while it is written to and read leads nowhere outside', async () => {
  const outside = tempDir('outside')
  writeFileSync(join(outside, 'f.md'), 'outside\n')
  write('sub/f.md', 'inside\n')
  symlinkSync(outside, join(dir(), 'link'))
  const folder = new Folder(dir())
  const swapping = spawn(process.execPath, ['-e', SWAP, dir()], { stdio: 'ignore' })
  let [written, refused] = [0, 0]
  let text = 'inside\n'
  for (let i = 0; i < 2_000; i++) {
    const seen = folder.look('sub/f.md')
    expect(seen).not.toMatchObject({ text: 'outside\n' })
    if (seen.kind === 'text') text = seen.text
    const next = `inside ${i}\n`
    try {
      if ((await folder.replace('sub/f.md', next, text)).done) written++
      await folder.replace(`sub/new-${i}.md`, 'new\n', null)
    } catch {
      refused++
    }
  }
  expect(swapping.exitCode).toBeNull()
  swapping.kill()
  await once(swapping, 'exit')
  expect(readdirSync(outside)).toEqual(['f.md'])
  expect(readFileSync(join(outside, 'f.md'), 'utf8')).toBe('outside\n')
  expect(Math.min(written, refused)).toBeGreaterThan(10)
})
