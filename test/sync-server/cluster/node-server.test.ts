import { join } from 'node:path'
import pg from 'pg'
import { expect, it } from 'vitest'
import { parseStoreAddress } from '../../../sync-server/config/store-address.ts'
import { NodeStore } from '../../../sync-server/storage/postgres/node-store.ts'
import { ask, invite, member } from '../../support/auth/members.ts'
import { blobFiles, getBytes, head, putBytes, someBytes } from '../../support/blobs.ts'
import { liveDoc, RawClient, stockClient, until } from '../../support/client.ts'
import { startNode, startTwo } from '../../support/cluster/servers.ts'
import { syncHere, syncJsonHere } from '../../support/ops/commands.ts'
import { newSchema, onPostgres } from '../../support/postgres.ts'
import { makeWorkspaces, type Server, startServer, tempDir } from '../../support/server.ts'
import { runSql } from '../../support/sql.ts'

/** The texts of a workspace's list, as a stock client of that node reads them. */
const listAt = async (server: Server): Promise<unknown[]> => {
  const reader = stockClient(server.sync)
  await reader.synced
  const list = reader.doc.getArray('list').toArray()
  reader.close()
  return list
}

onPostgres('nodes with servers', (postgres) => {
  /** The node that owns a workspace, by the number of its port; null: nobody. */
  const ownerOf = async (store: string, workspace = 'default'): Promise<number | null> => {
    const { url, schema } = parseStoreAddress(store)
    const client = new pg.Client(url)
    await client.connect()
    const { rows } = await client.query(
      `select n.url from ${schema}.workspaces w join ${schema}.nodes n on n.id = w.node and n.epoch = w.epoch
       where w.name = $1`,
      [workspace],
    )
    await client.end()
    return rows[0] === undefined ? null : Number(new URL(rows[0].url).port)
  }

  it('[NODE-2] [NODE-9] a node claims a workspace on first use, and any node serves its members', async () => {
    const store = newSchema(postgres().url)
    const [one, other] = await startTwo(store)
    expect(await ownerOf(store)).toBe(null)
    const { client, doc } = await liveDoc(`${one.sync}/default`)
    doc.getArray('list').push([1])
    await client.barrier()
    expect(await ownerOf(store)).toBe(one.port)
    expect(await listAt(other)).toEqual([1])
    // Invited at one node, joined at the other, connected to either.
    const secret = await invite(one, { uses: null })
    const joining = { invite: secret, agent_id: 'a-ann0000000001' }
    const joined = await ask<{ credential: string }>(other, '/api/join', joining)
    expect(joined.status).toBe(200)
    const headers = { authorization: `Bearer ${joined.data.credential}` }
    for (const { sync } of [one, other]) {
      const raw = await RawClient.open(`${sync}/default`, headers)
      await raw.barrier()
      await raw.close()
    }
    // Made at the other one, it is that one's.
    await ask(other, '/api/admin/add', { workspace: 'docs' })
    expect(await ownerOf(store, 'docs')).toBe(other.port)
    await member(one, 'a-bob0000000001', 'write', 'docs')
    const { data } = await ask<{ workspaces: object[] }>(one, '/api/admin/workspaces')
    expect(data.workspaces).toEqual([
      { workspace: 'default', agents: 1 },
      { workspace: 'docs', agents: 1 },
    ])
    await client.close()
    expect([await one.stop(), await other.stop()]).toEqual([0, 0])
    expect([await ownerOf(store), await ownerOf(store, 'docs')]).toEqual([null, null])
  })

  it('[NODE-1] a fenced node closes its connections with 4307, and goes on as a node', async () => {
    const store = newSchema(postgres().url)
    const [one, other] = await startTwo(store)
    const { client, doc } = await liveDoc(`${one.sync}/default`)
    doc.getArray('list').push([1])
    await client.barrier()
    const { url, schema } = parseStoreAddress(store)
    const admin = new pg.Client(url)
    await admin.connect()
    await admin.query(
      `update ${schema}.nodes set epoch = epoch + 1, is_up = false where url = $1`,
      [`http://127.0.0.1:${one.port}`],
    )
    doc.getArray('list').push([2])
    expect(await client.closed).toBe(4307)
    expect(await listAt(other)).toEqual([1])
    expect([one.port, other.port]).toContain(await ownerOf(store))
    // It serves what nobody has, and leads to the owner.
    await until('it is back', async () => (await fetch(`${one.url}/health`)).status === 200)
    expect(await listAt(one)).toEqual([1])
    await ask(one, '/api/admin/add', { workspace: 'docs' })
    expect(await ownerOf(store, 'docs')).toBe(one.port)
    await admin.end()
    await one.stop()
    await other.stop()
  })

  it('[NODE-15] a node whose connection ends while it starts claims workspaces all the same', async () => {
    const store = newSchema(postgres().url)
    // The new node waits for this one, which gives no signs of life, until it gives up on that.
    const registration = { id: 'bbbbbbbb', url: 'http://127.0.0.1:9', version: '1', owner: '' }
    const address = parseStoreAddress(store)
    const silent = new NodeStore(address, registration, () => performance.now())
    await silent.open()
    const starting = startNode(store)
    const { url, schema } = address
    // Of its connections the first one writes.
    const writer = `select pid from pg_stat_activity join ${schema}.beats
      on application_name = 'clawlink-sync node ' || id and id <> 'bbbbbbbb' and n >= 2
      order by backend_start limit 1`
    await until(
      'it is cut',
      async () => {
        const cut = `select pg_terminate_backend(pid) from (${writer}) writer`
        return (await runSql(url, cut)).length > 0
      },
      60_000,
    )
    const node = await starting
    await until(
      'it claims',
      async () => (await ask(node, '/api/workspaces/default/log')).status === 200,
    )
    expect(await ownerOf(store)).toBe(node.port)
    await node.stop()
    await silent.close()
  })

  it('[NODE-5] after kill -9 of the owner the other node has all that was acknowledged', async () => {
    const store = newSchema(postgres().url)
    const [one, other] = await startTwo(store)
    const { client, doc } = await liveDoc(`${one.sync}/default`)
    const reader = stockClient(other.sync)
    await reader.synced
    for (let n = 1; n <= 20; n++) {
      doc.getArray('list').push([n])
      await client.barrier()
    }
    await one.kill()
    const killed = performance.now()
    const writer = await liveDoc(`${other.sync}/default`)
    writer.doc.getArray('list').push([21])
    await writer.client.barrier()
    // node-holdings.test.ts shows that nobody waits for silence: it controls the clock.
    console.log(`served again ${Math.round(performance.now() - killed)} ms after kill -9`)
    const list = Array.from({ length: 21 }, (_, i) => i + 1)
    await until('the reader has it', () => reader.doc.getArray('list').length === 21)
    expect(reader.doc.getArray('list').toArray()).toEqual(list)
    reader.close()
    await other.stop()
  })

  it('[NODE-12] drain: each client is closed with 4307 and back at once; SIGTERM does the same', async () => {
    const store = newSchema(postgres().url)
    const data = tempDir('drained')
    // Whoever waits for a heartbeat waits for longer than this test may take.
    const args = ['--heartbeat', '99']
    const [one, other] = [
      await startNode(store, data, args),
      await startNode(store, undefined, args),
    ]
    const names = Array.from({ length: 6 }, (_, n) => `w${n}`)
    await makeWorkspaces(one.url, ...names)
    const clients = await Promise.all(
      names.map(async (name) => {
        const { client, doc } = await liveDoc(`${one.sync}/${name}`)
        doc.getArray('list').push([name])
        await client.barrier()
        return { name, client }
      }),
    )
    for (const name of names) expect(await ownerOf(store, name)).toBe(one.port)
    await until('they see each other', async () => {
      const { stdout } = await syncHere('nodes', '--data', data)
      return stdout.match(/ up /g)?.length === 2
    })
    const back = clients.map(async ({ name, client }) => {
      expect(await client.closed).toBe(4307)
      const since = performance.now()
      const again = await RawClient.open(`${one.sync}/${name}`)
      await again.barrier()
      return { ms: performance.now() - since, again }
    })
    const drained = await syncJsonHere<object>('drain', '--data', data)
    expect(drained).toEqual({ given_up: 6, kept: 0 })
    const times = await Promise.all(back)
    console.log(`back after ${times.map(({ ms }) => Math.round(ms)).join(', ')} ms`)
    for (const name of names) expect(await ownerOf(store, name)).toBe(other.port)
    // The other one is stopped as planned: there is nobody but the one that was drained.
    expect(await other.stop()).toBe(0)
    expect(await Promise.all(times.map(({ again }) => again.closed))).toEqual(names.map(() => 4307))
    const last = await RawClient.open(`${one.sync}/w0`)
    await last.barrier()
    expect(await ownerOf(store, 'w0')).toBe(one.port)
    await last.close()
    expect(await one.stop()).toBe(0)
  }, 90_000)

  it('[NODE-6] a node that was stopped reads nothing and stores nothing when it goes on', async () => {
    const store = newSchema(postgres().url)
    const [one, other] = await startTwo(store)
    const { client, doc } = await liveDoc(`${one.sync}/default`)
    doc.getArray('list').push([1])
    await client.barrier()
    one.process.kill('SIGSTOP')
    // It takes these once it goes on.
    doc.getArray('list').push([2])
    const late = client.barrier().then(() => 'acknowledged')
    const before = client.messages.length
    client.subscribe()
    await until('the other one has it', async () => (await ownerOf(store)) === null)
    const writer = await liveDoc(`${other.sync}/default`)
    writer.doc.getArray('list').push([3])
    await writer.client.barrier()
    one.process.kill('SIGCONT')
    const code = await Promise.race([client.closed, late])
    expect([4307, 4503]).toContain(code)
    expect(client.messages.length).toBe(before)
    expect(await listAt(other)).toEqual([1, 3])
    await until('it is back', async () => (await fetch(`${one.url}/health`)).status === 200)
    expect(await listAt(one)).toEqual([1, 3])
    await one.stop()
    await other.stop()
  })

  it('[NODE-10] an upload that was cut by kill -9 goes on at the next owner', async () => {
    const store = newSchema(postgres().url)
    const [one, other] = await startTwo(store)
    const blob = someBytes(1_500_000)
    const begun = await putBytes(one, blob, 0, blob.bytes.subarray(0, 1_000_000))
    expect(begun).toMatchObject({ offset: 1_000_000, complete: false })
    expect(await head(other, blob)).toEqual({ status: 404, offset: 1_000_000 })
    await one.kill()
    await until('the other one has it', async () => (await head(other, blob)).offset === 1_000_000)
    expect(await putBytes(other, blob, 1_000_000)).toMatchObject({ status: 201, complete: true })
    expect((await getBytes(other, blob.sha256)).equals(blob.bytes)).toBe(true)
    await other.stop()
  })

  it('[NODE-3] [NODE-9] a single server becomes a node with all its members, and one again', async () => {
    const store = newSchema(postgres().url)
    const single = await startServer({ args: ['--store', store, '--no-mdns'] })
    const ann = await member(single, 'a-ann0000000001')
    const bob = await member(single, 'a-bob0000000001', 'write', 'docs')
    const secret = await invite(single, { workspace: 'docs', uses: null })
    const { data: proved } = await ask<{ server: { id: string } }>(
      single,
      `/api/prove?nonce=${NONCE}`,
    )
    const blob = someBytes(300_000)
    expect(await putBytes(single, blob)).toMatchObject({ status: 201, complete: true })
    expect(await single.stop()).toBe(0)
    const one = await startNode(store, single.data)
    const other = await startNode(store)
    for (const node of [one, other]) {
      expect((await getBytes(node, blob.sha256)).equals(blob.bytes)).toBe(true)
    }
    expect(blobFiles(one.data)).toEqual([])
    for (const [{ headers }, name] of [
      [ann, 'default'],
      [bob, 'docs'],
    ] as const) {
      const raw = await RawClient.open(`${other.sync}/${name}`, headers)
      await raw.barrier()
      await raw.close()
    }
    const joining = { invite: secret, agent_id: 'a-eve0000000001' }
    const joined = await ask<{ credential: string }>(one, '/api/join', joining)
    expect(joined.status).toBe(200)
    const { data: server } = await ask<typeof proved>(other, `/api/prove?nonce=${NONCE}`)
    expect(server.server.id).toBe(proved.server.id)
    await expect(startServer({ args: ['--store', store, '--no-mdns'] })).rejects.toThrow(
      'is in use by a node of a cluster',
    )
    await one.stop()
    await other.stop()
    // Offline, any node's folder leads to the whole; a backup is one of the whole cluster.
    const dir = tempDir('backup')
    expect((await syncHere('verify', '--data', other.data)).stdout).toContain('all well')
    await syncJsonHere('backup', join(dir, 'all'), '--data', other.data)
    await syncJsonHere('restore', join(dir, 'all'), '--data', join(dir, 'level'))
    const onLevel = await startServer({ data: join(dir, 'level'), args: ['--no-mdns'] })
    expect((await getBytes(onLevel, blob.sha256)).equals(blob.bytes)).toBe(true)
    await onLevel.stop()
    const again = await startServer({ data: single.data, args: ['--no-mdns'] })
    const eve = { authorization: `Bearer ${joined.data.credential}` }
    const raw = await RawClient.open(`${again.sync}/docs`, eve)
    await raw.barrier()
    await raw.close()
    expect((await getBytes(again, blob.sha256)).equals(blob.bytes)).toBe(true)
    await again.stop()
  })
})

const NONCE = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAA'
