import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { killLink, registered } from '../../support/agent.ts'
import { runSeed, seeded, until } from '../../support/client.ts'
import { writer } from '../../support/mirror/members.ts'
import { differences, isSame, markersIn, treeOf } from '../../support/mirror/tree.ts'
import { type Server, startServer, tempDir } from '../../support/server.ts'

/** Of each writer (count). */
const EDITS = Number(process.env.EDITS ?? 100)

let server: Server
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

it('[MIRROR-9] kill -9 of both links, again and again while files are edited in both folders, loses and doubles nothing', async () => {
  const seed = runSeed('killed')
  const random = seeded(seed)
  const [one, two] = [await registered(server.url, 'One'), await registered(server.url, 'Two')]
  const [a, b] = [tempDir('a'), tempDir('b')]
  const files = ['a.md', 'b.md', 'c.md', 'd.md']
  for (const file of files) {
    writeFileSync(join(a, file), Array.from({ length: 30 }, (_, i) => `${file} ${i}\n`).join(''))
  }
  await one.ask('mirror', a)
  await two.ask('mirror', b)
  await until('b has them', () => files.every((file) => existsSync(join(b, file))))

  const edits = { edits: EDITS, pause: 25 }
  let isOver = false
  const writing = Promise.all([
    writer(a, files, { ...edits, name: 'one', seed }),
    writer(b, files, { ...edits, name: 'two', seed: seed + 1 }),
  ]).finally(() => {
    isOver = true
  })
  let kills = 0
  while (!isOver || kills < 2) {
    const agent = random() < 0.5 ? one : two
    await killLink(agent.home)
    kills++
    await agent.ask('up')
  }
  const markers = (await writing).flat()
  await until('both are the same', () => {
    const counts = markersIn(treeOf(a))
    return isSame(a, b) && markers.every((marker) => counts.has(marker))
  }).catch(() => {}) // what is wrong is said below
  const counts = markersIn(treeOf(a))
  expect(markers.filter((marker) => counts.get(marker) !== 1)).toEqual([])
  expect(differences(treeOf(a), treeOf(b))).toEqual([])
  expect(markers.length).toBe(2 * EDITS)
})
