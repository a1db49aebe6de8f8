import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { watchFolder } from '../../../agent/mirror/disk/watch.ts'
import { runSeed, seeded, until } from '../../support/client.ts'
import { tempDir } from '../../support/server.ts'

const FOLDERS = 60

/** The watcher does some of its work. */
const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await turn()
}

it('[MIRROR-1] what is written to a folder that is still new is told', async () => {
  const random = seeded(runSeed('new folders'))
  const dir = tempDir('watched')
  const told = new Map<string, number>()
  const errors: Error[] = []
  const onPath = (rel: string) => told.set(rel, performance.now())
  const watch = await watchFolder(
    dir,
    () => false,
    onPath,
    (error) => errors.push(error),
  )
  const written = new Map<string, number>()
  const work = async (n: number): Promise<void> => {
    const rel = `${n}/deep/file`
    mkdirSync(join(dir, `${n}/deep`), { recursive: true })
    await turns(random() * 40)
    writeFileSync(join(dir, rel), 'new')
    await turns(random() * 40)
    written.set(rel, performance.now())
    appendFileSync(join(dir, rel), ' and more')
  }
  for (let n = 0; n < FOLDERS; n += 10) {
    await Promise.all(Array.from({ length: 10 }, (_, i) => work(n + i)))
  }
  const untold = () => [...written].filter(([rel, at]) => (told.get(rel) ?? 0) < at)
  await until('all is told', () => untold().length === 0).catch(() => {})
  expect(untold()).toEqual([])
  expect(errors).toEqual([])
  await watch.close()
})
