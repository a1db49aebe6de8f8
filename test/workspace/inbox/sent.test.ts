import { expect, it } from 'vitest'
import type * as Y from 'yjs'
import type { AgentId } from '../../../protocol/ids.ts'
import { entriesIn } from '../../../workspace/document/buckets.ts'
import { receiptsOf, submissionsOf } from '../../../workspace/document/schema.ts'
import { trimBroadcasts } from '../../../workspace/inbox/archive.ts'
import { messagesSince } from '../../../workspace/inbox/inbox.ts'
import { sentMessages } from '../../../workspace/inbox/sent.ts'
import { addBroadcast, type NewBroadcast } from '../../../workspace/messages/broadcasts.ts'
import { markDelivered, markRead, receiptOf } from '../../../workspace/tasks/receipts.ts'
import { addTask } from '../../../workspace/tasks/tasks.ts'
import {
  agentId,
  broadcastId,
  move,
  replica,
  settle,
  taskId,
} from '../../support/workspace/replicas.ts'

const ann = agentId('ann')
const bob = agentId('bob')
let clock = 0

const say = (doc: Y.Doc, name: string, from: AgentId, more: Partial<NewBroadcast> = {}) =>
  addBroadcast(doc, {
    ...{ id: broadcastId(name), from, content: name, topic: '', tags: [], now: clock++ },
    ...more,
  })

const give = (doc: Y.Doc, name: string) =>
  addTask(doc, {
    ...{ id: taskId(name), description: name, context: null, priority: 'normal' },
    ...{ from: ann, to: bob, now: clock++ },
  })

const inbox = (doc: Y.Doc, me: AgentId) =>
  messagesSince(doc, new Map(), me, { present: new Set(), now: 1 }, () => null)

const states = (doc: Y.Doc) =>
  Object.fromEntries(sentMessages(doc, ann, 99).map((one) => [one.message_id, one.state]))

it('[MSG-3] stored, delivered, read, answered', () => {
  const doc = replica(1)
  say(doc, 'direct', ann, { to: bob })
  say(doc, 'all', ann)
  give(doc, 'task')
  settle(doc)
  const all = (direct: string, task: string, broadcast = 'stored') => ({
    ...{ 'm-direct': direct, 't-task': task, 'm-all': broadcast },
  })
  expect(states(doc)).toEqual(all('stored', 'stored'))
  const messages = inbox(doc, bob)
  markDelivered(doc, bob, messages, 5)
  expect(states(doc)).toEqual(all('delivered', 'delivered'))
  markRead(doc, bob, messages, 6)
  expect(states(doc)).toEqual(all('read', 'read'))
  say(doc, 'own', ann, { replyTo: 'm-all' })
  say(doc, 'reply', bob, { to: ann, replyTo: 'm-direct' })
  say(doc, 'reply-2', bob, { replyTo: 'm-all' })
  move(doc, { task: 't-task', by: bob, state: 'working', message: '', key: 'k', now: 1 })
  expect(states(doc)).toMatchObject(all('answered', 'answered', 'answered'))
  expect(sentMessages(doc, ann, 2).map(({ message_id }) => message_id)).toEqual(['t-task', 'm-own'])
  expect(sentMessages(doc, ann, 99)[0]).toMatchObject({
    type: 'direct_message',
    to_agent: bob,
    delivered_at: '1970-01-01T00:00:00.005Z',
    read_at: '1970-01-01T00:00:00.006Z',
    replies: 1,
  })
  move(doc, { task: 't-task', by: ann, state: 'canceled', message: '', key: 'c', now: 1 })
  give(doc, 'canceled')
  move(doc, { task: 't-canceled', by: ann, state: 'canceled', message: '', key: 'c', now: 1 })
  expect(states(doc)['t-canceled']).toBe('stored')
})

it('[MSG-4] one update a batch, by the addressee, none for broadcasts, gone with the message', () => {
  const doc = replica(1)
  say(doc, 'all', ann)
  for (let i = 0; i < 5; i++) say(doc, `${i}`, ann, { to: bob })
  give(doc, 'task')
  settle(doc)
  const messages = inbox(doc, bob)
  expect(messages).toHaveLength(7)
  let updates = 0
  doc.on('update', () => updates++)
  markDelivered(doc, bob, messages, 5)
  markDelivered(doc, bob, messages, 6)
  expect(updates).toBe(1)
  markRead(doc, bob, messages, 7)
  markRead(doc, bob, messages, 8)
  expect(updates).toBe(2)
  const ids = () => [...entriesIn(receiptsOf(doc))].map(([id]) => id).sort()
  for (const filed of [false, true]) {
    if (filed) settle(doc)
    expect(receiptOf(doc, 'm-3', bob)).toMatchObject({ delivered: 5, read: 7 })
    expect(receiptOf(doc, 't-task', bob)).toEqual({ delivered: 5, read: 7 })
    expect(ids()).toHaveLength(filed ? 5 : 0)
  }
  markDelivered(doc, ann, inbox(doc, ann), 5)
  expect(submissionsOf(doc).length).toBe(0)

  trimBroadcasts(doc, 1, 0, 1)
  expect(ids()).toEqual(['m-4'])
  markRead(doc, bob, messages, 9)
  settle(doc)
  expect(ids()).toEqual(['m-4'])
})

it('[MSG-4] receipts of agents that were not asked are not filed', () => {
  const doc = replica(1)
  const bystander = agentId('bystander')
  give(doc, 'task')
  say(doc, 'direct', ann, { to: bob })
  settle(doc)
  for (const id of [taskId('task'), broadcastId('direct')]) {
    submissionsOf(doc).push([{ kind: 'receipt', id, by: bystander, delivered: 3, read: 4 }])
  }
  settle(doc)
  expect(submissionsOf(doc).length).toBe(0)
  expect(states(doc)).toEqual({ 't-task': 'stored', 'm-direct': 'stored' })
  expect(receiptOf(doc, 't-task', bob)).toBeUndefined()
  markDelivered(doc, bob, inbox(doc, bob), 7)
  settle(doc)
  expect(receiptOf(doc, 't-task', bob)).toEqual({ delivered: 7 })
  expect([...entriesIn(receiptsOf(doc))].map(([id]) => id)).toEqual(['m-direct'])
})
