import { afterAll, beforeAll, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { AgentId, BroadcastId, TaskId } from '../../../protocol/ids.ts'
import { addBroadcast } from '../../../workspace/messages/broadcasts.ts'
import { addTask } from '../../../workspace/tasks/tasks.ts'
import { ask, type Member, member } from '../../support/auth/members.ts'
import { liveDoc } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'

/** An agent's share is an eighth: 250 KB. */
const ARGS = ['--limit', 'document=2000000,offences=1000']
const LONG = 'x'.repeat(60_000)
const W = '/api/workspaces/default'
let server: ServerAt
let alice: Member
let mallory: Member

beforeAll(async () => {
  server = await startHere({ args: ARGS })
  alice = await member(server, 'alice')
  mallory = await member(server, 'mallory')
  for (const { agent, headers } of [alice, mallory]) {
    await ask(server, `${W}/register`, { name: agent }, headers)
  }
})
afterAll(() => server.stop())

const isHeard = async () =>
  (await ask(server, `${W}/broadcasts`, { content: 'hello' }, alice.headers)).status

it('[LIM-47] the messages and tasks of one agent take a share of the document, by HTTP and by Yjs', async () => {
  const statuses: number[] = []
  for (let i = 0; i < 6; i++) {
    const said = { content: LONG, reset_trace: true }
    statuses.push((await ask(server, `${W}/broadcasts`, said, mallory.headers)).status)
  }
  expect(statuses).toEqual([200, 200, 200, 200, 507, 507])
  expect(await isHeard()).toBe(200)
  for (const write of [
    (doc: Y.Doc) =>
      addBroadcast(doc, {
        ...{ id: 'm-more' as BroadcastId, from: 'mallory' as AgentId, content: LONG },
        ...{ topic: 'general', tags: [], now: 1 },
      }),
    (doc: Y.Doc) =>
      addTask(doc, {
        ...{ id: 't-more' as TaskId, from: 'mallory' as AgentId, to: null, description: LONG },
        ...{ context: null, priority: 'low', now: 1 },
      }),
  ]) {
    const { client, doc } = await liveDoc(`${server.sync}/default`, new Y.Doc(), mallory.headers)
    write(doc)
    expect(await client.closed).toBe(4414)
  }
  expect(await isHeard()).toBe(200)
})
