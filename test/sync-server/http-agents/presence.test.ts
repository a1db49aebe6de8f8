import { once } from 'node:events'
import { expect, it } from 'vitest'
import { WebSocket } from 'ws'
import type { AgentId } from '../../../protocol/ids.ts'
import { HTTP_AGENT_PRESENT_MS } from '../../../sync-server/config/limits.ts'
import { HttpAgents } from '../../../sync-server/http-agents/http-agents.ts'
import { Room } from '../../../sync-server/sync/room.ts'
import { SeenNotes } from '../../../sync-server/tasks/seen.ts'
import { getAgent, registerAgent } from '../../../workspace/agents/agents.ts'
import { OFFLINE_AFTER_MS } from '../../../workspace/agents/presence.ts'
import { until } from '../../support/client.ts'
import { httpToken, Plain } from '../../support/http-agents/plain-client.ts'
import { startHere } from '../../support/in-process.ts'
import { bareRoom } from '../../support/sync-server/bare-room.ts'
import { MemoryUpdateLog } from '../../support/sync-server/memory-update-log.ts'

const id = 'a-guest' as AgentId

it('[HTTP-11] a httpAgent is here as long as it asks or waits, keeps its room, and is gone after', async () => {
  let now = 1_000_000
  let idle = false
  const log = new MemoryUpdateLog()
  const httpAgents = new HttpAgents(log, () => now)
  const room: Room = new Room('w', {
    ...bareRoom(log, () => now),
    keeps: (room) => httpAgents.keeps(room),
    onAwareness: (_room, before, after) => seenNotes.changed(before, after),
    onCommit: (room) => httpAgents.committed(room),
    onIdle: () => {
      idle = true
    },
  })
  const failures: unknown[] = []
  const seenNotes = new SeenNotes(
    room,
    () => now,
    (error) => failures.push(error),
  )
  await room.loaded
  const httpAgent = httpAgents.httpAgent(room, id)
  httpAgents.seen(httpAgent)
  expect(httpAgents.keeps(room), 'who has not registered is nobody').toBe(false)
  await httpAgent.turn(() =>
    httpAgent.change(({ doc }) =>
      registerAgent(doc, { id, name: 'G', capabilities: [], machine: '', description: '', now }),
    ),
  )
  const status = () => getAgent(room.doc, id, httpAgents.here(room)).status
  const seenAt = () =>
    (room.doc.getMap('agents').get(id) as { get: (k: string) => unknown }).get('lastSeenAt')

  now += 1_000
  httpAgents.seen(httpAgent, { note: 'busy' })
  expect([status(), httpAgents.keeps(room)]).toEqual(['online', true])
  expect(room.present.map((json) => JSON.parse(json))).toEqual([
    { agent: { id, name: 'G', kind: 'agent' }, activity: { state: 'active', note: 'busy' } },
  ])
  // Asking again and again keeps it here, and writes nothing.
  const { seq } = await log.load('w')
  for (let i = 0; i < 10; i++) {
    now += HTTP_AGENT_PRESENT_MS - 1_000
    httpAgents.seen(httpAgent)
    httpAgents.lookWhoLeft()
    expect(status()).toBe('online')
  }
  expect((await log.load('w')).seq).toBe(seq)
  // Waiting does, too.
  const leave = httpAgents.enter(httpAgent)
  now += 10 * HTTP_AGENT_PRESENT_MS
  httpAgents.lookWhoLeft()
  expect(httpAgents.here(room).present.has(id)).toBe(true)
  leave()
  now += HTTP_AGENT_PRESENT_MS + 1
  httpAgents.lookWhoLeft()
  expect(httpAgents.here(room).present.has(id)).toBe(false)
  expect([room.present, httpAgents.keeps(room), idle]).toEqual([[], false, false])
  await until('it is noted when it was last seen', () => seenAt() === now)
  now += OFFLINE_AFTER_MS
  expect(status()).toBe('offline')
  httpAgents.close()
  await room.close()
  await log.close()
})

it('[HTTP-11] a WebSocket from which nothing comes over two heartbeats is cut, and its agent goes', async () => {
  const server = await startHere({ args: ['--heartbeat', '0.2'] })
  const httpAgent = new Plain(server.url, await httpToken(server))
  for (const id of ['quiet', 'silent'])
    await httpAgent.post('/register', { agent_id: id, name: id })
  const connect = (id: string, autoPong: boolean) =>
    new WebSocket(`${server.url.replace('http', 'ws')}/ws/${id}`, {
      ...{ headers: httpAgent.headers, autoPong },
    })
  const [quiet, silent] = [connect('quiet', true), connect('silent', false)]
  await once(silent, 'close')
  expect(quiet.readyState).toBe(WebSocket.OPEN)
  quiet.close()
  await once(quiet, 'close')
  await server.stop()
})
