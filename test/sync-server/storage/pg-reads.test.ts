import { afterEach, describe, expect, it, vi } from 'vitest'
import { parseStoreAddress } from '../../../sync-server/config/store-address.ts'
import { Corruption, causeOf } from '../../../sync-server/storage/integrity/corruption.ts'
import { Unavailable } from '../../../sync-server/storage/integrity/db.ts'
import { Copied, type CopiedRow } from '../../../sync-server/storage/postgres/copied.ts'
import { NodeStore } from '../../../sync-server/storage/postgres/node-store.ts'
import { openPostgres } from '../../../sync-server/storage/postgres/open.ts'
import { Reader } from '../../../sync-server/storage/postgres/reader.ts'
import * as sql from '../../../sync-server/storage/postgres/statements.ts'
import { until } from '../../support/client.ts'
import { newSchema, onPostgres } from '../../support/postgres.ts'
import { runSql } from '../../support/sql.ts'
import { cuttingProxy } from '../../support/sync-server/cutting-proxy.ts'

const NO_MARK = { read: () => null, note: () => {}, close: () => {} }

const int32 = (n: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(n)
  return bytes
}
const int16 = (n: number): Buffer => int32(n).subarray(2)
const field = (bytes: Buffer): Buffer => Buffer.concat([int32(bytes.length), bytes])
const HEADER = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), int32(0), int32(0)])
const END = int16(-1)

/** A row of the answer: `size` bytes has the value, and this is a slice of it. */
const row = (key: string, size: number, slice: string, n = 0): Buffer =>
  Buffer.concat([
    int16(6),
    ...[Buffer.from(key), int32(n), int32(1), int32(7), int32(size), Buffer.from(slice)].map(field),
  ])

/** What the driver gets, a message each; the error, or the rows. */
const answerOf = (...messages: Buffer[]): CopiedRow[] | string => {
  let found: CopiedRow[] | string = 'no answer'
  const copied = new Copied('copy', (error, rows) => {
    found = error === null ? rows : error.message
  })
  for (const message of messages) {
    const chunk = Buffer.from(message)
    copied.handleCopyData({ chunk })
    // The driver uses its buffer again.
    chunk.fill(0)
  }
  copied.handleReadyForQuery()
  return found
}
const shown = (found: CopiedRow[] | string): unknown =>
  typeof found === 'string'
    ? found
    : found.map(({ k, n, pieces, total, v }) => [`${k}`, n, pieces, total, `${v}`])

describe('an answer of COPY', () => {
  it('[STORE-4] is read row by row, values from their slices', () => {
    const begin = Buffer.concat([HEADER, row('a', 5, 'one')])
    const messages = [begin, row('a', 5, '23'), row('b', 2, 'xy', 1), row('c', 0, ''), END]
    expect(shown(answerOf(...messages))).toEqual([
      ['a', 0, 1, 7, 'one23'],
      ['b', 1, 1, 7, 'xy'],
      ['c', 0, 1, 7, ''],
    ])
    expect(answerOf(Buffer.concat([HEADER, END]))).toEqual([])
  })

  it('[STORE-4] that is malformed or not whole gives no row', () => {
    const begin = Buffer.concat([HEADER, row('a', 5, 'one')])
    const cut = begin.subarray(0, begin.length - 1)
    const other = Buffer.concat([int16(5), ...Array.from({ length: 5 }, () => field(int32(1)))])
    const header = Buffer.from(HEADER)
    header[0] = 0
    for (const messages of [
      ...[[], [END], [header, END], [begin, row('a', 5, '23')], [begin, END]],
      ...[
        [cut, row('a', 5, '23'), END],
        [begin, row('b', 5, '23'), END],
      ],
      ...[
        [begin, row('a', 6, '23'), END],
        [begin, row('a', 5, '23', 1), END],
      ],
      ...[
        [begin, row('a', 5, '234'), END],
        [begin, row('a', 5, '23'), END, END],
      ],
      ...[
        [HEADER, other, END],
        [HEADER, Buffer.from([0]), END],
      ],
    ]) {
      expect(answerOf(...messages)).toMatch(/malformed|outside buffer bounds|out of range/)
    }
  })
})

onPostgres('reading PostgreSQL', (postgres) => {
  afterEach(() => void vi.useRealTimers())

  it('[STORE-4] a large value of which a piece is missing is not handed out', async () => {
    const { url } = postgres()
    const address = parseStoreAddress(newSchema(url))
    const { db, close } = await openPostgres(address, 'take', () => NO_MARK)
    const large = (size: number) => new Uint8Array(size).fill(size)
    await db.batch(
      [3 * 2 ** 20, 1, 3 * 2 ** 20].map((size, i) => ({
        ...{ type: 'put', key: `k:${i}`, value: large(size) },
      })),
    )
    for (const [key, n] of [
      ['k:0', 1],
      ['k:2', 3],
    ] as const) {
      const where = `k = '${key}'::bytea and n = ${n}`
      await runSql(
        url,
        `create table if not exists ${address.schema}.kept as
        select * from ${address.schema}.kv where false`,
      )
      await runSql(
        url,
        `insert into ${address.schema}.kept select * from ${address.schema}.kv where ${where}`,
      )
      await runSql(url, `delete from ${address.schema}.kv where ${where}`)
      for (const read of [
        () => db.get(key),
        () => db.getMany(['k:1', key]),
        () => db.iterator({ gte: 'k', lt: 'l' }).all(),
        () => db.iterator({ gte: 'k', lt: 'l', reverse: true }).all(),
      ]) {
        const error = await read().then(
          () => null,
          (thrown: Error) => thrown,
        )
        expect(causeOf(error, Corruption)).not.toBeNull()
      }
      expect([...(await db.get('k:1'))!]).toEqual([1])
      await runSql(url, `insert into ${address.schema}.kv select * from ${address.schema}.kept`)
      await runSql(url, `drop table ${address.schema}.kept`)
      expect((await db.iterator({ gte: 'k', lt: 'l' }).all()).length).toBe(3)
    }
    await close()
  })

  it('[STORE-11] a connection that ends within an answer gives no rows, and the next read has another one', async () => {
    const { url, port } = postgres()
    const address = parseStoreAddress(newSchema(url))
    const { db, close } = await openPostgres(address, 'take', () => NO_MARK)
    const large = new Uint8Array(5 * 2 ** 20).fill(7)
    await db.put('k:large', large)
    const proxy = await cuttingProxy(port)
    const proxied = address.url.replace(`:${port}`, `:${proxy.port}`)
    const reader = await Reader.open({ ...address, url: proxied })
    const text = sql.copyKeys(address.schema, [Buffer.from('k:large')])
    const bytes = (await reader.copied(text)).reduce((sum, { v }) => sum + v.length, 0)
    expect(bytes).toBe(large.length + 4)
    proxy.holdAnswers(2 ** 20)
    const reading = reader.copied(text).then(
      () => null,
      (thrown: Error) => thrown,
    )
    await proxy.held()
    proxy.cut()
    expect(await reading).toBeInstanceOf(Unavailable)
    expect(await reader.copied(text)).toHaveLength(6)
    await reader.close()
    proxy.close()
    await close()
  })

  it('[NODE-5] a node opens its reading connections when it starts, as one that takes workspaces over needs them', async () => {
    const address = parseStoreAddress(newSchema(postgres().url))
    const registration = { id: 'abcdefab', url: 'http://127.0.0.1/', version: '1', owner: '' }
    const node = new NodeStore(address, registration, () => performance.now())
    await node.open()
    const count = `select count(*)::int as n from pg_stat_activity
      where application_name = 'clawlink-sync node abcdefab'`
    // Six that read, and the one that writes.
    await until('all connections are open', async () => {
      const [found] = await runSql<{ n: number }>(postgres().url, count)
      return found!.n === 7
    })
    await node.close()
  })

  it('[NODE-5] idle reading connections stay open', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const reader = await Reader.open(parseStoreAddress(newSchema(postgres().url)))
    await reader.warm()
    const pids = async (): Promise<number[]> => {
      const query = { text: 'select pg_backend_pid() as pid' }
      const asked = Array.from({ length: 6 }, () => reader.query<{ pid: number }>(query))
      return (await Promise.all(asked)).map(([row]) => row!.pid).sort()
    }
    const before = await pids()
    expect(new Set(before).size).toBe(6)
    vi.advanceTimersByTime(24 * 3_600_000)
    expect(await pids()).toEqual(before)
    await reader.close()
  })
})
