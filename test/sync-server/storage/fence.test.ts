import pg from 'pg'
import { expect, it } from 'vitest'
import { parseStoreAddress, type StoreAddress } from '../../../sync-server/config/store-address.ts'
import { GroupCommit } from '../../../sync-server/storage/group-commit.ts'
import { Conflict, Fenced, type Store, Unknown } from '../../../sync-server/storage/integrity/db.ts'
import { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'
import { openPostgres } from '../../../sync-server/storage/postgres/open.ts'
import * as sql from '../../../sync-server/storage/postgres/statements.ts'
import { newSchema, onPostgres } from '../../support/postgres.ts'
import { cuttingProxy } from '../../support/sync-server/cutting-proxy.ts'
import { fenceRaces } from '../../support/sync-server/fence-races.ts'

const NO_MARK = { read: () => null, note: () => {}, close: () => {} }
const bytes = (...values: number[]): Uint8Array => new Uint8Array(values)
const put = (key: string, ...values: number[]) => ({
  ...{ type: 'put' as const, key, value: bytes(...values) },
})
const open = (address: StoreAddress): Promise<Store> => openPostgres(address, 'take', () => NO_MARK)
const thrown = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error: unknown) => error,
  )

/** Races between a writer and another process that takes the database (count). */
const RACES = 40

onPostgres('the fence on PostgreSQL', (postgres) => {
  const newAddress = () => parseStoreAddress(newSchema(postgres().url))

  it('[STORE-6] after another process took the database no write of any kind is stored', async () => {
    const address = newAddress()
    const [one, other] = [await open(address), await open(address)]
    const lost = new Promise<Error>((resolve) => one.watch(resolve))
    await other.db.put('k:1', bytes(1))
    for (const write of [
      one.db.put('k:1', bytes(2)),
      one.db.put('u:w:0000000000001', bytes(2)),
      one.db.batch([put('k:2', 2), { type: 'del', key: 'k:1' }]),
      one.db.clear({ gte: 'k', lt: 'l' }),
    ]) {
      expect(await thrown(write)).toBeInstanceOf(Fenced)
    }
    // It also finds out without a write, and cannot take it back.
    expect(await lost).toBeInstanceOf(Fenced)
    expect(await thrown(one.reopen())).toBeInstanceOf(Fenced)
    expect(await other.db.keys({ gte: 'a' }).all()).toEqual(['f:', 'k:1'])
    expect([...(await other.db.get('k:1'))!]).toEqual([1])
    await one.close()
    await other.db.put('k:1', bytes(3))
    await other.close()
  })

  const lostRaces = (
    statement: (schema: string) => string,
    races: number | 'untilLost' = RACES,
  ): Promise<number> => {
    const address = newAddress()
    const take = (by: string) => (client: pg.Client) =>
      client.query(sql.take(address.schema), [by, '']).then(({ rows }) => rows[0].epoch as string)
    return fenceRaces({
      ...{ address, races, statement: statement(address.schema) },
      open: async () => (await open(address)).close(),
      begin: take('writer'),
      fence: take('taker'),
    })
  }

  it(`[STORE-6] in ${RACES} races the next owner reads all that was acknowledged to the one before`, async () => {
    expect(await lostRaces(sql.insertNew)).toBe(0)
  })

  it('[STORE-6] the same statement without its lock loses acknowledged records', async () => {
    const unlocked = (schema: string) => {
      const text = sql.insertNew(schema)
      expect(text).toContain(' for share)')
      return text.replace(' for share)', ')')
    }
    expect(await lostRaces(unlocked, 'untilLost')).toBeGreaterThan(0)
  })

  it('[STORE-7] a write whose answer is lost is Unknown, and stored or not once the store was opened again', async () => {
    for (const arrives of [true, false]) {
      const proxy = await cuttingProxy(postgres().port)
      const address = parseStoreAddress(
        newSchema(postgres().url.replace(`:${postgres().port}`, `:${proxy.port}`)),
      )
      const store = await open(address)
      await store.db.put('k:1', bytes(1))
      if (arrives) proxy.holdAnswers()
      else proxy.holdRequests()
      const writing = thrown(store.db.put('k:2', bytes(2)))
      await proxy.held()
      proxy.cut()
      expect(await writing).toBeInstanceOf(Unknown)
      // Nothing more is stored over that connection, and nothing is acknowledged.
      expect(await thrown(store.db.put('k:3', bytes(3)))).toBeInstanceOf(Error)
      await store.reopen()
      expect(await store.db.keys({ gte: 'k' }).all()).toEqual(arrives ? ['k:1', 'k:2'] : ['k:1'])
      await store.db.put('k:4', bytes(4))
      await store.close()
      proxy.close()
    }
  })

  it('[STORE-7] a success with a warning, as of a commit that no standby has, is Unknown', async () => {
    const address = newAddress()
    const store = await open(address)
    const admin = new pg.Client(address.url)
    await admin.connect()
    const { schema } = address
    await admin.query(`create function ${schema}.warn() returns trigger language plpgsql as
      $$ begin raise warning 'canceling wait for synchronous replication'; return new; end $$`)
    await admin.query(
      `create trigger warn before insert on ${schema}.kv for each row execute function ${schema}.warn()`,
    )
    expect(await thrown(store.db.put('k:1', bytes(1)))).toBeInstanceOf(Unknown)
    await admin.query(`drop trigger warn on ${schema}.kv`)
    await admin.end()
    await store.reopen()
    expect(await store.db.keys({ gte: 'k' }).all()).toEqual(['k:1'])
    await store.close()
  })

  it('[STORE-7] a database that does not answer is noticed without a write', async () => {
    const proxy = await cuttingProxy(postgres().port)
    const url = newSchema(postgres().url.replace(`:${postgres().port}`, `:${proxy.port}`))
    const store = await open(parseStoreAddress(url))
    const lost = new Promise<Error>((resolve) => store.watch(resolve))
    proxy.holdAnswers()
    expect(await lost).toBeInstanceOf(Unknown)
    proxy.cut()
    await store.reopen()
    await store.db.put('k:1', bytes(1))
    await store.close()
    proxy.close()
  })

  it('[STORE-8] a record that another process wrote fails the write of its workspace, and no other', async () => {
    const address = newAddress()
    const store = await open(address)
    const failures: Error[] = []
    const commits = new GroupCommit(store, (error) => failures.push(error))
    await commits.put([put('u:a:0000000000002', 9)])
    const all = ['0', 'a:0000000000001', 'a:0000000000002', 'a:0000000000003', 'b:0000000000001']
    const done = await Promise.all(
      all.map((key) => thrown(commits.put([put(`${key === '0' ? 'k' : 'u'}:${key}`, 1)]))),
    )
    // What follows on the refused record is refused, too.
    expect(done.map((error) => error instanceof Conflict)).toEqual([
      false,
      false,
      true,
      true,
      false,
    ])
    expect(failures).toEqual([])
    expect([...(await store.db.get('u:a:0000000000002'))!]).toEqual([9])
    expect(await store.db.get('u:a:0000000000003')).toBeUndefined()
    await store.close()
  })

  it('[STORE-8] the log reads such a workspace again, and serves the others', async () => {
    const address = newAddress()
    const store = await open(address)
    const log = await LevelUpdateLog.on(store, Date.now)
    await log.append('a', [bytes(1)])
    await log.append('b', [bytes(1)])
    const other = await LevelUpdateLog.on(store, Date.now)
    expect(await other.append('a', [bytes(2)])).toBe(2)
    const done = await Promise.all([
      thrown(log.append('a', [bytes(3)])),
      thrown(log.append('b', [bytes(2)])),
    ])
    expect([done[0] instanceof Conflict, done[1]]).toEqual([true, null])
    expect(log.failure).toBeNull()
    expect(await log.append('a', [bytes(3)])).toBe(3)
    expect((await log.load('a')).tail.map(([value]) => value)).toEqual([1, 2, 3])
    await log.close()
  })
})
