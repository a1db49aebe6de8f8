import { createHash } from 'node:crypto'
import {
  closeSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Bases } from '../../../agent/mirror/bases.ts'
import { findLeaf } from '../../../workspace/files/tree.ts'
import { until } from '../../support/client.ts'
import { has, mirrorStage, put, read, textAt } from '../../support/mirror/stage.ts'
import { tempDir } from '../../support/server.ts'

const stage = mirrorStage()

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

it('[MIRROR-2] what is written to a file after the mirror put another in its place is not lost', async () => {
  const one = await stage.join('one')
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

it('[MIRROR-2] a tool that rests between its read and its write takes nothing back', async () => {
  const one = await stage.join('one')
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
  const one = await stage.join('one')
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
  const one = await stage.join('one')
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
  const one = await stage.join('one')
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
  const one = await stage.join('one')
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
