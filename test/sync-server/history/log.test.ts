import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { AgentId, BroadcastId } from '../../../protocol/ids.ts'
import { registerAgent } from '../../../workspace/agents/agents.ts'
import {
  type BroadcastEntry,
  broadcastsOf,
  initWorkspace,
  metaOf,
} from '../../../workspace/document/schema.ts'
import { addBroadcast } from '../../../workspace/messages/broadcasts.ts'
import { liveDoc, orLong, runSeed, seeded, until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { putIn } from '../../support/poison.ts'
import { fetch, makeWorkspaces, type ServerAt, startServer, tempDir } from '../../support/server.ts'
import {
  type Archived,
  type Logged,
  readArchive,
  walkLog,
} from '../../support/sync-server/history.ts'

const broadcast = (id: string, more: Partial<BroadcastEntry> = {}) =>
  ({ id, from: 'a-1', topic: 't', tags: [], content: '', at: 1, ...more }) as BroadcastEntry
const say = (doc: Y.Doc, ...ids: string[]): void =>
  broadcastsOf(doc).push(ids.map((id) => broadcast(id)))
const numbered = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `m-${from + i}`)
const ids = (doc: Y.Doc) => broadcastsOf(doc).map(({ id }) => id as string)
const sorted = (list: readonly string[]) => [...list].sort()
/** By an agent, as its clock shows it. */
const tell = (doc: Y.Doc, id: string, now: number) =>
  addBroadcast(doc, {
    ...{ id: id as BroadcastId, from: 'a-1' as AgentId, content: 'learned', topic: '', tags: [] },
    now,
  })

let server: ServerAt
beforeAll(async () => {
  server = await startHere({ args: ['--log-level', 'error'] })
})
afterAll(async () => {
  expect(server.log()).toBe('')
  await server.stop()
})
const api = (workspace: string) => `${server.url}/api/workspaces/${workspace}`
const ask = async (workspace: string, query: string) => {
  const answer = await fetch(`${api(workspace)}/log?${query}`)
  return { status: answer.status, ...((await answer.json()) as Logged) }
}

describe('Trimming', () => {
  it('[LOG-2] under concurrent writers every broadcast is in the archive or live, exactly once', async () => {
    const random = seeded(runSeed('trim'))
    const writers = await Promise.all(
      Array.from({ length: 4 }, () => liveDoc(`${server.sync}/writers`)),
    )
    const said: string[] = []
    const write = async (w: number): Promise<void> => {
      const { client, doc } = writers[w]!
      for (let left = orLong(1_200, 2_500); left > 0; ) {
        const burst = Math.min(left, 1 + Math.floor(random() * 120))
        left -= burst
        doc.transact(() => {
          for (let i = 0; i < burst; i++) {
            const id = `m-${w}.${left + i}`
            said.push(id)
            // Anywhere: what was written apart merges in before what others wrote.
            const place = Math.floor(random() * (broadcastsOf(doc).length + 1))
            if (random() < 0.9) say(doc, id)
            else broadcastsOf(doc).insert(place, [broadcast(id)])
          }
        })
        if (random() < 0.3) await client.barrier()
      }
      await client.barrier()
    }
    await Promise.all(writers.map((_, w) => write(w)))
    const { client, doc } = writers[0]!
    await until('the array is short', () => broadcastsOf(doc).length <= 2_000)
    await client.barrier()
    const archived = await readArchive(server.url, 'writers')
    expect(archived.map(({ seq }) => seq)).toEqual(archived.map((_, i) => i + 1))
    expect(archived.length).toBeGreaterThanOrEqual(said.length - 2_000)
    expect(metaOf(doc).get('archivedBroadcasts')).toBe(archived.length)
    const kept = [...archived.map(({ entry }) => entry.id as string), ...ids(doc)]
    expect(sorted(kept)).toEqual(sorted(said))
    expect(new Set(archived.map(({ client, clock }) => `${client}.${clock}`)).size).toBe(
      archived.length,
    )
    for (const writer of writers) await writer.client.close()
  })

  it('[LOG-6] of what writers who take turns said, a few places are left', async () => {
    const writers = await Promise.all(
      Array.from({ length: 8 }, () => liveDoc(`${server.sync}/turns`)),
    )
    const said: string[] = []
    for (let turn = 0; turn < orLong(400, 800); turn++) {
      for (const [w, { doc }] of writers.entries()) {
        const id = `m-${turn}.${w}`
        said.push(id)
        tell(doc, id, Date.now())
      }
      if (turn % 10 === 0) await Promise.all(writers.map(({ client }) => client.barrier()))
    }
    await Promise.all(writers.map(({ client }) => client.barrier()))
    const { client, doc } = await liveDoc(`${server.sync}/turns`)
    await until('the array is short', () => broadcastsOf(doc).length <= 2_000)
    const kept = (await readArchive(server.url, 'turns')).map(({ entry }) => entry.id as string)
    expect(sorted([...kept, ...ids(doc)])).toEqual(sorted(said))
    let places = 0
    for (let item = broadcastsOf(doc)._start; item !== null; item = item.right) places++
    expect(places).toBeLessThan(200)
    for (const one of [client, ...writers.map(({ client }) => client)]) await one.close()
  })

  it('[LOG-2] what a peer wrote in a wrong shape is trimmed too, and never shown', async () => {
    // As an older server let it in.
    const older = new Y.Doc()
    older.clientID = 1 // what was said at one time is in the order of these
    initWorkspace(older, 'odd', 1)
    let deep: unknown = 'x'
    for (let i = 0; i < 4_000; i++) deep = [deep]
    const odd = [
      null,
      7,
      { n: 10n },
      { id: 'm-half' },
      new Y.Map([['a', 1]]),
      new Uint8Array(3),
      deep,
    ]
    const old = older.getArray<unknown>('broadcasts')
    old.push(odd)
    old.push([broadcast('no id'), { ...broadcast('m-deep'), deep }])
    old.push([broadcast('m-nan', { at: Number.NaN })])
    const data = tempDir('odd')
    await putIn(data, 'odd', [Y.encodeStateAsUpdate(older)])
    const server = await startServer({ data, args: ['--log-level', 'error'] })
    const { client, doc } = await liveDoc(`${server.sync}/odd`)
    const array = broadcastsOf(doc)
    say(doc, ...numbered(0, 2_500))
    await client.barrier()
    await until('it is trimmed', () => array.length <= 2_000)
    const archived = await readArchive(server.url, 'odd')
    expect(archived.slice(0, 3).map(({ seq, entry }) => [seq, entry.id])).toEqual([
      [odd.length + 4, 'm-0'],
      [odd.length + 5, 'm-1'],
      [odd.length + 6, 'm-2'],
    ])
    expect(metaOf(doc).get('archivedBroadcasts')).toBe(archived.at(-1)!.seq)
    const log = await walkLog(server.url, 'odd', 'since=1970-01-01&limit=499')
    expect(log).toEqual(numbered(0, 2_500))
    expect(server.log()).toBe('')
    await client.close()
    await server.stop()
  })

  it('[LOG-3] who was offline over trims finds what it missed in the archive, by client and clock', async () => {
    const a = await liveDoc(`${server.sync}/offline`)
    const b = await liveDoc(`${server.sync}/offline`)
    say(a.doc, ...numbered(0, 700))
    await a.client.barrier()
    await until('b has it', () => broadcastsOf(b.doc).length === 700)
    await b.client.close()
    const cursor = Y.decodeStateVector(Y.encodeStateVector(b.doc))
    say(b.doc, 'm-own')
    for (let i = 700; i < 4_000; i += 300) say(a.doc, ...numbered(i, i + 300))
    await a.client.barrier()
    await until('it is trimmed', () => broadcastsOf(a.doc).length <= 2_000)

    const own = b.doc.clientID
    const back = await liveDoc(`${server.sync}/offline`, b.doc)
    const fresh = ({ client, clock }: Archived) =>
      client !== own && clock >= (cursor.get(client) ?? 0)
    const missed = (await readArchive(server.url, 'offline')).filter(fresh)
    const live = ids(b.doc).filter((id) => id !== 'm-own')
    expect([...missed.map(({ entry }) => entry.id as string), ...live]).toEqual(
      numbered(700, 4_000),
    )
    expect(ids(b.doc)).toContain('m-own')
    await a.client.close()
    await back.client.close()
  })

  const KILLS = orLong(3, 15)

  it(`[LOG-1] kill -9 during ${KILLS} trims loses nothing and doubles nothing`, async () => {
    const random = seeded(runSeed('kill in trim'))
    const data = tempDir('trim')
    const said = new Set<string>()
    let mine = await startServer({ data, args: ['--log-level', 'fatal'] })
    for (let kill = 0; kill < KILLS; kill++) {
      const { client, doc } = await liveDoc(`${mine.sync}/w`)
      let dead = false
      let confirmed = 0
      const write = async (n: number): Promise<void> => {
        if (dead) return
        const burst = Array.from({ length: 700 }, (_, i) => `m-${kill}.${n}.${i}`)
        say(doc, ...burst)
        await client.barrier()
        confirmed++
        for (const id of burst) said.add(id)
        return write(n + 1)
      }
      void write(0)
      const enough = 1 + Math.floor(random() * 4)
      await until('some of it is confirmed', () => confirmed >= enough)
      await new Promise((moment) => setTimeout(moment, random() * 20))
      dead = true
      await mine.kill()
      client.ws.terminate()
      mine = await startServer({ data, args: ['--log-level', 'fatal'] })
      const fresh = await liveDoc(`${mine.sync}/w`)
      const archived = await readArchive(mine.url, 'w')
      const kept = [...archived.map(({ entry }) => entry.id as string), ...ids(fresh.doc)]
      expect(new Set(kept).size).toBe(kept.length)
      const stored = new Set(kept)
      expect([...said].filter((id) => !stored.has(id))).toEqual([])
      expect(metaOf(fresh.doc).get('archivedBroadcasts') ?? 0).toBe(archived.length)
      await fresh.client.close()
    }
    expect(said.size).toBeGreaterThan(KILLS * 700)
    await mine.stop()
  })
})

describe('Reading the log', () => {
  const MINUTE = 60_000
  const start = Date.now() - 5_000 * MINUTE
  const all = numbered(0, 5_000)

  beforeAll(async () => {
    const { client, doc } = await liveDoc(`${server.sync}/log`)
    const agent = { capabilities: [], machine: 'm', description: '', now: 1 }
    for (const name of ['ann', 'bob'])
      registerAgent(doc, { ...agent, id: `a-${name}` as AgentId, name })
    for (let from = 0; from < all.length; from += 500) {
      doc.transact(() => {
        for (let i = from; i < from + 500; i++) {
          addBroadcast(doc, {
            id: all[i] as BroadcastId,
            from: (i % 10 === 0 ? 'a-ann' : 'a-bob') as AgentId,
            content: `${i}`,
            topic: i % 7 === 0 ? 'builds' : '',
            tags: ['t'],
            now: start + i * MINUTE,
          })
        }
      })
      await client.barrier()
    }
    await until('it is trimmed', () => broadcastsOf(doc).length <= 2_000)
    const direct = { from: 'a-boss' as AgentId, at: Date.now() }
    broadcastsOf(doc).push([
      broadcast('m-to-ann', { ...direct, to: 'a-ann' as AgentId }),
      broadcast('m-to-bob', { ...direct, to: 'a-bob' as AgentId }),
    ])
    await client.barrier()
    await client.close()
  })

  it('[LOG-4] pages walk everything once, archived and live, in order', async () => {
    for (const limit of [100, 333, 500]) {
      expect(await walkLog(server.url, 'log', `since=2000-01-01&limit=${limit}`)).toEqual(all)
    }
  })

  it('[LOG-4] who reads on while others write and the server trims misses nothing, clocks 10 minutes off', async () => {
    const skews = [0, 10 * MINUTE, -10 * MINUTE]
    const writers = await Promise.all(skews.map(() => liveDoc(`${server.sync}/tail`)))
    const said: string[] = []
    const write = async (w: number, count: number): Promise<void> => {
      const { client, doc } = writers[w]!
      for (let i = 0; i < count; i++) {
        const id = `m-${said.length}`
        said.push(id)
        tell(doc, id, Date.now() + skews[w]!)
      }
      await client.barrier()
      const newest = said.at(-1)
      await until('the others have it', () =>
        writers.every(({ doc }) => ids(doc).includes(newest as string)),
      )
    }
    await write(0, 100)
    const shown: string[] = []
    let next = '2000-01-01'
    for (let turn = 0; ; turn++) {
      const { data } = await ask('tail', `limit=90&since=${next}`)
      shown.push(...data.broadcasts.map(({ message_id }) => message_id))
      if (!data.more && turn >= 60) break
      next = data.next!
      if (turn < 60) await write(turn % 3, 80)
    }
    expect(shown).toEqual(said)
    expect(said.length).toBeGreaterThan(4_000)
    for (const { client } of writers) await client.close()
  })

  it('[LOG-4] without since it is the newest page, oldest first', async () => {
    const { data } = await ask('log', 'limit=3')
    expect(data.broadcasts.map(({ message_id }) => message_id)).toEqual(all.slice(-3))
    expect(data).toMatchObject({ more: true, next: 'm-to-bob' })
    expect(data.broadcasts[2]).toEqual({
      type: 'knowledge_broadcast',
      message_id: 'm-4999',
      from_agent: 'a-bob',
      to_agent: null,
      timestamp: new Date(start + 4_999 * MINUTE).toISOString(),
      content: '4999',
      topic: 'general',
      tags: ['t'],
    })
    const filtered = await ask('log', 'limit=500&topic=builds')
    const builds = all.filter((_, i) => i % 7 === 0)
    const found = filtered.data.broadcasts.map(({ message_id }) => message_id)
    // On a busy machine the time for a page is over before it is full.
    expect(found.length).toBeGreaterThan(0)
    expect(found).toEqual(builds.slice(-found.length))
    await makeWorkspaces(server.url, 'nothing')
    expect(await ask('nothing', '')).toMatchObject({
      data: { broadcasts: [], more: false, next: null },
    })
  })

  it('[LOG-4] topic, from, since a time and since a message narrow it down', async () => {
    const walk = (query: string) => walkLog(server.url, 'log', query)
    const builds = all.filter((_, i) => i % 7 === 0)
    expect(await walk('since=2000-01-01&topic=builds&limit=90')).toEqual(builds)
    const anns = all.filter((_, i) => i % 10 === 0)
    for (const from of ['ann', 'a-ann', 'Ann'])
      expect(await walk(`since=2000-01-01&from=${from}&limit=400`)).toEqual(anns)
    for (const i of [10, 2_500, 4_990]) {
      expect(await walk(`since=m-${i}&limit=500`)).toEqual(all.slice(i + 1))
      const time = new Date(start + i * MINUTE).toISOString()
      expect(await walk(`since=${time}&limit=77`)).toEqual(all.slice(i))
    }
    const withinHour = (): number =>
      all.filter((_, i) => start + i * MINUTE >= Date.now() - 60 * MINUTE).length
    const most = withinHour()
    const hour = await walk('since=1h&limit=7')
    expect(hour.length).toBeLessThanOrEqual(most)
    expect(hour.length).toBeGreaterThanOrEqual(withinHour())
    expect(hour).toEqual(all.slice(-hour.length))
  })

  it('[LOG-5] a direct message is shown to its sender and its addressee only', async () => {
    const seen = async (who: string) => {
      const { data } = await ask('log', `limit=2&for=${who}`)
      return data.broadcasts.map(({ message_id }) => message_id)
    }
    expect(await seen('a-ann')).toEqual(['m-4999', 'm-to-ann'])
    expect(await seen('a-bob')).toEqual(['m-4999', 'm-to-bob'])
    expect(await seen('a-boss')).toEqual(['m-to-ann', 'm-to-bob'])
    expect(await seen('a-none')).toEqual(['m-4998', 'm-4999'])
  })

  it.each([
    ['log?since=yesterday', 400, 'usage', /2h/],
    ['log?since=9999', 400, 'usage', /2h/],
    ['log?since=', 400, 'usage', /2h/],
    ['log?since=2026-99-99', 400, 'usage', /2h/],
    ['log?since=m-none', 404, 'unknown_message', /id/],
    ['log?from=nobody', 404, 'unknown_agent', /agents/],
    ['log?limit=501', 400, 'usage', /PROTOCOL/],
    ['log?limit=0', 400, 'usage', /PROTOCOL/],
    ['log?topics=x', 400, 'usage', /PROTOCOL/],
    ['archive?after=-1', 400, 'usage', /PROTOCOL/],
    ['archive?limit=1001', 400, 'usage', /PROTOCOL/],
  ])('[STATUS-2] refuses %s', async (path, status, code, hint) => {
    const answer = await fetch(`${api('log')}/${path}`)
    const { error } = (await answer.json()) as { error: { code: string; hint: string } }
    expect([answer.status, error.code]).toEqual([status, code])
    expect(error.hint).toMatch(hint)
  })
})
