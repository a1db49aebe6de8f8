import { join } from 'node:path'
import { termsOf } from '../lib/text/search.ts'
import type { AgentId } from '../protocol/ids.ts'
import { IndexStore } from '../sync-server/history/find/index-store.ts'
import { Indexer } from '../sync-server/history/find/indexer.ts'
import { ArchiveFinder } from '../sync-server/history/find/search.ts'
import { LevelUpdateLog } from '../sync-server/storage/level-update-log.ts'
import { TextWork } from '../sync-server/texts/work.ts'
import { seeded } from '../test/support/client.ts'
import { root, tempDir } from './programs.ts'
import { type Findings, integer, milliseconds, times } from './report.ts'
import { median, pairedRatio, quantile } from './stats.ts'

/** Archived messages, and the words in them (count). */
const MESSAGES = Number(process.env.FIND_MESSAGES ?? 1_000_000)
const WORDS_PER_MESSAGE = 20
const VOCABULARY = 30_000
const AGENTS = 10
/** Messages of one commit: of an agent that says one thing, and of a busy room; and archived at once (count). */
const PER_RECORD = [1, 8] as const
const PER_TRIM = 200
const QUERIES = 400
const PAIRED_ROUNDS = 7
const PER_ROUND = 4_000
const MEBIBYTE = 1024 * 1024
/** Targets. */
const FIND_MS = 50
const SLOWER = 1.1

const random = seeded(27)
/** Few words are common, most are rare. */
const wordOf = (): string => {
  const rank = Math.floor(VOCABULARY ** random())
  return `${'bcdfghklmnprstvw'[rank % 16]}${'aeiou'[rank % 5]}${rank.toString(36)}`
}
const agentOf = (n: number): AgentId => `a-writer-${n % AGENTS}` as AgentId

const messages = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => {
    const n = from + i
    const words = Array.from({ length: WORDS_PER_MESSAGE }, wordOf)
    const entry = {
      ...{ id: `m-${n}`, from: agentOf(n), topic: `topic-${n % 7}`, tags: [], at: n },
      ...{ content: words.join(' '), ...(n % 10 === 0 && { to: agentOf(n + 1) }) },
    }
    const value = Buffer.from(JSON.stringify({ client: 1, clock: n, at: n, entry }))
    return { shelf: 'broadcasts' as const, id: entry.id, value }
  })

const open = async (texts: TextWork, isIndexed: boolean) => {
  const log = await LevelUpdateLog.open(tempDir(), () => 1)
  const store = new IndexStore(log.derived)
  const indexer = new Indexer({
    ...{ log, store, onError: (error: unknown) => console.error(error) },
    segments: async (...block) => (await texts.run('segments', block.flat())).found,
  })
  if (isIndexed) log.onArchived = indexer.due
  return { log, indexer, finder: new ArchiveFinder(log, store, indexer) }
}
type Opened = Awaited<ReturnType<typeof open>>

/** Commits messages, and archives them; milliseconds. */
const commit = async (
  { log }: Opened,
  all: ReturnType<typeof messages>,
  perRecord: number,
): Promise<number> => {
  const started = performance.now()
  for (let at = 0; at < all.length; at += PER_TRIM) {
    const trimmed = all.slice(at, at + PER_TRIM)
    for (let i = 0; i < trimmed.length; i += perRecord) {
      await log.append(
        'w',
        trimmed.slice(i, i + perRecord).map(({ value }) => value),
      )
    }
    await log.append('w', [new Uint8Array(8)], trimmed)
  }
  return performance.now() - started
}

const heap = (): number => {
  global.gc?.()
  return process.memoryUsage().heapUsed / MEBIBYTE
}

export const find = async (write: (line: string) => void): Promise<Findings> => {
  const texts = new TextWork(join(root, 'dist/clawlink-sync-texts.cjs'))
  const [indexed, plain] = [await open(texts, true), await open(texts, false)]
  const slower: number[] = []
  let said = 0
  for (const perRecord of PER_RECORD) {
    const [withIndex, without]: number[][] = [[], []]
    for (let round = 0; round < PAIRED_ROUNDS; round++, said += PER_ROUND) {
      const all = messages(said, PER_ROUND)
      const both = [
        async () => {
          withIndex!.push(await commit(indexed, all, perRecord))
          await indexed.indexer.settled()
        },
        async () => void without!.push(await commit(plain, all, perRecord)),
      ]
      for (const one of round % 2 === 0 ? both : both.toReversed()) await one()
    }
    slower.push(pairedRatio(withIndex!, without!))
  }
  await plain.log.close()
  write(`commits ${slower.map(times).join(', ')}`)

  const { log, indexer, finder } = indexed
  const before = heap()
  const began = performance.now()
  for (let n = said; n < MESSAGES; n += 4_000) {
    await log.append('w', [], messages(n, Math.min(4_000, MESSAGES - n)))
  }
  await indexer.settled()
  const built = (performance.now() - began) / 1_000
  const grown = heap() - before
  let bytes = 0
  for await (const [key, value] of log.derived.db.iterator({ gt: 'q:', lt: 'q;' })) {
    bytes += key.length + value.length
  }
  const one: number[] = []
  const two: number[] = []
  const filtered: number[] = []
  let hits = 0
  const ask = async (query: string, into: number[], more: { from?: AgentId } = {}) => {
    const search = {
      terms: termsOf(query),
      limit: 20,
      me: agentOf(1),
      from: more.from,
      topic: undefined,
    }
    const started = performance.now()
    hits += (await finder.find('w', 'broadcasts', search)).found.length
    into.push(performance.now() - started)
  }
  for (let i = 0; i < QUERIES; i++) {
    await ask(wordOf(), one)
    await ask(`${wordOf()} ${wordOf()}`, two)
    await ask(`${wordOf()} ${wordOf()}`, filtered, { from: agentOf(i) })
  }
  await ask('nowhere', [])
  await log.close()
  texts.close()
  const p95 = (all: readonly number[]): string => milliseconds(quantile(all, 0.95))
  const row = (name: string, all: readonly number[]): string[] => [
    name,
    milliseconds(median(all)),
    p95(all),
    milliseconds(Math.max(...all)),
  ]
  const rows = [row('one word', one), row('two words', two), row('two words, --from', filtered)]
  for (const one of rows) write(one.join(' · '))
  const worst = Math.max(...[one, two, filtered].map((all) => quantile(all, 0.95)))
  write(
    `${integer(MESSAGES)} in ${built.toFixed(0)} s, index ${integer(bytes / MEBIBYTE)} MiB, heap ${grown.toFixed(1)} MiB, ${integer(hits)} hits`,
  )
  return {
    title: 'Search',
    method: `${integer(MESSAGES)} archived messages of ${WORDS_PER_MESSAGE} words from ${integer(VOCABULARY)}, few of them common; ${QUERIES} queries of each kind, the newest 20 hits; in process, on LevelDB. Commits: ${PAIRED_ROUNDS} rounds of ${integer(PER_ROUND)} messages, ${PER_RECORD.join(' or ')} per commit and archived ${PER_TRIM} at once, with and without index in turn.`,
    tables: [
      { caption: 'find', head: ['', 'p50, ms', 'p95, ms', 'most, ms'], rows },
      {
        caption: 'what it costs',
        head: ['', ''],
        rows: [
          ...PER_RECORD.map((count, i) => [
            `commits of ${count}, of the same without an index`,
            times(slower[i]!),
          ]),
          ['index on disk, MiB', integer(bytes / MEBIBYTE)],
          ['heap after the archive grew, MiB', grown.toFixed(1)],
        ],
      },
    ],
    targets: [
      {
        claim: `find over ${integer(MESSAGES)} archived messages, p95 ≤ ${FIND_MS} ms`,
        measured: milliseconds(worst),
        passed: worst <= FIND_MS,
      },
      {
        claim: 'commits of one message at most 10 % slower',
        measured: times(slower[0]!),
        passed: slower[0]! <= SLOWER,
      },
    ],
    samples: { 'two words, ms': two },
  }
}
