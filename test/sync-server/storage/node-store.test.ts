import type pg from 'pg'
import { expect, it } from 'vitest'
import { parseStoreAddress, type StoreAddress } from '../../../sync-server/config/store-address.ts'
import { Conflict, Fenced, Unknown } from '../../../sync-server/storage/integrity/db.ts'
import * as nodeSql from '../../../sync-server/storage/postgres/node-statements.ts'
import { NodeStore } from '../../../sync-server/storage/postgres/node-store.ts'
import { openPostgres, type Purpose } from '../../../sync-server/storage/postgres/open.ts'
import * as sql from '../../../sync-server/storage/postgres/statements.ts'
import { until } from '../../support/client.ts'
import { newSchema, onPostgres } from '../../support/postgres.ts'
import { runSql } from '../../support/sql.ts'
import { fenceRaces } from '../../support/sync-server/fence-races.ts'

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values)
const thrown = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error: unknown) => error,
  )
const NOBODY = { node: '', epoch: '0' }

/** Races between a writer and a node that fences it, and between two that claim (count). */
const RACES = 40
const CLAIMS = 200

onPostgres('nodes on PostgreSQL', (postgres) => {
  const newAddress = () => parseStoreAddress(newSchema(postgres().url))
  const nodeOf = (address: StoreAddress, id: string): NodeStore => {
    const registration = { id, url: `http://127.0.0.1/${id}`, version: '1', owner: '' }
    return new NodeStore(address, registration, () => performance.now())
  }
  const nodeOn = async (address: StoreAddress, id: string): Promise<NodeStore> => {
    const node = nodeOf(address, id)
    await node.open()
    return node
  }
  const server = (address: StoreAddress, purpose: Purpose = 'take') =>
    openPostgres(address, purpose, () => ({ read: () => null, note: () => {}, close: () => {} }))

  it('[NODE-1] a node that was fenced stores nothing, finds out, and goes on under a new epoch', async () => {
    const address = newAddress()
    const [one, other] = [await nodeOn(address, 'aaaaaaaa'), await nodeOn(address, 'bbbbbbbb')]
    const lost = new Promise<Error>((resolve) => one.watch(resolve))
    await one.claim('default', NOBODY)
    await one.db.put('k:default/1', bytes(1))
    await other.fence(one.id, one.epoch)
    for (const write of [
      one.db.put('k:default/1', bytes(2)),
      one.db.put('u:default:0000000000001', bytes(2)),
      one.db.batch([{ type: 'del', key: 'k:default/1' }]),
      one.db.clear({ gte: 'k', lt: 'l' }),
      one.claim('default', NOBODY),
      one.create('new', 9),
      one.giveUp('default'),
    ]) {
      expect(await thrown(write)).toBeInstanceOf(Fenced)
    }
    expect(await lost).toBeInstanceOf(Fenced)
    // The other one goes on, and the fenced one owns nothing any more.
    await other.db.put('k:default/2', bytes(1))
    expect(await other.rows.ownerOf('default')).toMatchObject({ node: 'aaaaaaaa', valid: false })
    const before = one.epoch
    await one.reopen()
    expect(BigInt(one.epoch)).toBeGreaterThan(BigInt(before))
    expect(await one.rows.ownerOf('default')).toMatchObject({ node: 'aaaaaaaa', valid: false })
    await one.db.put('k:default/1', bytes(3))
    await one.close()
    await other.close()
  })

  it.each(['before', 'after'])(
    '[NODE-15] a node that writes nothing finds out that its connection ended %s it watches, and can claim again',
    async (when) => {
      const id = when === 'before' ? 'dddddddd' : 'eeeeeeee'
      const one = await nodeOn(newAddress(), id)
      const watch = () => new Promise<Error>((resolve) => one.watch(resolve))
      const lost = when === 'after' ? watch() : null
      const its = `from pg_stat_activity where application_name = 'clawlink-sync node ${id}'`
      await runSql(postgres().url, `select pg_terminate_backend(pid) ${its}`)
      await until('they are gone', async () => {
        return (await runSql(postgres().url, `select pid ${its}`)).length === 0
      })
      expect(await (lost ?? watch())).toBeInstanceOf(Unknown)
      await one.reopen()
      expect(await one.claim('default', NOBODY)).toBe(true)
      await one.close()
    },
  )

  const lostRaces = async (
    change: (text: string) => string,
    races: number | 'untilLost' = RACES,
  ): Promise<number> => {
    const address = newAddress()
    const node = await nodeOn(address, 'aaaaaaaa')
    const now = async (client: pg.Client): Promise<string> => {
      const { rows } = await client.query(`select epoch from ${address.schema}.nodes`)
      return rows[0].epoch
    }
    const fence = async (client: pg.Client) =>
      client.query(nodeSql.fenceNode(address.schema), ['aaaaaaaa', await now(client)])
    const row = nodeSql.rowOf('aaaaaaaa')
    const statement = change(sql.insertNew(address.schema, row))
    const open = async () => {}
    const lost = await fenceRaces({ address, races, statement, open, begin: now, fence })
    await node.close()
    return lost
  }

  it(`[NODE-1] in ${RACES} races who fences a node reads all that was acknowledged to it`, async () => {
    expect(await lostRaces((text) => text)).toBe(0)
  })

  it('[NODE-1] the same statement without its lock loses acknowledged records', async () => {
    const unlocked = (text: string) => {
      expect(text).toContain('.nodes where id')
      expect(text).toContain(' for share)')
      return text.replace(' for share)', ')')
    }
    expect(await lostRaces(unlocked, 'untilLost')).toBeGreaterThan(0)
  })

  it(`[NODE-2] in ${CLAIMS} races of two nodes one of them gets the workspace`, async () => {
    const address = newAddress()
    const [one, other] = [await nodeOn(address, 'aaaaaaaa'), await nodeOn(address, 'bbbbbbbb')]
    const names = Array.from({ length: CLAIMS }, (_, i) => `w${i}`)
    await one.rows.addNames(names)
    let mine = 0
    for (const name of names) {
      const got = await Promise.all([one.claim(name, NOBODY), other.claim(name, NOBODY)])
      expect(got.filter((it) => it)).toEqual([true])
      const [owner] = got[0] ? [one] : [other]
      expect(await other.rows.ownerOf(name)).toMatchObject({ node: owner?.id, valid: true })
      if (got[0]) mine++
    }
    // The rows say the same, and a claim from an owner that is none any more changes nothing.
    expect((await one.rows.counts()).get('aaaaaaaa') ?? 0).toBe(mine)
    expect(await other.claim('w0', NOBODY)).toBe(false)
    await one.close()
    await other.close()
  })

  it('[NODE-2] two nodes that make one workspace get one, within the limit', async () => {
    const address = newAddress()
    const [one, other] = [await nodeOn(address, 'aaaaaaaa'), await nodeOn(address, 'bbbbbbbb')]
    const made = await Promise.all([one.create('new', 2), other.create('new', 2)])
    expect(made.toSorted()).toEqual(['exists', 'made'])
    expect(await one.create('more', 2)).toBe('full')
    expect(await one.rows.names()).toEqual(['default', 'new'])
    await one.close()
    await other.close()
  })

  it('[NODE-1] a write for a workspace that is not owned any more is not sent', async () => {
    const address = newAddress()
    const [one, other] = [await nodeOn(address, 'aaaaaaaa'), await nodeOn(address, 'bbbbbbbb')]
    await one.claim('default', NOBODY)
    const held = new Set(['default'])
    one.db.mayWrite = (workspace) => held.has(workspace)
    const early = one.db.put('k:default/1', bytes(1))
    held.delete('default')
    const late = thrown(one.db.put('k:default/1', bytes(2)))
    await thrown(early)
    await one.giveUp('default')
    expect(await late).toBeInstanceOf(Conflict)
    expect(await other.claim('default', NOBODY)).toBe(true)
    expect(await thrown(one.db.clear({ gte: 'u:default:', lt: 'u:default;' }))).toBeInstanceOf(
      Conflict,
    )
    await one.close()
    await other.close()
  })

  it('[NODE-3] a single server and the nodes of a cluster do not serve at the same time', async () => {
    const address = newAddress()
    const single = await server(address)
    single.watch(() => {})
    await single.db.put('k:default/1', bytes(1))
    expect(await thrown(nodeOn(address, 'aaaaaaaa'))).toMatchObject({ code: 'data_locked' })
    await single.close()
    const node = await nodeOn(address, 'aaaaaaaa')
    expect([...(await node.db.get('k:default/1'))!]).toEqual([1])
    node.watch(() => {})
    for (const purpose of ['take', 'takeFree', 'read'] as const) {
      expect(await thrown(server(address, purpose))).toMatchObject({ code: 'data_locked' })
    }
    await node.close()
    await (await server(address, 'read')).close()
    // A node that died without a word is fenced by the server that follows.
    const dead = await nodeOn(address, 'bbbbbbbb')
    const again = await server(address)
    expect(await thrown(dead.db.put('k:default/1', bytes(2)))).toBeInstanceOf(Fenced)
    expect(await thrown(dead.reopen())).toBeInstanceOf(Fenced)
    await again.close()
    await dead.close()
  })

  it('[NODE-3] a second process on the data folder of a node ends the first one', async () => {
    const address = newAddress()
    const one = await nodeOn(address, 'aaaaaaaa')
    const again = await nodeOn(address, 'aaaaaaaa')
    expect(await thrown(one.db.put('k:default/1', bytes(2)))).toBeInstanceOf(Fenced)
    expect(await thrown(one.reopen())).toBeInstanceOf(Fenced)
    await again.db.put('k:default/1', bytes(1))
    await one.close()
    await again.db.put('k:default/1', bytes(1))
    await again.close()
  })
})
