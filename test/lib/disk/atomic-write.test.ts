import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type AtomicOptions, writeAtomic, writeAtomicNow } from '../../../lib/disk/atomic-write.ts'
import { tempDir } from '../../support/server.ts'

type Write = (path: string, text: string, options?: AtomicOptions) => Promise<boolean>

const WAYS: [string, Write][] = [
  ['at once', async (...given) => writeAtomicNow(...given)],
  ['without blocking', (...given) => writeAtomic(...given)],
  [
    'in pieces',
    (path, text, options) =>
      writeAtomic(
        path,
        async (file) => {
          for (const character of text) await file.write(character)
        },
        options,
      ),
  ],
]

describe.each(WAYS)('an atomic write (%s)', (_, write) => {
  it('replaces the whole file and leaves nothing beside it', async () => {
    const dir = tempDir('atomic')
    const path = join(dir, 'file')
    expect(await write(path, 'first and longer')).toBe(true)
    expect(await write(path, 'second', { mode: 0o600 })).toBe(true)
    expect(readFileSync(path, 'utf8')).toBe('second')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(dir)).toEqual(['file'])
  })

  it('leaves what was there if the last look says no, or throws', async () => {
    const dir = tempDir('atomic')
    const path = join(dir, 'file')
    writeFileSync(path, 'old')
    let seen = ''
    const refuse = (temp: string): boolean => {
      seen = readFileSync(temp, 'utf8')
      return false
    }
    expect(await write(path, 'new', { place: refuse })).toBe(false)
    expect(seen).toBe('new')
    const fail = (): never => {
      throw new Error('no')
    }
    await expect(write(path, 'new', { place: fail })).rejects.toThrow('no')
    await expect(write(path, 'new', { prepare: fail })).rejects.toThrow('no')
    expect(readFileSync(path, 'utf8')).toBe('old')
    expect(readdirSync(dir)).toEqual(['file'])
  })

  it('sets permissions before the file has its name', async () => {
    const path = join(tempDir('atomic'), 'file')
    let mode = 0
    await write(path, 'x', {
      prepare: () => chmodSync(join(path, '..', 'temp'), 0o751),
      temp: join(path, '..', 'temp'),
      place: (temp) => {
        mode = statSync(temp).mode & 0o777
        return false
      },
    })
    expect(mode).toBe(0o751)
  })

  it('does not write through a file that has the temporary name', async () => {
    const dir = tempDir('atomic')
    writeFileSync(join(dir, 'temp'), "somebody's")
    await expect(write(join(dir, 'file'), 'x', { temp: join(dir, 'temp') })).rejects.toMatchObject({
      code: 'EEXIST',
    })
    expect(readdirSync(dir)).toEqual(['temp'])
  })

  it('reports a full disk and keeps what was there', async () => {
    const dir = join(tempDir('atomic'), 'small')
    mkdirSync(dir)
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', dir], { stdio: 'pipe' })
    } catch (error) {
      console.log(`skipped: no file system can be mounted: ${(error as Error).message.trim()}`)
      rmdirSync(dir)
      return
    }
    try {
      await write(join(dir, 'file'), 'old')
      await expect(write(join(dir, 'file'), 'x'.repeat(20_000))).rejects.toThrow(/ENOSPC/)
      expect(readFileSync(join(dir, 'file'), 'utf8')).toBe('old')
      expect(readdirSync(dir)).toEqual(['file'])
    } finally {
      execFileSync('umount', ['-l', dir])
    }
  })
})
