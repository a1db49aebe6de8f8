import { join } from 'node:path'
import { expect, it } from 'vitest'
import { applyEdits } from '../../../lib/merge/edits.ts'
import { merge3 } from '../../../lib/merge/merge.ts'
import { merging } from '../../../sync-server/http-agents/merging.ts'
import { TextWork } from '../../../sync-server/texts/work.ts'
import { root } from '../../support/server.ts'

const lines = (n: number, of: (i: number) => string): string =>
  Array.from({ length: n }, (_, i) => `${of(i)}\n`).join('')
const base = lines(40_000, (i) => `line ${i}`)
const mine = lines(40_000, (i) => (i % 2_000 === 0 ? `mine ${i}` : `line ${i}`))
const theirs = lines(40_000, (i) => (i % 2_000 === 9 ? `theirs ${i}` : `line ${i}`))

it('[FILE-1] long texts are merged in a thread as they are without one', async () => {
  const texts = new TextWork(join(root, 'dist', 'clawlink-sync-texts.cjs'))
  const { found, ms } = await texts.run('merge', [base, mine, theirs])
  expect(found).toEqual(merge3(base, mine, theirs))
  expect(ms).toBeGreaterThan(0)
  const delta = await texts.run('delta', [base, mine])
  expect(applyEdits(base, delta.found.edits)).toBe(mine)
  texts.close()
})

it('[FILE-1] where there is no thread, and where it ends, a coarser merge is found, and nothing is lost', async () => {
  const none = new TextWork(join(root, 'dist', 'there-is-none.cjs'))
  for (let i = 0; i < 2; i++) {
    const { found } = await none.run('merge', [base, mine, base])
    expect(found.text).toBe(mine)
  }
  const texts = new TextWork(join(root, 'dist', 'clawlink-sync-texts.cjs'))
  const asked = texts.run('merge', [base, mine, base])
  texts.close()
  expect((await asked).found.text).toBe(mine)
})

it('[FILE-1] a merge that takes long is made beforehand; where the text changes each time a coarse one does', async () => {
  const texts = new TextWork(join(root, 'dist', 'clawlink-sync-texts.cjs'))
  let spent = 0
  let runs = 0
  const once = await merging(
    texts,
    (ms) => {
      spent += ms
    },
    async (merge) => {
      runs++
      return merge(base, mine, theirs)
    },
  )
  expect(once).toEqual(merge3(base, mine, theirs))
  expect([runs, spent > 0]).toEqual([2, true])
  runs = 0
  const moving = await merging(
    texts,
    () => {},
    async (merge) => merge(base, mine, `${theirs}more ${++runs}\n`),
  )
  expect(runs).toBe(4)
  for (const line of ['mine 2000', 'theirs 9', 'more 4']) {
    expect(moving.text.split('\n')).toContain(line)
  }
  texts.close()
})
