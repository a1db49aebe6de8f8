import { expect, it } from 'vitest'
import * as Y from 'yjs'
import type { AgentId, BroadcastId, TaskId } from '../../../protocol/ids.ts'
import { listAgents, registerAgent, resolveAgent } from '../../../workspace/agents/agents.ts'
import { isSubmission, taskRecord } from '../../../workspace/document/shape.ts'
import { fileVersions } from '../../../workspace/files/edit-counts.ts'
import { listFiles } from '../../../workspace/files/file-info.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { messagesSince } from '../../../workspace/inbox/inbox.ts'
import { addBroadcast } from '../../../workspace/messages/broadcasts.ts'
import { addTask, getTask, listTasks, taskHistory } from '../../../workspace/tasks/tasks.ts'
import { move, settle } from '../../support/workspace/replicas.ts'

const me = 'a-me' as AgentId
const you = 'a-you' as AgentId
const here = { present: new Set<AgentId>(), now: 5 }
const JUNK = [null, 0, 'x', true, [], {}, { id: 1 }, [[null]], { fileId: null }, new Uint8Array(3)]

const fill = (doc: Y.Doc): void => {
  for (const [id, name] of [
    [me, 'me'],
    [you, 'you'],
  ] as const) {
    registerAgent(doc, { id, name, capabilities: [], machine: '', description: '', now: 1 })
  }
  const task = { description: 'do', context: null, priority: 'normal', from: you, to: me } as const
  addTask(doc, { ...task, id: 't-1' as TaskId, now: 2 })
  addBroadcast(doc, {
    id: 'm-1' as BroadcastId,
    from: you,
    content: 'hi',
    topic: '',
    tags: [],
    now: 3,
  })
  putFile(doc, { key: 'f', content: 'text', base: null, by: you, now: 4 })
}

it('[INBOX-5] values of the wrong shape count as absent: they break no reader and hide nothing', () => {
  const doc = new Y.Doc()
  for (const [i, junk] of JUNK.entries()) {
    for (const root of ['agents', 'tasks', 'files', 'edits:f', 'meta']) {
      doc.getMap<unknown>(root).set(`junk-${i}`, junk)
    }
    doc.getArray<unknown>('broadcasts').push([junk])
    doc.getArray<unknown>('intake').push([junk])
  }
  fill(doc)
  expect(listTasks(doc)).toHaveLength(1)
  settle(doc)
  for (const [i, junk] of JUNK.entries()) {
    doc.getArray<unknown>('broadcasts').push([junk])
    const task = taskRecord(doc, 't-1')!
    if (!task.has('history')) task.set('history', new Y.Array())
    ;(task.get('history') as Y.Array<unknown>).push([junk])
    ;(task.get('offers') as Y.Array<unknown>).push([junk])
    doc.getArray<unknown>('intake').push([{ kind: 'task', id: `t-x${i}`, facts: junk }])
    doc.getArray<unknown>('intake').push([{ kind: 'note', task: 't-1', note: junk }])
    doc.getArray<unknown>('intake').push([{ kind: 'receipt', id: junk, by: me }])
    doc.getMap<unknown>('edits:f').set(`more-${i}`, junk)
    const bad = new Y.Map<unknown>()
    doc.getMap<Y.Map<unknown>>('tasks').set(`t-bad-${i}`, bad)
    for (const field of ['facts', 'status', 'history', 'offers', 'notes']) bad.set(field, junk)
    const bucket = doc.getMap<Y.Map<unknown>>('tasks').get('1')!
    bucket.set(`t-junk-${i}`, junk)
    bucket.set(`t-hollow-${i}`, bad.clone())
    const agent = new Y.Map<unknown>()
    doc.getMap<Y.Map<unknown>>('agents').set(`a-bad-${i}`, agent)
    for (const field of ['name', 'capabilities', 'lastSeenAt']) agent.set(field, junk)
  }
  settle(doc)
  const left = doc.getArray<unknown>('intake').toArray()
  // A receipt of something that nobody knows is dropped as well.
  expect(left.filter((entry) => !isSubmission(entry))).toEqual([])
  expect(listAgents(doc, here)).toHaveLength(2 + JUNK.length)
  expect(resolveAgent(doc, 'you')).toBe(you)
  expect(listTasks(doc)).toHaveLength(1)
  expect(listFiles(doc)).toMatchObject([{ file_key: 'f', version: 1, last_editor: you }])
  expect(taskHistory(doc, 't-1')).toEqual([])
  const messages = messagesSince(doc, new Map(), me, here, fileVersions(doc))
  expect(
    messages
      .map(({ type }) => type)
      .filter((type) => type !== 'agent_joined')
      .sort(),
  ).toEqual(['file_updated', 'knowledge_broadcast', 'task_delegation'])
  const done = { by: me, state: 'completed', message: 'done', key: 'k', now: 9 } as const
  expect(move(doc, { ...done, task: 't-1' })).toMatchObject({ status: 'completed' })
  expect(getTask(doc, 't-1').owner).toBe(me)
})
