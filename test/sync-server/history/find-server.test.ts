import { expect, it } from 'vitest'
import { segmentsOfBlock } from '../../../sync-server/history/find/entries.ts'
import { IndexStore } from '../../../sync-server/history/find/index-store.ts'
import { placeOf } from '../../../sync-server/history/find/indexer.ts'
import { BLOCK, blockOps } from '../../../sync-server/history/find/segments.ts'
import { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'
import { broadcastsOf } from '../../../workspace/document/schema.ts'
import { registeredHere } from '../../support/agent.ts'
import { liveDoc, runSeed, seeded, until } from '../../support/client.ts'
import { fetch, type Server, startServer, tempDir } from '../../support/server.ts'
import { broadcastId } from '../../support/workspace/replicas.ts'

/** Messages that have to be archived before two blocks are indexed, and those that stay live. */
const COUNT = 2 * BLOCK + 2_100

/** Says messages number `from` to `to`; resolves when the server has stored them, or is killed. */
const say = async (server: Server, from: number, to: number): Promise<void> => {
  const { client, doc } = await liveDoc(`${server.sync}/default`)
  for (let at = from; at < to; at += 400) {
    const entries = Array.from({ length: Math.min(400, to - at) }, (_, i) => ({
      ...{ id: broadcastId(String(at + i).padStart(5, '0')), from: 'a-other' as never },
      ...{ topic: 'general', tags: [], content: `finding number${at + i} of many`, at: at + i },
    }))
    broadcastsOf(doc).push(entries)
    await client.barrier()
  }
  await client.close()
}

/** Compares the index on disk with one that is made of the archive now; returns the number of blocks. */
const checkIndex = async (data: string): Promise<number> => {
  const log = await LevelUpdateLog.open(data, () => 1)
  try {
    const place = placeOf('default', 'broadcasts')
    const blocks = await new IndexStore(log.derived).end(place)
    const expected: [string, string][] = []
    for (let block = 0; block < blocks; block++) {
      const entries = await log.archived('default', 'broadcasts', block * BLOCK, BLOCK)
      expect(entries).toHaveLength(BLOCK)
      const stored = entries.map(({ value }) => new TextDecoder().decode(value))
      const segments = segmentsOfBlock('broadcasts', stored)
      for (const op of blockOps(place, block, segments)) {
        if (op.type === 'put' && op.key !== `q:${place}`) {
          expected.push([op.key, Buffer.from(op.value).toString('hex')])
        }
      }
    }
    const found = await log.derived.db.iterator({ gt: `q:${place}:`, lt: `q:${place};` }).all()
    const shown = found.map(([key, value]) => [key, Buffer.from(value).toString('hex')])
    expect(shown).toEqual(expected.sort(([a], [b]) => (a < b ? -1 : 1)))
    return blocks
  } finally {
    await log.close()
  }
}

it('[FIND-5] kill -9 at any moment leaves the index and the archive in step; find shows what is archived', async () => {
  const random = seeded(runSeed('find kill'))
  const data = tempDir('find')
  let said = 0
  for (let round = 0; round < 3; round++) {
    const server = await startServer({ data })
    const killed = new Promise<void>((resolve) => {
      setTimeout(() => void server.kill().then(resolve), 200 + random() * 1_200)
    })
    await Promise.race([say(server, said, said + 1_200).catch(() => {}), killed])
    await killed
    said += 1_200
    await checkIndex(data)
  }
  const server = await startServer({ data })
  await say(server, said, said + COUNT)
  const ask = async (query: string) => {
    const answer = await fetch(`${server.url}/api/workspaces/default/find?${query}`)
    return (await answer.json()) as {
      data: { found: { message: { content: string } }[]; more: boolean }
    }
  }
  const newest = said + COUNT - 1
  await until('the oldest of the last messages is archived and found', async () => {
    const { data } = await ask(`query=number${said}&archived=true`)
    return data.found.length > 0
  })
  const agent = await registeredHere(server.url, 'Finder', 'alone-here')
  const found = await agent.ask<{ found: { message: { content: string } }[]; more: boolean }>(
    ...['find', `number${said}`, '--in', 'messages'],
  )
  expect(found.found.map(({ message }) => message.content)).toEqual([
    `finding number${said} of many`,
  ])
  const many = await agent.ask<{ found: { message: { content: string } }[]; more: boolean }>(
    ...['find', 'finding many', '--limit', '500'],
  )
  expect(many.more).toBe(true)
  expect(many.found[0]!.message.content).toBe(`finding number${newest} of many`)
  expect(new Set(many.found.map(({ message }) => message.content)).size).toBe(500)
  await server.stop()
  expect(await checkIndex(data)).toBeGreaterThanOrEqual(2)
})
