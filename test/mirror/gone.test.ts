import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { Bases } from '../../agent/mirror/bases.ts'
import { Folder } from '../../agent/mirror/folder.ts'
import { Looker } from '../../agent/mirror/looker.ts'
import { Terrain } from '../../agent/mirror/terrain.ts'
import { readFile } from '../../workspace/files.ts'
import { findFile } from '../../workspace/tree.ts'
import { until } from '../support/client.ts'
import { type Server, startServer, tempDir } from '../support/server.ts'
import { type Member, member } from './members.ts'

let server: Server
let one: Member
let dir = ''
let count = 0
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())
beforeEach(async () => {
  one = await member(server.url, `gone${count++}`, 'one')
  dir = tempDir('dir')
})
afterEach(() => one.close())

const doc = () => one.place.replica.doc
const textAt = (key: string): string | null =>
  findFile(doc(), key) === null ? null : readFile(doc(), key).content
const keys = () => [...doc().getMap('files').keys()].filter((key) => findFile(doc(), key) !== null)
const write = (rel: string, text = `${rel}\n`): void => {
  mkdirSync(join(dir, rel, '..'), { recursive: true })
  writeFileSync(join(dir, rel), text)
}
const carried = async (): Promise<void> => {
  const rel = `carried-${count++}.md`
  write(rel)
  await until(`${rel} is shared`, () => textAt(rel) !== null)
}

it('[N17] most files gone at once wait, and go for all or come back as is said', async () => {
  const many = Array.from({ length: 30 }, (_, i) => `sub/${i}.md`)
  for (const rel of [...many, 'kept.md', 'other.md']) write(rel)
  const mirror = await one.mirror(dir)
  rmSync(join(dir, 'other.md'))
  await until('one is removed', () => textAt('other.md') === null)

  rmSync(join(dir, 'sub'), { recursive: true })
  await until('they wait', () => mirror.skipped.size === 30)
  await carried()
  expect(many.every((rel) => textAt(rel) !== null)).toBe(true)
  expect(mirror.skipped.get('sub/7.md')).toContain('--confirm-deletions')
  expect(mirror.notes.join()).toMatch(/^30 mirrored files are gone/)
  const inbox = await one.place.replica.inbox('one')
  expect(inbox.map(({ message }) => message)).toMatchObject([
    { type: 'direct_message', topic: 'mirror', content: expect.stringContaining('--restore') },
  ])
  write('sub/3.md', 'back\n')
  await until('what is back waits no more', () => textAt('sub/3.md') === 'back\n')

  expect(await mirror.decideGone(false)).toBe(29)
  await until(
    'they are back',
    () => existsSync(join(dir, 'sub')) && readdirSync(join(dir, 'sub')).length === 30,
  )
  expect(mirror.notes).toEqual([])
  await mirror.idle()
  rmSync(join(dir, 'sub'), { recursive: true })
  await until('they wait', () => mirror.skipped.size === 30)
  // It is remembered by the next mirror.
  await mirror.close()
  const next = await one.mirror(dir)
  expect(next.skipped.size).toBe(30)
  expect(await next.decideGone(true)).toBe(30)
  await until('they are removed', () => many.every((rel) => textAt(rel) === null))
  expect(next.skipped.size).toBe(0)
})

it('[N17] what a folder lacks that was made anew, or a repository that is not there, is not removed', async () => {
  for (const rel of ['README.md', 'notes.md', 'src/c.ts', 'module/m.md']) write(rel)
  write('module/.git', 'gitdir: ../.git/modules/module\n')
  const first = await one.mirror(dir)
  await first.close()
  rmSync(join(dir, 'module'), { recursive: true })
  mkdirSync(join(dir, 'module')) // as `git submodule deinit` leaves it
  const second = await one.mirror(dir)
  expect(textAt('module/m.md')).not.toBeNull()
  expect(second.skipped.get('module/m.md')).toContain('repository, at module')
  await second.close()

  rmSync(dir, { recursive: true })
  write('README.md')
  const third = await one.mirror(dir)
  expect(keys().sort()).toEqual(['README.md', 'module/m.md', 'notes.md', 'src/c.ts'])
  expect(third.skipped.get('notes.md')).toContain('not the one it was in')
  rmSync(join(dir, 'README.md')) // from now on it is the one
  await until('it is removed', () => textAt('README.md') === null)
  await third.decideGone(false)
  await until('they are back', () => existsSync(join(dir, 'src/c.ts')))
})

const canMount = (() => {
  const [from, to] = [tempDir('from'), tempDir('to')]
  try {
    execFileSync('mount', ['--bind', from, to], { stdio: 'ignore' })
    execFileSync('umount', [to])
    return true
  } catch {
    return false // not root, or in a sandbox
  }
})()

it.skipIf(!canMount)(
  '[N17] what is gone with a mount is not removed, and is seen again with it',
  async () => {
    const volume = tempDir('volume')
    writeFileSync(join(volume, 'v.md'), 'v\n')
    mkdirSync(join(dir, 'vol'))
    execFileSync('mount', ['--bind', volume, join(dir, 'vol')])
    try {
      write('top.md')
      const mirror = await one.mirror(dir)
      execFileSync('umount', [join(dir, 'vol')])
      await until('it is seen', () => mirror.skipped.has('vol/v.md'))
      await carried()
      expect(textAt('vol/v.md')).toBe('v\n')
      appendFileSync(join(volume, 'v.md'), 'more\n')
      execFileSync('mount', ['--bind', volume, join(dir, 'vol')])
      await until('what was edited meanwhile is shared', () => textAt('vol/v.md') === 'v\nmore\n')
      appendFileSync(join(dir, 'vol/v.md'), 'again\n')
      await until('and what is edited now', () => textAt('vol/v.md') === 'v\nmore\nagain\n')
      expect(mirror.skipped.size).toBe(0)
      await mirror.close()
    } finally {
      execFileSync('umount', [join(dir, 'vol')])
    }
  },
)

it('[N17] what a sparse checkout leaves out is not removed', async () => {
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', dir, '-c', 'user.email=a@b.c', '-c', 'user.name=n', ...args], {
      stdio: 'ignore',
    })
  git('init')
  for (const rel of ['docs/a.md', 'src/b.ts', 'src/c.ts']) write(rel)
  git('add', '.')
  git('commit', '-m', 'one')
  const mirror = await one.mirror(dir)
  git('sparse-checkout', 'set', 'docs')
  expect(existsSync(join(dir, 'src/b.ts'))).toBe(false)
  await until('it is seen', () => mirror.skipped.size === 2)
  expect(mirror.skipped.get('src/b.ts')).toContain('sparse')
  await carried()
  expect(textAt('src/b.ts')).toBe('src/b.ts\n')
  expect(mirror.notes).toEqual([])
  git('sparse-checkout', 'disable')
  await until('it is there again', () => mirror.skipped.size === 0)
  expect(readFileSync(join(dir, 'src/b.ts'), 'utf8')).toBe('src/b.ts\n')
})

it('[N18] what nobody tells of is found by looking, and that is said', async () => {
  const { replica } = one.place
  const folder = new Folder(dir)
  const bases = await Bases.load(replica, 'x')
  const terrain = new Terrain({ folder, prefix: '', replica, id: 'x', bases, include: [] })
  const changed: string[] = []
  const events = {
    onPath: () => {},
    onLook: (found: readonly string[] | null) => changed.push(...(found ?? [])),
    onDue: () => {},
  }
  const looker = new Looker(
    terrain,
    folder,
    events,
    async (_folder, _ignored, _onPath, onError) => {
      onError(Object.assign(new Error('no more'), { code: 'ENOSPC' }))
      return { close: async () => {} }
    },
  )
  write('a.md')
  write('b.md')
  await looker.watch()
  expect(looker.notes.join()).toContain('fs.inotify.max_user_watches')
  write('a.md', 'a, changed\n')
  rmSync(join(dir, 'b.md'))
  await until('both are seen', () => changed.length >= 2)
  expect(changed.sort()).toEqual(['a.md', 'b.md'])
  await looker.close()
})
