import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import * as Y from 'yjs'
import { invite, member } from '../../support/auth/members.ts'
import { blobFiles } from '../../support/blobs.ts'
import { liveDoc, RawClient, stockClient, until, untilDoc } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { place, sync, syncHere, syncJsonHere } from '../../support/ops/commands.ts'
import { LIVE_ARGS, liveIn } from '../../support/ops/lived-in.ts'
import { newSchema, onPostgres } from '../../support/postgres.ts'
import { fetch, type ServerAt, startServer, tempDir } from '../../support/server.ts'
import { runSql } from '../../support/sql.ts'

const update = (n: number): Uint8Array => {
  const doc = new Y.Doc()
  doc.getArray('list').push([n])
  return Y.encodeStateAsUpdate(doc)
}
const listIn = async (server: ServerAt): Promise<number[]> => {
  const reader = stockClient(server.sync)
  await reader.synced
  const list = reader.doc.getArray<number>('list').toArray()
  reader.close()
  return list
}

onPostgres('a server on PostgreSQL', (postgres) => {
  const start = (url: string, more: readonly string[] = [], data = tempDir('data')) =>
    startServer({ data, args: ['--store', url, ...more] })

  it('[DUR-4] has everything acknowledged after kill -9, and needs no flag the second time', async () => {
    const url = newSchema(postgres().url)
    const server = await start(url)
    const { client, doc } = await liveDoc(`${server.sync}/default`)
    for (let i = 0; i < 50; i++) doc.getArray('list').push([i])
    await client.barrier()
    await server.kill()
    expect(readFileSync(join(server.data, 'store.json'), 'utf8')).toContain(url.split('/').at(-1))
    const again = await startServer({ data: server.data })
    expect(await listIn(again)).toEqual(Array.from({ length: 50 }, (_, i) => i))
    expect(await again.stop()).toBe(0)
    const { code, stderr } = await sync('agents', '--data', server.data)
    expect([code, stderr]).toEqual([0, expect.stringContaining('nobody has joined')])
  })

  it('[STORE-9] a second server takes the database; the first ends with one line, and loses nothing', async () => {
    const url = newSchema(postgres().url)
    const first = await start(url, ['--log-level', 'error'])
    const { client, doc } = await liveDoc(`${first.sync}/default`)
    let acknowledged = 0
    let isOver = false
    void client.closed.then(() => {
      isOver = true
    })
    const writing = (async () => {
      for (let n = 1; !isOver; n++) {
        doc.getArray('list').push([n])
        await Promise.race([client.barrier(), client.closed])
        if (!isOver) acknowledged = n
      }
    })()
    await until('it writes', () => acknowledged > 20)
    const exit = once(first.process, 'exit')
    const second = await start(url)
    expect((await exit)[0]).toBe(4)
    await writing
    expect(first.log()).toBe(
      'error: another server has taken the database, and this one ends — ' +
        'run one server per database, or give this one another schema with --store\n',
    )
    const list = await listIn(second)
    expect(list.slice(0, acknowledged)).toEqual(
      Array.from({ length: acknowledged }, (_, i) => i + 1),
    )
    await second.stop()
  })

  it('[STORE-10] commands ask the running server, and take a database only from one that is dead', async () => {
    const url = newSchema(postgres().url)
    const server = await start(url)
    const elsewhere = tempDir('elsewhere')
    for (const args of [['invite'], ['repair'], ['verify']]) {
      const { code, stderr } = await syncHere(...args, '--data', elsewhere, '--store', url)
      expect([args[0], code, stderr]).toEqual([args[0], 4, expect.stringContaining('is in use by')])
    }
    expect(await syncJsonHere<object>('invite', '--data', server.data)).toHaveProperty('link')
    expect((await syncHere('verify', '--data', server.data)).stdout).toContain('all well')
    expect((await syncHere('doctor', '--data', server.data)).stdout).toMatch(
      /ok +database: PostgreSQL/,
    )
    expect((await fetch(`${server.url}/health`)).status).toBe(200)
    await server.kill()
    const { code } = await syncHere('invite', '--data', elsewhere, '--store', url)
    expect(code).toBe(0)
  })

  it('[STORE-11] while PostgreSQL is away nothing is acknowledged; when it is back the server goes on', async () => {
    const url = newSchema(postgres().url)
    const server = await start(url)
    const client = stockClient(server.sync)
    await client.synced
    const raw = await RawClient.open(`${server.sync}/default`)
    raw.update(update(1))
    await raw.barrier()
    await postgres().kill()
    raw.update(update(2))
    expect(await raw.closed).toBe(4503)
    await until('it is unwell', async () => (await fetch(`${server.url}/health`)).status === 503)
    const refused = await fetch(`${server.url}/api/admin/add`, {
      ...{ method: 'POST', body: JSON.stringify({ workspace: 'no' }) },
    })
    const { error } = (await refused.json()) as { error: { code: string } }
    expect([refused.status, error.code]).toEqual([503, 'storage_failed'])
    await postgres().restart()
    await until('it is well', async () => (await fetch(`${server.url}/health`)).status === 200)
    client.doc.getArray('list').push([3])
    const again = await RawClient.open(`${server.sync}/default`)
    const seen = new Y.Doc()
    again.onUpdate = (one) => Y.applyUpdate(seen, one)
    again.subscribe()
    const list = () => seen.getArray<number>('list').toArray()
    await untilDoc(seen, () => list().includes(3))
    expect(list()).toContain(1)
    client.close()
    await server.stop()
  })

  it('[STORE-13] a connection that ends while nobody writes is told in /health and the log, and made anew', async () => {
    const url = newSchema(postgres().url)
    const schema = url.split('=').at(-1)!
    const server = await startHere({ args: ['--store', url] })
    const raw = await RawClient.open(`${server.sync}/default`)
    raw.update(update(1))
    await raw.barrier()
    // From another database, since nobody can connect to this one meanwhile.
    const elsewhere = postgres().url.replace(/postgres$/, 'template1')
    await runSql(elsewhere, 'alter database postgres allow_connections false')
    try {
      const ended = await runSql(
        elsewhere,
        `select pg_terminate_backend(pid) from pg_stat_activity
         where query like '%insert into ${schema}.kv%' and pid <> pg_backend_pid()`,
      )
      expect(ended.length).toBe(1)
      expect(await raw.closed).toBe(4503)
      const health = await fetch(`${server.url}/health`)
      expect(health.status).toBe(503)
      expect(await health.text()).toContain('the connection to the database ended: terminating')
      expect(server.log()).toContain('the store failed; nothing is accepted until it works again')
    } finally {
      await runSql(elsewhere, 'alter database postgres allow_connections true')
    }
    await until('it is well', async () => (await fetch(`${server.url}/health`)).status === 200)
    expect(server.log()).toContain('the store works again')
    const again = await RawClient.open(`${server.sync}/default`)
    again.update(update(2))
    await again.barrier()
    expect((await listIn(server)).sort()).toEqual([1, 2])
    await again.close()
    await server.stop()
  })

  it('[STORE-12] moves from LevelDB to PostgreSQL and back, with links, credentials, history and blobs', async () => {
    const from = await startHere({ args: LIVE_ARGS })
    const { blob } = await liveIn(from)
    const ann = await member(from, 'ann')
    const open = await invite(from, { uses: 2 })
    const versions = async (at: ServerAt): Promise<unknown> => {
      const asked = await fetch(`${at.url}/api/workspaces/default/files/log?key=notes/plan.md`)
      return ((await asked.json()) as { data: unknown }).data
    }
    const history = await versions(from)
    expect(history).toHaveProperty('versions')
    const move = async (at: ServerAt, ...store: string[]): Promise<ServerAt> => {
      const [dir, data] = [place('backup'), place('moved')]
      expect(await at.stop()).toBe(0)
      await syncJsonHere('backup', dir, '--data', at.data)
      await syncJsonHere('restore', dir, '--data', data, ...store)
      expect((await syncHere('verify', '--data', data)).stdout).toContain('all well')
      const moved = await startHere({ data, args: LIVE_ARGS })
      expect(await versions(moved)).toEqual(history)
      const found = await fetch(`${moved.url}/api/workspaces/default/blobs/${blob}`)
      expect((await found.arrayBuffer()).byteLength).toBe(5_000)
      expect(blobFiles(data)).toEqual(blobFiles(at.data))
      const asAnn = await RawClient.open(`${moved.sync}/default`, ann.headers)
      await asAnn.barrier()
      await asAnn.close()
      return moved
    }
    const url = newSchema(postgres().url)
    const onPostgres = await move(from, '--store', url)
    expect(onPostgres.data).not.toBe(from.data)
    const twice = await syncHere('restore', place('no'), '--data', place('no'), '--store', url)
    expect(twice.code).toBe(4)
    const back = await move(onPostgres)
    const answer = await globalThis.fetch(`${back.url}/api/join`, {
      method: 'POST',
      body: JSON.stringify({ invite: open, agent_id: 'a-late000000001' }),
    })
    expect(answer.status).toBe(200)
    await back.stop()
  })
})
