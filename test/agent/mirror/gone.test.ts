import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Bases } from '../../../agent/mirror/bases.ts'
import { Folder } from '../../../agent/mirror/disk/folder.ts'
import type { watchFolder } from '../../../agent/mirror/disk/watch.ts'
import { Looker } from '../../../agent/mirror/looker.ts'
import { isGitBusy } from '../../../agent/mirror/rules/repository.ts'
import { Terrain } from '../../../agent/mirror/terrain.ts'
import { until } from '../../support/client.ts'
import { oneMember } from '../../support/mirror/one.ts'
import { canMount, mount, unmount } from '../../support/mirror/torture/side.ts'
import { tempDir } from '../../support/server.ts'

const { one, dir, put, drop, read, has, textAt, keys, write, mirror, carried } = oneMember('gone')

it('[MIRROR-17] most files gone at once wait, and go for all or come back as is said', async () => {
  const many = Array.from({ length: 30 }, (_, i) => `sub/${i}.md`)
  for (const rel of [...many, 'kept.md', 'other.md']) write(rel)
  const open = await mirror()
  rmSync(join(dir(), 'other.md'))
  await until('one is removed', () => textAt('other.md') === null)

  rmSync(join(dir(), 'sub'), { recursive: true })
  await until('they wait', () => open.skipped.size === 30)
  await carried()
  expect(many.every((rel) => textAt(rel) !== null)).toBe(true)
  expect(open.skipped.get('sub/7.md')).toContain('--confirm-deletions')
  expect(open.notes.join()).toMatch(/^30 mirrored files are gone/)
  const inbox = await one().place.replica.inbox('one')
  expect(inbox.map(({ message }) => message)).toMatchObject([
    { type: 'direct_message', topic: 'mirror', content: expect.stringContaining('--restore') },
  ])
  write('sub/3.md', 'back\n')
  await until('what is back waits no more', () => textAt('sub/3.md') === 'back\n')

  expect(await open.decideGone(false)).toBe(29)
  await until(
    'they are back',
    () => existsSync(join(dir(), 'sub')) && readdirSync(join(dir(), 'sub')).length === 30,
  )
  expect(open.notes).toEqual([])
  await open.idle()
  rmSync(join(dir(), 'sub'), { recursive: true })
  await until('they wait', () => open.skipped.size === 30)
  // It is remembered by the next mirror.
  await open.close()
  const next = await mirror()
  expect(next.skipped.size).toBe(30)
  expect(await next.decideGone(true)).toBe(30)
  await until('they are removed', () => many.every((rel) => textAt(rel) === null))
  expect(next.skipped.size).toBe(0)
})

it('[MIRROR-17] what a folder lacks that was made anew, or a repository that is not there, is not removed', async () => {
  for (const rel of ['README.md', 'notes.md', 'src/c.ts', 'module/m.md']) write(rel)
  write('module/.git', 'gitdir: ../.git/modules/module\n')
  const first = await mirror()
  await first.close()
  rmSync(join(dir(), 'module'), { recursive: true })
  mkdirSync(join(dir(), 'module')) // as `git submodule deinit` leaves it
  const second = await mirror()
  expect(textAt('module/m.md')).not.toBeNull()
  expect(second.skipped.get('module/m.md')).toContain('repository, at module')
  await second.close()

  rmSync(dir(), { recursive: true })
  write('README.md')
  const third = await mirror()
  expect(keys().sort()).toEqual(['README.md', 'module/m.md', 'notes.md', 'src/c.ts'])
  expect(third.skipped.get('notes.md')).toContain('not the one it was in')
  rmSync(join(dir(), 'README.md')) // from now on it is the one
  await until('it is removed', () => textAt('README.md') === null)
  await third.decideGone(false)
  await until('they are back', () => existsSync(join(dir(), 'src/c.ts')))
})

it.skipIf(!canMount)(
  '[MIRROR-17] what is gone with a mount is not removed, and is seen again with it',
  async () => {
    const volume = tempDir('volume')
    writeFileSync(join(volume, 'v.md'), 'v\n')
    mkdirSync(join(dir(), 'vol'))
    mount(volume, join(dir(), 'vol'))
    try {
      write('top.md')
      const open = await mirror()
      unmount(join(dir(), 'vol'))
      await until('it is seen', () => open.skipped.has('vol/v.md'))
      await carried()
      expect(textAt('vol/v.md')).toBe('v\n')
      appendFileSync(join(volume, 'v.md'), 'more\n')
      mount(volume, join(dir(), 'vol'))
      await until('what was edited meanwhile is shared', () => textAt('vol/v.md') === 'v\nmore\n')
      appendFileSync(join(dir(), 'vol/v.md'), 'again\n')
      await until('and what is edited now', () => textAt('vol/v.md') === 'v\nmore\nagain\n')
      expect(open.skipped.size).toBe(0)
      await open.close()
    } finally {
      unmount(join(dir(), 'vol'))
    }
  },
)

it.skipIf(!canMount)(
  '[MIRROR-17] [MIRROR-30] files that a mount hides are not removed, and none is lost below it',
  async () => {
    for (const rel of ['sub/a.md', 'sub/b.md', 'top.md']) write(rel)
    const { skipped } = await mirror()
    mount(tempDir('over'), join(dir(), 'sub'))
    try {
      await until('it is seen', () => skipped.has('sub/a.md') && skipped.has('sub/b.md'))
      put('sub/a.md', 'changed\n', 'sub/a.md\n')
      put('sub/new.md', 'new\n')
      drop('sub/b.md')
      await until('what comes is held back', () => skipped.has('sub/new.md'))
      expect(readdirSync(join(dir(), 'sub'))).toEqual([])
      expect(keys()).toEqual(['sub/a.md', 'sub/new.md', 'top.md'])
    } finally {
      unmount(join(dir(), 'sub'))
    }
    await has('sub/a.md', 'changed\n')
    await has('sub/b.md', null)
    await has('sub/new.md', 'new\n')
    expect(keys()).toEqual(['sub/a.md', 'sub/new.md', 'top.md'])
  },
)

it.skipIf(!canMount)(
  "[MIRROR-20] others' new file is not written below a mount that nobody has noticed yet",
  async () => {
    write('sub/a.md')
    await mirror()
    put('sub/first.md', 'first\n')
    await has('sub/first.md', 'first\n') // the mounts were read for this file
    const over = tempDir('over')
    mount(over, join(dir(), 'sub'))
    try {
      put('sub/new.md', 'new\n')
      await new Promise((next) => setTimeout(next, 150))
    } finally {
      unmount(join(dir(), 'sub'))
    }
    expect(readdirSync(over)).toEqual([])
    await has('sub/new.md', 'new\n')
    expect(keys()).toEqual(['sub/a.md', 'sub/first.md', 'sub/new.md'])
  },
)

it.skipIf(!canMount)(
  '[MIRROR-20] a new file that a mount hides before it is shared is shared once the mount is gone',
  async () => {
    write('sub/a.md')
    await mirror()
    const over = tempDir('over')
    let rel = ''
    for (let i = 0; rel === ''; i++) {
      const [file, rules] = [`sub/new-${i}.md`, `*.log${i}\n`]
      write(file)
      write('.gitignore', rules) // new files wait for a second after rules change
      await until('the rules are shared', () => textAt('.gitignore') === rules)
      mount(over, join(dir(), 'sub'))
      if (textAt(file) === null) rel = file
      else unmount(join(dir(), 'sub')) // this machine is slow: once more
    }
    try {
      await new Promise((next) => setTimeout(next, 1_600))
    } finally {
      unmount(join(dir(), 'sub'))
    }
    await until('it is shared', () => textAt(rel) === `${rel}\n`)
  },
)

it.skipIf(!canMount)(
  '[MIRROR-20] what is new is not written where a mount is missing',
  async () => {
    mount(tempDir('volume'), join(dir(), 'vol'))
    let isMounted = true
    try {
      write('vol/v.md')
      const { skipped } = await mirror()
      unmount(join(dir(), 'vol'))
      isMounted = false
      put('vol/new.md', 'new\n')
      await until('it is held back', () => skipped.has('vol/new.md') && skipped.has('vol/v.md'))
      expect(readdirSync(join(dir(), 'vol'))).toEqual([])
    } finally {
      if (isMounted) unmount(join(dir(), 'vol'))
    }
  },
)

it('[MIRROR-19] while git is at work nothing is written that it would write over', async () => {
  execFileSync('git', ['-C', dir(), 'init', '-q'])
  write('a.md', 'a\n')
  await mirror()
  write('.git/index.lock', '')
  put('a.md', 'theirs\n', 'a\n')
  await carried()
  expect(read('a.md')).toBe('a\n')
  rmSync(join(dir(), '.git/index.lock'))
  await has('a.md', 'theirs\n')
})

it('[MIRROR-19] git is known to be at work in a submodule or work tree, and in a folder of a repository, too', () => {
  const of = (rel: string) => isGitBusy(join(dir(), rel))
  write('.git/HEAD')
  write('.git/modules/m/HEAD')
  write('m/.git', 'gitdir: ../.git/modules/m\n')
  mkdirSync(join(dir(), 'src'))
  expect(['', 'm', 'src'].map(of)).toEqual([false, false, false])
  write('.git/modules/m/index.lock')
  expect(['', 'm', 'src'].map(of)).toEqual([false, true, false])
  mkdirSync(join(dir(), '.git/rebase-merge'))
  expect(['', 'm', 'src'].map(of)).toEqual([true, true, true])
})

it('[MIRROR-17] [MIRROR-31] what a sparse checkout leaves out is not removed', async () => {
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', dir(), '-c', 'user.email=a@b.c', '-c', 'user.name=n', ...args], {
      stdio: 'ignore',
    })
  git('init')
  for (const rel of ['docs/a.md', 'src/b.ts', 'src/c.ts']) write(rel)
  git('add', '.')
  git('commit', '-m', 'one')
  const open = await mirror()
  git('sparse-checkout', 'set', 'docs')
  expect(existsSync(join(dir(), 'src/b.ts'))).toBe(false)
  await until('it is seen', () => open.skipped.size === 2)
  expect(open.skipped.get('src/b.ts')).toContain('sparse')
  await carried()
  expect(textAt('src/b.ts')).toBe('src/b.ts\n')
  expect(open.notes).toEqual([])
  drop('src/c.ts')
  git('sparse-checkout', 'disable')
  await until('it is there again', () => open.skipped.size === 0)
  expect(read('src/b.ts')).toBe('src/b.ts\n')
  await has('src/c.ts', null) // others removed it meanwhile
})

it('[MIRROR-18] what nobody tells of is found by looking, and that is said', async () => {
  const { replica } = one().place
  const folder = new Folder(dir())
  const bases = await Bases.load(replica, 'x')
  const quiet = { close: async () => {} }
  const noWatches: typeof watchFolder = async (_folder, _ignored, _onPath, onError) => {
    onError(Object.assign(new Error('no more'), { code: 'ENOSPC' }))
    return quiet
  }
  const lookers = [
    { watch: noWatches, isSilent: () => false },
    { watch: async () => quiet, isSilent: () => true }, // as NFS is
  ].map((system) => {
    const terrain = new Terrain({ folder, prefix: '', replica, id: 'x', bases, include: [] })
    const changed: string[] = []
    const events = {
      onPath: () => {},
      onLook: (found: readonly string[] | null) => changed.push(...(found ?? [])),
      onDue: () => {},
    }
    return { changed, looker: new Looker(terrain, folder, events, system) }
  })
  write('a.md')
  write('b.md')
  for (const { looker } of lookers) await looker.watch()
  const [few, silent] = lookers.map(({ looker }) => looker.notes.join())
  expect(few).toContain('fs.inotify.max_user_watches')
  expect(silent).toContain('tells of no changes')
  write('a.md', 'a, changed\n')
  rmSync(join(dir(), 'b.md'))
  for (const { changed, looker } of lookers) {
    await until('both are seen', () => changed.length >= 2)
    expect(changed.sort()).toEqual(['a.md', 'b.md'])
    await looker.close()
  }
})
