import { expect, it } from 'vitest'
import * as Y from 'yjs'
import type { AgentId } from '../../../protocol/ids.ts'
import { MAX_WAITING_MESSAGES } from '../../../sync-server/config/limits.ts'
import { HttpAgent } from '../../../sync-server/http-agents/http-agent.ts'
import type { Op } from '../../../sync-server/storage/integrity/level-keys.ts'
import type { FactLog } from '../../../sync-server/storage/update-log.ts'
import type { Room } from '../../../sync-server/sync/room.ts'
import { registerAgent } from '../../../workspace/agents/agents.ts'
import { broadcastsOf, initWorkspace, type Priority } from '../../../workspace/document/schema.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { addBroadcast } from '../../../workspace/messages/broadcasts.ts'
import type { Message } from '../../../workspace/messages/message.ts'
import { addTask } from '../../../workspace/tasks/tasks.ts'
import { agentId, broadcastId, move, settle, taskId } from '../../support/workspace/replicas.ts'

/** An HTTP agent's inbox over a document in which anything may stand already; its disk is a map. */

const me = agentId('me')
const ben = agentId('ben')
const mallory = agentId('mallory')

const desk = (doc = new Y.Doc(), disk = new Map<string, unknown>()) => {
  const store = (ops: Op[]): void => {
    for (const op of ops) {
      if (op.type === 'del') disk.delete(op.key)
      else disk.set(op.key, JSON.parse(new TextDecoder().decode(op.value)))
    }
  }
  const facts: FactLog = {
    get: async (key) => disk.get(key) ?? null,
    entries: async (prefix) =>
      [...disk]
        .filter(([key]) => key.startsWith(prefix))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, json]) => ({ key, json })),
    readable: (prefix) => facts.entries(prefix),
    put: async (ops) => store(ops),
  }
  const command = async (
    change: (doc: Y.Doc, archive: null, keep: (op: Op) => void) => unknown,
  ) => {
    const ops: Op[] = []
    const value = change(doc, null, (op) => ops.push(op))
    store(ops)
    return value
  }
  const httpAgent = new HttpAgent({ name: 'w', doc, command } as unknown as Room, me, {
    ...{ facts, now: () => 5, wake: () => {}, spent: () => {} },
    here: () => ({ present: new Set<AgentId>(), now: 5 }),
    archives: {
      broadcasts: async (after) => ({ entries: [], next: after }),
      tasks: async (after) => ({ entries: [], next: after }),
    },
  })
  return { doc, disk, httpAgent }
}

const begun = async () => {
  const at = desk()
  initWorkspace(at.doc, 'w', 1)
  for (const id of [me, ben, mallory]) {
    registerAgent(at.doc, { id, name: id, capabilities: [], machine: '', description: '', now: 1 })
  }
  await at.httpAgent.receive(() => false)
  return at
}

const say = (doc: Y.Doc, name: string, from: AgentId, content = name) =>
  addBroadcast(doc, {
    ...{ id: broadcastId(name), from, to: me, content, topic: '', tags: [], now: 2 },
  })

const give = (doc: Y.Doc, name: string, priority: Priority) => {
  const task = { id: taskId(name), description: name, context: null, priority }
  addTask(doc, { ...task, from: ben, to: me, now: 3 })
  settle(doc)
}

const contents = (httpAgent: HttpAgent) =>
  httpAgent.waiting.map(({ message }) =>
    'content' in message ? message.content : message.message_id,
  )

it('[INBOX-15] an id acknowledges what was handed out under it, and not another’s message of that id', async () => {
  const { doc, disk, httpAgent } = await begun()
  say(doc, '1', ben, 'the message')
  await httpAgent.receive(() => false)
  say(doc, '1', mallory, 'a copy')
  await httpAgent.receive(() => false)
  expect(contents(httpAgent)).toEqual(['the message', 'a copy'])
  expect(await httpAgent.acknowledgeIds(new Set(['m-1']))).toBe(0)
  httpAgent.show(httpAgent.waiting.slice(1))
  expect(await httpAgent.acknowledgeIds(new Set(['m-1']))).toBe(1)
  expect(contents(httpAgent)).toEqual(['the message'])
  // A lost answer: the same again.
  expect(await httpAgent.acknowledgeIds(new Set(['m-1']))).toBe(0)

  say(doc, '1', mallory, 'another copy')
  await httpAgent.receive(() => false)
  const restarted = desk(doc, disk).httpAgent
  expect(await restarted.acknowledgeIds(new Set(['m-1']))).toBe(1)
  expect(contents(restarted)).toEqual(['another copy'])
})

it('[INBOX-16] however much waits, what is urgent or asked for comes before its turn, and everything once', async () => {
  const { doc, disk, httpAgent } = await begun()
  const isTask = ({ type }: Message) => type === 'task_delegation'
  const flood = (from: number, to: number) => {
    for (let i = from; i < to; i++) say(doc, `s${i}`, mallory)
  }
  flood(0, MAX_WAITING_MESSAGES)
  await httpAgent.receive(() => false)
  flood(MAX_WAITING_MESSAGES, MAX_WAITING_MESSAGES + 500)
  give(doc, 'low', 'low')
  give(doc, 'urgent', 'urgent')
  const ids = (one: HttpAgent) => one.waiting.map(({ message }) => message.message_id)
  await httpAgent.receive((message) => isTask(message) && message.message_id === 't-urgent')
  expect(ids(httpAgent).slice(MAX_WAITING_MESSAGES)).toEqual(['t-urgent'])
  await httpAgent.receive(isTask)
  expect(ids(httpAgent).slice(MAX_WAITING_MESSAGES)).toEqual(['t-urgent', 't-low'])
  await httpAgent.receive(isTask)
  expect(httpAgent.waiting).toHaveLength(MAX_WAITING_MESSAGES + 2)

  const again = desk(doc, disk).httpAgent
  await again.receive(isTask)
  const got = ids(again)
  await again.acknowledge(again.waiting)
  await again.receive(() => false)
  got.push(...ids(again))
  const all = Array.from({ length: MAX_WAITING_MESSAGES + 500 }, (_, i) => `m-s${i}`)
  expect(got.sort()).toEqual([...all, 't-low', 't-urgent'].sort())
})

it('[INBOX-18] [INBOX-17] an active file is one message, a task that has ended none', async () => {
  const { doc, disk, httpAgent } = await begun()
  give(doc, 'done', 'normal')
  give(doc, 'open', 'normal')
  const put = async (content: string) => {
    putFile(doc, { key: 'server.log', content, base: null, force: true, by: ben, now: 3 })
    await httpAgent.receive(() => false)
  }
  for (const content of ['1', '2', '3']) await put(content)
  expect(httpAgent.waiting).toHaveLength(3)
  const under = httpAgent.waiting.filter(({ message }) => message.type === 'file_updated')
  httpAgent.hold(under)
  move(doc, { ...{ task: 't-done', by: me, key: 'k', now: 4 }, state: 'completed', message: '' })
  await put('4')
  await httpAgent.acknowledge(under)
  const left = [
    { type: 'task_delegation', message_id: 't-open' },
    { type: 'file_updated', version: 4, from_version: 1 },
  ]
  expect(httpAgent.waiting.map(({ message }) => message)).toMatchObject(left)
  const again = desk(doc, disk).httpAgent
  await again.receive(() => false)
  expect(again.waiting.map(({ message }) => message)).toMatchObject(left)
})

it('[INBOX-14] bad values that stand in the document keep nothing from it', async () => {
  const { doc, httpAgent } = await begun()
  const facts = { description: 'd', context: { n: 10n }, priority: 'low', from: mallory, to: me }
  const bucket = new Y.Map<unknown>()
  doc.getMap<Y.Map<unknown>>('tasks').set('1', bucket)
  const record = new Y.Map<unknown>([['facts', { ...facts, createdAt: 1 }]])
  bucket.set('t-bad', record)
  record.set('offers', Y.Array.from([{ to: me, at: 1, token: 0 }]))
  doc.getArray<unknown>('broadcasts').push([{ id: 'm-bad', from: mallory, to: me, n: 10n }])
  say(doc, '1', ben, 'the message')
  await httpAgent.receive(() => false)
  expect(contents(httpAgent)).toEqual(['the message'])
  expect(broadcastsOf(doc).length).toBe(2)
})
