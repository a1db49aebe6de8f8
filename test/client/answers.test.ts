import { join } from 'node:path'
import { Level } from 'level'
import { expect, it } from 'vitest'
import { AnswerAges, type KeyKind } from '../../client/replica/answers.ts'
import { Replica } from '../../client/replica/replica.ts'
import { putJson, range } from '../../client/replica/stored.ts'
import { tempDir } from '../support/server.ts'

const DAY_MS = 24 * 60 * 60_000

const openAnswers = async () => {
  const db = new Level<string, Uint8Array>(join(tempDir('answers'), 'db'), {
    valueEncoding: 'view',
  })
  await db.open()
  let ages = new AnswerAges(db)
  return {
    answer: async (key: string, kind: KeyKind, now: number) => {
      const age = await ages.writes(new Map([[key, kind]]), now)
      await db.batch([putJson(`k:${key}`, { digest: '', answer: key }), ...age])
    },
    reopen: () => {
      ages = new AnswerAges(db)
    },
    keys: async () => (await db.keys(range('k:')).all()).map((key) => key.slice(2)),
    entries: async () => (await db.keys().all()).length,
    close: () => db.close(),
  }
}

it('[CLI-3] a command’s own answers are few, also over a restart, and do not crowd out those of given keys', async () => {
  const { answer, reopen, keys, entries, close } = await openAnswers()
  for (let i = 0; i < 20; i++) await answer(`given ${i}`, 'given', i)
  for (let i = 0; i < 600; i++) {
    if (i % 100 === 50) reopen()
    await answer(`own ${i}`, 'own', i)
  }
  const kept = await keys()
  const own = kept.filter((key) => key.startsWith('own'))
  expect(own.length).toBeGreaterThanOrEqual(256)
  expect(own.length).toBeLessThan(256 + 16)
  expect(own).toContain('own 599')
  expect(own).not.toContain('own 300')
  expect(kept.length - own.length).toBe(20)
  expect(await entries()).toBe(2 * kept.length)
  await close()
})

it('[CLI-3] [CLI-12] what was answered under a given key is kept for a week', async () => {
  const { answer, keys, close } = await openAnswers()
  for (let i = 0; i < 32; i++) await answer(`first ${i}`, 'given', 0)
  for (let i = 0; i < 16; i++) await answer(`second ${i}`, 'given', 6 * DAY_MS)
  expect(await keys()).toHaveLength(48)
  for (let i = 0; i < 16; i++) await answer(`third ${i}`, 'given', 8 * DAY_MS)
  expect((await keys()).filter((key) => key.startsWith('first'))).toEqual([])
  expect(await keys()).toHaveLength(32)
  await close()
})

it('[CLI-12] of the answers under given keys the newest 10,000 are kept', async () => {
  const { answer, keys, close } = await openAnswers()
  for (let i = 0; i < 10_300; i++) await answer(`given ${i}`, 'given', i)
  const kept = await keys()
  expect(kept.length).toBeGreaterThanOrEqual(10_000)
  expect(kept.length).toBeLessThanOrEqual(10_016)
  expect(kept).not.toContain('given 0')
  expect(kept).toContain('given 10299')
  await close()
})

it('[CLI-3] [CLI-12] a replica forgets old answers as new ones come', async () => {
  const dir = join(tempDir('replica'), 'r')
  const quiet = () => {}
  let replica = await Replica.open(dir, quiet)
  for (let i = 0; i < 400; i++) {
    replica.remember(`k${i}`, { digest: '', answer: i }, 'own')
    void replica.commit()
    if (i !== 200) continue
    await replica.close()
    replica = await Replica.open(dir, quiet)
  }
  await replica.commit()
  expect(await replica.answered('k0')).toBeNull()
  expect(await replica.answered('k399')).toEqual({ digest: '', answer: 399 })
  await replica.close()
})
