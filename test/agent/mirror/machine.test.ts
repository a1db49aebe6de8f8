import { appendFileSync, chownSync, closeSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Folder } from '../../../agent/mirror/disk/folder.ts'
import { until } from '../../support/client.ts'
import { oneMember } from '../../support/mirror/one.ts'
import { canMount, mountSmall, unmount } from '../../support/mirror/torture/side.ts'
import { tempDir } from '../../support/server.ts'

const { dir, put, has, mirror } = oneMember('machine')

if (!canMount) console.log('nothing can be mounted here: no test of a full disk')

it.skipIf(!canMount)(
  '[MIRROR-12] a file that a full disk refused is written once there is room',
  async () => {
    mountSmall(dir(), 128)
    try {
      const { skipped } = await mirror()
      try {
        for (;;) appendFileSync(join(dir(), 'ballast'), Buffer.alloc(4096))
      } catch {
        // It is full.
      }
      put('a.md', 'a\n'.repeat(10_000))
      await until('it is named', () => skipped.get('a.md')?.startsWith('ENOSPC') === true)
      rmSync(join(dir(), 'ballast'))
      await has('a.md', 'a\n'.repeat(10_000))
      await until('it is not named', () => !skipped.has('a.md'))
    } finally {
      unmount(dir())
    }
  },
)

const isRoot = process.geteuid?.() === 0
if (!isRoot) console.log('not root: no test of files of other users')

it.skipIf(!isRoot)(
  "[MIRROR-4] a file stays its owner's, and a new one is its folder's",
  async () => {
    const at = tempDir('owned')
    writeFileSync(join(at, 'theirs.md'), 'old\n', { mode: 0o664 })
    chownSync(join(at, 'theirs.md'), 65_534, 65_533)
    chownSync(at, 1_234, 1_235)
    const folder = new Folder(at)
    const { old } = (await folder.replace('theirs.md', 'new\n', 'old\n')) as { old: number }
    closeSync(old)
    await folder.replace('in/new.md', 'new\n', null)
    const ownerOf = (rel: string) => {
      const { uid, gid } = statSync(join(at, rel))
      return [uid, gid]
    }
    expect(ownerOf('theirs.md')).toEqual([65_534, 65_533])
    expect([ownerOf('in'), ownerOf('in/new.md')]).toEqual([
      [1_234, 1_235],
      [1_234, 1_235],
    ])
  },
)
