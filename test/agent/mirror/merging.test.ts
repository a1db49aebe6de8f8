import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { AgentId } from '../../../protocol/ids.ts'
import { removeFile } from '../../../workspace/files/move-file.ts'
import { runSeed, seeded, until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { writer } from '../../support/mirror/members.ts'
import { has, mirrorStage, put, read, textAt } from '../../support/mirror/stage.ts'
import { differences, isSame, markersIn, treeOf } from '../../support/mirror/tree.ts'
import { tempDir } from '../../support/server.ts'

const stage = mirrorStage()

it('[MIRROR-2] what was edited on both sides while no mirror ran is merged', async () => {
  const home = tempDir('home')
  const [one, two] = [await stage.join('one', home), await stage.join('two')]
  const dir = tempDir('dir')
  writeFileSync(join(dir, 'a.md'), '1\n2\n3\n4\n5\n')
  writeFileSync(join(dir, 'gone.md'), 'x\n')
  writeFileSync(join(dir, 'kept.md'), 'x\n')
  await one.mirror(dir)
  await stage.leave(one)
  await until('two has it', () => textAt(two, 'kept.md') === 'x\n')

  writeFileSync(join(dir, 'a.md'), '1\nmine\n2\n3\n4\n5\n')
  rmSync(join(dir, 'gone.md'))
  rmSync(join(dir, 'kept.md'))
  put(two, 'a.md', '1\n2\n3\n4\ntheirs\n5\n', '1\n2\n3\n4\n5\n')
  put(two, 'kept.md', 'x\nand more\n', 'x\n')
  await two.confirm()
  const again = await stage.join('one', home)
  await again.mirror(dir)
  expect(read(dir, 'a.md')).toBe('1\nmine\n2\n3\n4\ntheirs\n5\n')
  expect(read(dir, 'kept.md')).toBe('x\nand more\n')
  await until('two has the edit', () => textAt(two, 'a.md') === read(dir, 'a.md'))
  await until('two has the deletion', () => textAt(two, 'gone.md') === null)
})

it('[MIRROR-2] a folder that had files of the same names before is merged, no line of either lost', async () => {
  const one = await stage.join('one')
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
  const [one, two] = [await stage.join('one'), await stage.join('two')]
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

it('[MIRROR-3] a deletion on disk gives way to a change of others, theirs to a change on disk', async () => {
  const home = tempDir('home')
  const [one, two] = [await stage.join('one', home), await stage.join('two')]
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
  const [one, two] = [await stage.join('one'), await stage.join('two')]
  const [a, b] = [tempDir('a'), tempDir('b')]
  writeFileSync(join(a, 'f.md'), '1\n2\n3\n')
  await one.mirror(a)
  await two.mirror(b)
  await until('b has it', () => isSame(a, b))
  const { port, data } = stage.server
  await stage.server.stop()
  writeFileSync(join(b, 'f.md'), '1\nmine\n2\nmine too\n3\n')
  await until('it is in the document', () => textAt(two, 'f.md')?.includes('mine too') === true)
  rmSync(join(a, 'f.md'))
  await until('it is removed', () => textAt(one, 'f.md') === null)
  stage.server = await startHere({ port, data })
  await has('it comes back', a, 'f.md', '1\nmine\n2\nmine too\n3\n')
  expect(read(b, 'f.md')).toBe('1\nmine\n2\nmine too\n3\n')
})

it('[MIRROR-3] a folder in which nothing is left gets its files again', async () => {
  const home = tempDir('home')
  const one = await stage.join('one', home)
  const dir = tempDir('dir')
  writeFileSync(join(dir, 'a.md'), 'a\n')
  const mirror = await one.mirror(dir)
  await mirror.close()
  rmSync(join(dir, 'a.md'))
  await one.mirror(dir)
  expect(read(dir, 'a.md')).toBe('a\n')
})

it('[MIRROR-2] many writers by disk and document: every marker is there once, and all are the same', async () => {
  const seed = runSeed('mirror')
  const random = seeded(seed)
  const [one, two] = [await stage.join('one'), await stage.join('two')]
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
  const third = await stage.join('three')
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
