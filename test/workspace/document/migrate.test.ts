import { expect, it } from 'vitest'
import * as Y from 'yjs'
import { registerAgent } from '../../../workspace/agents/agents.ts'
import { metaOf } from '../../../workspace/document/schema.ts'
import { fileVersions } from '../../../workspace/files/edit-counts.ts'
import { messagesSince } from '../../../workspace/inbox/inbox.ts'
import { TaskReconciler } from '../../../workspace/tasks/reconcile/reconciler.ts'
import { getTask, listTasks, taskHistory } from '../../../workspace/tasks/tasks.ts'
import { agentId, cursor, replica, send, taskId } from '../../support/workspace/replicas.ts'

const boss = agentId('boss')
const worker = agentId('worker')

const world = {
  now: 1_000,
  leaseMs: 600_000,
  offerMs: 60_000,
  archiveAfterMs: 1e9,
  here: { present: new Set<never>(), now: 1_000 },
  lastSeen: () => 1_000,
  archived: new Map(),
}

/** A document as version 1 had it. */
const old = (): Y.Doc => {
  const doc = replica(1)
  metaOf(doc).set('schemaVersion', 1)
  for (const id of [boss, worker]) {
    registerAgent(doc, { id, name: id, capabilities: [], machine: '', description: '', now: 1 })
  }
  const facts = { context: null, priority: 'high', from: boss, to: worker, createdAt: 5 }
  const working = { state: 'working', by: worker, message: 'on it', at: 6, revision: 1, key: 'k' }
  const record = new Y.Map<unknown>(Object.entries({ ...facts, description: 'sweep' }))
  doc.getMap('tasks').set('t-1', record)
  record.set('history', Y.Array.from([working]))
  record.set('notes', Y.Array.from([{ by: boss, at: 7, text: 'soon' }]))
  const { by: _, key: __, ...status } = working
  record.set('status', { ...status, owner: worker })
  const open = new Y.Map<unknown>(Object.entries({ ...facts, description: 'mop' }))
  doc.getMap('tasks').set('t-2', open)
  doc.getMap('receipts').set('t-1', { delivered: 6, read: 7 })
  doc.getMap('receipts').set('m-1', { delivered: 8 })
  return doc
}

it('[TASK-20] brings a document of version 1 along, with its history, and tells nobody anything twice', () => {
  const doc = old()
  const client = replica(2)
  send(doc, client)
  const before = cursor(client)
  const settler = new TaskReconciler(doc)
  doc.transact(() => settler.reconcile(world, () => {}))
  send(doc, client)
  expect(metaOf(client).get('schemaVersion')).toBe(2)
  expect(listTasks(client).map(({ task_id }) => task_id)).toEqual(['t-1', 't-2'])
  expect(getTask(client, 't-1')).toMatchObject({
    task: 'sweep',
    status: 'working',
    owner: worker,
    priority: 'high',
    token: 1,
    notes: [{ by: boss, text: 'soon' }],
  })
  expect(taskHistory(client, 't-1')).toMatchObject([{ state: 'working', message: 'on it' }])
  for (const me of [boss, worker]) {
    const here = { present: new Set<never>(), now: 2 }
    expect(messagesSince(client, before, me, here, fileVersions(client))).toEqual([])
  }
  expect([...client.getMap('tasks').keys()]).toEqual(['1'])

  const after = Y.encodeStateAsUpdate(doc)
  doc.transact(() => settler.reconcile(world, () => {}))
  expect(Y.encodeStateAsUpdate(doc)).toEqual(after)
  expect(taskId('1')).toBe('t-1')
})
