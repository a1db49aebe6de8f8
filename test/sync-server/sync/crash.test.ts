import { Level } from 'level'
import { expect, it } from 'vitest'
import * as Y from 'yjs'
import { verifyFolder } from '../../../sync-server/ops/verify/verify.ts'
import {
  liveDoc,
  orLong,
  RawClient,
  runSeed,
  seeded,
  stockClient,
  until,
} from '../../support/client.ts'
import { type Server, startServer, tempDir } from '../../support/server.ts'
import { lostSights } from '../../support/sync-server/seen-edits.ts'

const KILLS = orLong(8, 50)
const SIGHTS = orLong(4, 20)
const WRITERS = 4

it(`[DUR-4] kill -9 at ${KILLS} random moments under load loses nothing acknowledged, and nothing that anyone saw`, async () => {
  const random = seeded(runSeed('crash'))
  const data = tempDir('crash')
  const promised = new Set<string>()
  let server: Server = await startServer({ data, args: ['--log-level', 'fatal'] })
  for (let kill = 0; kill < KILLS; kill++) {
    const url = `${server.sync}/default`
    let dead = false
    const before = promised.size
    const seen: string[] = []
    const watcher = await liveDoc(url)
    watcher.doc.getArray<string>('list').observe((event) => {
      for (const { insert } of event.changes.delta) seen.push(...((insert as string[]) ?? []))
    })
    const writers = await Promise.all(Array.from({ length: WRITERS }, () => liveDoc(url)))
    for (const [w, { client, doc }] of writers.entries()) {
      const write = async (n: number): Promise<void> => {
        if (dead) return
        const entry = `${kill}.${w}.${n}`
        doc.getArray('list').push([entry])
        await client.barrier()
        promised.add(entry)
        return write(n + 1)
      }
      void write(0)
    }
    await until('a write is acknowledged', () => promised.size > before)
    await new Promise((moment) => setTimeout(moment, random() * 60))
    dead = true
    await server.kill()
    await watcher.client.closed
    for (const entry of seen) promised.add(entry)
    for (const { client } of writers) client.ws.terminate()

    server = await startServer({ data, args: ['--log-level', 'fatal'] })
    const fresh = await liveDoc(`${server.sync}/default`)
    const stored = new Set(fresh.doc.getArray<string>('list').toArray())
    expect([...promised].filter((entry) => !stored.has(entry))).toEqual([])
    expect(stored.size).toBe(fresh.doc.getArray('list').length)
    await fresh.client.close()
  }
  expect(promised.size).toBeGreaterThanOrEqual(KILLS)
  await server.stop()
})

it(`[DUR-4] kill -9 right after a second client saw an edit, ${SIGHTS} times: it is there again`, async () => {
  expect(await lostSights(tempDir('seen'), SIGHTS)).toBe(0)
})

it('[DUR-3] kill -9 while checkpoints are written loses nothing', async () => {
  const random = seeded(runSeed('crash in compaction'))
  const data = tempDir('compaction')
  let server = await startServer({ data })
  let acknowledged = 0
  const doc = new Y.Doc()
  doc.on('update', (update: Uint8Array) => updates.push(update))
  let updates: Uint8Array[] = []
  for (let round = 0; round < 4; round++) {
    const client = await RawClient.open(`${server.sync}/w`)
    client.update(Y.encodeStateAsUpdate(doc))
    updates = []
    for (let i = 0; i < 6_000; i++) doc.getText('t').insert(Math.floor(random() * i), 'abc')
    const total = doc.getText('t').length
    // One checkpoint is due every 2,000 updates; the kill comes while they are being written.
    let confirmed = acknowledged
    const kill = Math.floor(random() * 5_000) + 800
    for (const [i, update] of updates.entries()) {
      client.update(update)
      if (i === kill) break
      if (i % 100 === 0) {
        await client.barrier()
        confirmed = total - (updates.length - i - 1) * 3
      }
    }
    await server.kill()
    client.ws.terminate()
    acknowledged = confirmed
    server = await startServer({ data })
    const fresh = stockClient(server.sync, 'w')
    await fresh.synced
    expect(fresh.doc.getText('t').length).toBeGreaterThanOrEqual(acknowledged)
    fresh.close()
  }
  await server.stop()
})

/** The joined records in the store of a server that was killed (count). */
const joinedAt = async (data: string): Promise<number> => {
  const db = new Level(data)
  try {
    return (await db.keys({ gt: 'z:w:', lt: 'z:w;' }).all()).length
  } finally {
    await db.close()
  }
}

it('[DUR-9] kill -9 while records are joined loses nothing, and readers get the document of the records', async () => {
  const random = seeded(runSeed('crash in joining'))
  const data = tempDir('joining')
  let server = await startServer({ data, args: ['--log-level', 'fatal'] })
  const doc = new Y.Doc()
  let updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  // A kill right after a checkpoint leaves nothing joined; one at least must come while something is.
  let found = 0
  for (let round = 0; round < orLong(3, 20) || found === 0; round++) {
    const client = await RawClient.open(`${server.sync}/w`)
    client.update(Y.encodeStateAsUpdate(doc))
    await client.barrier()
    updates = []
    for (let i = 0; i < 9_000; i++) {
      doc.getText('t').insert(Math.floor(random() * (doc.getText('t').length + 1)), 'abc')
    }
    const kill = Math.floor(random() * 8_000) + 900
    let acknowledged = 0
    for (const [i, update] of updates.slice(0, kill).entries()) {
      client.update(update)
      if (i % 300 !== 299) continue
      await client.barrier()
      acknowledged = i + 1
    }
    await server.kill()
    client.ws.terminate()
    found += await joinedAt(data)
    expect((await verifyFolder(data)).problems).toEqual([])
    server = await startServer({ data, args: ['--log-level', 'fatal'] })
    const fresh = stockClient(server.sync, 'w')
    await fresh.synced
    const lacking = Y.encodeStateVector(fresh.doc)
    for (const update of updates.slice(0, acknowledged)) {
      expect(Y.diffUpdate(update, lacking)).toEqual(Uint8Array.of(0, 0))
    }
    fresh.close()
  }
  await server.stop()
})
