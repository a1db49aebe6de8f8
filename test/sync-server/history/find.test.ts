import { afterEach, expect, it } from 'vitest'
import { termsOf } from '../../../lib/text/search.ts'
import type { AgentId } from '../../../protocol/ids.ts'
import {
  SEARCHED,
  segmentsOfBlock,
  type Wanted,
} from '../../../sync-server/history/find/entries.ts'
import { IndexStore } from '../../../sync-server/history/find/index-store.ts'
import { Indexer } from '../../../sync-server/history/find/indexer.ts'
import { ArchiveFinder } from '../../../sync-server/history/find/search.ts'
import { BLOCK } from '../../../sync-server/history/find/segments.ts'
import { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'
import type { BroadcastEntry } from '../../../workspace/document/schema.ts'
import { idOf } from '../../../workspace/inbox/find.ts'
import { runSeed, seeded } from '../../support/client.ts'
import { tempDir } from '../../support/server.ts'

const [ann, bob, eve] = ['a-ann000000000', 'a-bob000000000', 'a-eve000000000'] as AgentId[]
const WORDS = [
  'cache',
  'cached',
  'timeout',
  'getTimeout',
  'a',
  'is',
  '数据库',
  'release notes',
  'Über',
]

const opened = new Set<{ close: () => Promise<void> }>()
afterEach(async () => {
  for (const one of opened) await one.close()
  opened.clear()
})

const open = async (dir: string) => {
  const log = await LevelUpdateLog.open(dir, () => 1)
  const errors: unknown[] = []
  const store = new IndexStore(log.derived)
  const indexer = new Indexer({
    ...{ log, store, onError: (error: unknown) => errors.push(error) },
    segments: async (...block) => segmentsOfBlock(...block),
  })
  log.onArchived = indexer.due
  const finder = new ArchiveFinder(log, store, indexer, Number.POSITIVE_INFINITY)
  const close = async () => {
    opened.delete(one)
    await indexer.close()
    await log.close()
    expect(errors).toEqual([])
  }
  const one = { log, store, indexer, finder, close }
  opened.add(one)
  return one
}
type Opened = Awaited<ReturnType<typeof open>>

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const stored = (entry: BroadcastEntry) => ({
  ...{ shelf: 'broadcasts' as const, id: entry.id },
  value: encode({ client: 1, clock: 1, at: 1, entry }),
})
/** Archives messages of these texts; each in the name of the next agent, every fifth for one agent only. */
const archive = async (
  { log }: Opened,
  texts: readonly string[],
  from = 0,
): Promise<BroadcastEntry[]> => {
  const entries = texts.map((content, i) => {
    const n = from + i
    return {
      ...{ id: `m-${n}`, from: [ann, bob, eve][n % 3]!, topic: n % 4 === 0 ? 'ci' : 'x', tags: [] },
      ...{ content, at: 1, ...(n % 5 === 0 && { to: [bob, eve, ann][n % 3]! }) },
    } as unknown as BroadcastEntry
  })
  for (let at = 0; at < entries.length; at += 200) {
    await log.append('w', [], entries.slice(at, at + 200).map(stored))
  }
  return entries
}

const wanted = (more: Partial<Wanted> = {}): Wanted => ({
  me: ann!,
  from: undefined,
  topic: undefined,
  ...more,
})
const idsIn = async (
  { finder }: Opened,
  query: string,
  more: Partial<Wanted> = {},
  limit = 10_000,
) => {
  const found = await finder.find('w', 'broadcasts', {
    ...wanted(more),
    terms: termsOf(query),
    limit,
  })
  return { ids: found.found.map(idOf), more: found.more }
}
/** The same, without an index. */
const oracle = (entries: readonly BroadcastEntry[], query: string, more: Partial<Wanted> = {}) =>
  entries
    .filter((entry) => {
      const { readable } = SEARCHED.broadcasts
      const read = readable(new TextDecoder().decode(stored(entry).value), wanted(more))
      const words = query.toLowerCase().replaceAll('"', '').split(' ')
      return read !== null && words.every((word) => startsIn(read.text, word))
    })
    .map(({ id }) => id as string)
    .reverse()
/** A word at the beginning of a word: by splitting, in another way than the search. */
const startsIn = (text: string, word: string): boolean =>
  text
    .replaceAll(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .replaceAll(/(数|据|库)/gu, ' $1')
    .toLowerCase()
    .replaceAll(/(数) (据)/gu, '$1$2')
    .replaceAll(/(据) (库)/gu, '$1$2')
    .split(/[\s]+/)
    .some((one) =>
      [0, 1, 2].some(
        (at) => (at === 0 || /^\P{ASCII}/u.test(one)) && one.slice(at).startsWith(word),
      ),
    )

it('[FIND-2] the index finds in the archive what reading all of it finds, the newest first', async () => {
  const random = seeded(runSeed('find'))
  const pick = () => WORDS[Math.floor(random() * WORDS.length)]!
  const one = await open(tempDir('find'))
  const texts = Array.from({ length: 2 * BLOCK + 300 }, () => [pick(), pick(), pick()].join(' '))
  const entries = await archive(one, texts)
  await one.indexer.settled()
  expect(await one.indexer.end('w', 'broadcasts')).toBe(2)
  for (const query of [
    'cache',
    'cached',
    'timeout a',
    'is',
    '据',
    '数据',
    'rel not',
    'über',
    'c t',
    'nothing',
  ]) {
    for (const more of [
      {},
      { me: null },
      { me: eve! },
      { from: bob! },
      { topic: 'ci', from: eve! },
    ]) {
      const expected = oracle(entries, query, more)
      expect(await idsIn(one, query, more), query).toEqual({ ids: expected, more: false })
      const few = await idsIn(one, query, more, 7)
      expect(few).toEqual({ ids: expected.slice(0, 7), more: expected.length > 7 })
    }
  }
  expect((await idsIn(one, '"notes cache"')).ids).toEqual(
    oracle(entries, 'notes cache').filter((id) =>
      entries.find((entry) => entry.id === id)!.content.includes('notes cache'),
    ),
  )
})

it('[FIND-3] what others said to each other is found by nobody else, whoever asks', async () => {
  const one = await open(tempDir('find'))
  const entries = await archive(
    one,
    Array.from({ length: BLOCK + 10 }, () => 'secret'),
  )
  await one.indexer.settled()
  for (const me of [ann!, bob!, eve!, null]) {
    const { ids } = await idsIn(one, 'secret', { me })
    const readable = entries.filter(({ to, from }) => to === undefined || [to, from].includes(me!))
    expect(ids).toEqual(readable.map(({ id }) => id as string).reverse())
  }
})

it('[FIND-4] a damaged record of the index costs nothing but time: the index is made again', async () => {
  const dir = tempDir('find')
  let one = await open(dir)
  const texts = await archive(
    one,
    Array.from({ length: BLOCK + 5 }, (_, i) => `word${i % 7} needle`),
  )
  await one.indexer.settled()
  const segment = await one.log.derived.db.iterator({ gt: 'q:', lt: 'q;', limit: 1_000 }).all()
  const key = segment.map(([key]) => key).find((key) => key.includes(':ne:'))!
  await one.log.derived.put([{ type: 'put', key, value: new Uint8Array([200, 1, 2]) }])
  await one.close()
  one = await open(dir)
  const all = (await idsIn(one, 'word')).ids
  expect(all.length).toBeGreaterThan(BLOCK / 2)
  expect((await idsIn(one, 'needle')).ids).toEqual(all)
  await one.indexer.settled()
  expect(await one.indexer.end('w', 'broadcasts')).toBe(1)
  expect((await idsIn(one, 'needle')).ids).toEqual(all)
  expect((await idsIn(one, 'word3')).ids).toEqual(oracle(texts, 'word3'))
})
