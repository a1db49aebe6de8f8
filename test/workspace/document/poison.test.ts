import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { AgentId, FileId } from '../../../protocol/ids.ts'
import { type Here, listAgents, registerAgent } from '../../../workspace/agents/agents.ts'
import { jsonProblem, MAX_VALUE_DEPTH } from '../../../workspace/document/values.ts'
import { fileVersions } from '../../../workspace/files/edit-counts.ts'
import { fileInfo, listFiles } from '../../../workspace/files/file-info.ts'
import { countedVersions, fileState } from '../../../workspace/files/file-state.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { trimBroadcasts } from '../../../workspace/inbox/archive.ts'
import { welcomeMessages } from '../../../workspace/inbox/digest.ts'
import { messagesSince } from '../../../workspace/inbox/inbox.ts'
import { primeOf } from '../../../workspace/inbox/prime.ts'
import { sentMessages } from '../../../workspace/inbox/sent.ts'
import { addBroadcast } from '../../../workspace/messages/broadcasts.ts'
import { liveBroadcasts } from '../../../workspace/messages/live-log.ts'
import { receiptOf } from '../../../workspace/tasks/receipts.ts'
import { readArchivedTask } from '../../../workspace/tasks/task-archive.ts'
import { selectTasks, TASK_SORTS } from '../../../workspace/tasks/task-list.ts'
import {
  addNote,
  addTask,
  getTask,
  listTasks,
  taskHistory,
} from '../../../workspace/tasks/tasks.ts'
import {
  agentId,
  broadcastId,
  move,
  settle,
  taskId,
  worldAt,
} from '../../support/workspace/replicas.ts'

/** Documents in which bad values stand already: nobody looked at them when they came. */

const ann = agentId('ann')
const bob = agentId('bob')
const mallory = agentId('mallory')
const here: Here = { present: new Set(), now: 5_000 }

const nested = (depth: number): unknown => {
  let value: unknown = 'x'
  for (let i = 0; i < depth; i++) value = [value]
  return value
}

/** What JSON cannot hold, or what no reader should walk through. */
const POISON: readonly [string, unknown][] = [
  ['a BigInt', 10n],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['bytes', new Uint8Array([1, 2, 3])],
  ['17 levels', nested(MAX_VALUE_DEPTH + 1)],
  ['100,000 levels', nested(100_000)],
  ['200,000 values', new Array(200_000).fill(0)],
  ['a key __proto__', JSON.parse('{"__proto__": {"from": "a-ann"}}')],
  ['a prototype', Object.create({ from: 'a-ann' })],
]
const JUNK: readonly [string, unknown][] = [
  ...POISON,
  ...(['undefined', 'null', 'a number', 'text', 'a list', 'an object'] as const).map(
    (name, i): [string, unknown] => [name, [undefined, null, 7, 'x', [], {}][i]],
  ),
]

const facts = {
  ...{ description: 'd', context: null, priority: 'urgent', from: mallory, to: ann, createdAt: 1 },
}
const said = { from: mallory, to: ann, topic: 'general', tags: [], content: 'x', at: 1 }

/** Appends what `Y.Array.push` would refuse on this side, and no receiver does. */
const pushRaw = (doc: Y.Doc, root: string, values: unknown[]): void => {
  const array = doc.getArray<unknown>(root)
  doc.transact((transaction) => {
    let left = array._start
    while (left?.right != null) left = left.right
    const id = Y.createID(doc.clientID, Y.getState(doc.store, doc.clientID))
    const content = new Y.ContentAny(values)
    const origin = left?.lastId ?? null
    new Y.Item(id, left, origin, null, null, array, null, content).integrate(transaction, 0)
  })
}

/** Puts `bad` in every place of the document that there is, by itself and as each field of what belongs there. */
const poison = (doc: Y.Doc, bad: unknown): void => {
  let count = 0
  const fields = (good: object): object[] =>
    Object.keys(good).map((key) => ({ ...good, [key]: bad }))
  const push = (root: string, ...values: unknown[]) => pushRaw(doc, root, values)
  const put = (root: string, ...values: unknown[]) => {
    for (const value of values) doc.getMap<unknown>(root).set(`bad-${count++}`, value)
  }
  push('broadcasts', bad, { ...said, id: 'm-extra', extra: bad })
  for (const entry of fields({ ...said, id: 'm-bad', order: 1, replyTo: 'm-1' })) {
    push('broadcasts', entry)
  }
  const more = { requires: ['x'], after: ['t-9'], deadline: 9e9, maxAttempts: 1, approver: bob }
  push('intake', bad)
  for (const one of [...fields(facts), ...fields({ ...facts, ...more })]) {
    push('intake', { kind: 'task', id: `t-bad${count++}`, facts: one })
  }
  push('intake', ...fields({ kind: 'task', id: 't-bad', facts: { ...facts, context: { n: bad } } }))
  for (const note of fields({ by: mallory, at: 1, text: 'x', key: 'k' })) {
    push('intake', { kind: 'note', task: 't-1', note })
  }
  push('intake', ...fields({ kind: 'receipt', id: 'm-1', by: ann, delivered: 1, read: 1 }))
  const entry = { fileId: 'g', mediaType: 'text/plain', createdBy: mallory, createdAt: 1, line: 1 }
  const removed = { by: mallory, at: 1, edits: { 1: 1 }, movedTo: 'h' }
  put('files', bad, ...fields(entry), ...fields(removed).map((one) => ({ ...entry, removed: one })))
  put('edits:f', bad)
  for (const edit of fields({ agent: mallory, count: 1, at: 1 })) {
    doc.getMap<unknown>('edits:f').set(String(1e6 + count++), edit)
  }
  put('blobs:f', bad, ...fields({ size: 1, mediaType: 'image/png', by: mallory, at: 1 }))
  // What is the server's alone, in case it stood there before.
  const bucket = doc.getMap<Y.Map<unknown>>('tasks').get('1')
  for (const field of ['facts', 'status', 'history', 'notes', 'offers', 'receipt', 'past']) {
    const record = new Y.Map<unknown>([['facts', facts]])
    bucket?.set(`t-hollow${count++}`, record)
    record.set(field, bad)
  }
  const status = { state: 'working', owner: ann, message: '', at: 1, revision: 1, token: 1 }
  const extra = { ended: 1, lost: [ann], declined: [bob], percent: 1, result: {}, cancel: {} }
  for (const one of fields({ ...status, ...extra })) {
    bucket?.set(
      `t-status${count++}`,
      new Y.Map<unknown>([
        ['facts', facts],
        ['status', one],
      ]),
    )
  }
  for (const field of ['name', 'capabilities', 'topics', 'machine', 'paused', 'registeredAt']) {
    const record = new Y.Map<unknown>()
    doc.getMap<Y.Map<unknown>>('agents').set(`a-bad${count++}`, record)
    record.set(field, bad)
  }
}

const fill = (doc: Y.Doc): void => {
  for (const id of [ann, bob]) {
    registerAgent(doc, { id, name: id, capabilities: [], machine: '', description: '', now: 1 })
  }
  const task = { description: 'honest', context: { a: [1] }, priority: 'normal' as const }
  addTask(doc, { ...task, from: bob, to: ann, id: taskId('1'), now: 2 })
  addBroadcast(doc, {
    ...{ id: broadcastId('1'), from: bob, to: ann, content: 'honest', topic: '', tags: [], now: 3 },
  })
  putFile(doc, { key: 'f', content: 'text', base: null, by: bob, now: 4 })
}

/** All that is made of a document; each of it JSON. */
const derived = (doc: Y.Doc, me: AgentId) => {
  const all = {
    inbox: messagesSince(doc, new Map(), me, here, fileVersions(doc)),
    welcome: welcomeMessages(doc, me, 5),
    agents: listAgents(doc, here),
    tasks: listTasks(doc),
    selected: Object.keys(TASK_SORTS).map((sort) =>
      selectTasks(doc, {
        ...{ states: null, me, mine: false, fromMe: false, ready: true },
        sort: sort as keyof typeof TASK_SORTS,
      }),
    ),
    history: listTasks(doc).map(({ task_id }) => taskHistory(doc, task_id)),
    log: liveBroadcasts(doc, 5),
    sent: sentMessages(doc, me, 10_000),
    files: listFiles(doc),
    versions: [...countedVersions(doc)],
    state: fileState(doc, 'f' as FileId, null),
    prime: primeOf(doc, me, here, [], new Map(), 5),
  }
  expect(jsonProblem(all, 64 * 2 ** 20, { depth: 24 })).toBeNull()
  return JSON.parse(JSON.stringify(all)) as typeof all
}

describe('a bad value costs itself and nobody else', () => {
  it.each(JUNK)('[INBOX-5] %s in every place of the document', (_, bad) => {
    const doc = new Y.Doc()
    poison(doc, bad)
    fill(doc)
    derived(doc, ann)
    settle(doc)
    poison(doc, bad)
    settle(doc)
    const { inbox, tasks, log, files, sent } = derived(doc, ann)
    expect(inbox).toContainEqual(expect.objectContaining({ content: 'honest' }))
    expect(inbox).toContainEqual(expect.objectContaining({ task: 'honest', context: { a: [1] } }))
    expect(tasks.map(({ task_id }) => task_id)).toContain('t-1')
    expect(log.map(({ id }) => id)).toContain('m-1')
    expect(files).toContainEqual(
      expect.objectContaining({ file_key: 'f', media_type: 'text/plain' }),
    )
    expect(sent).toEqual([])
    expect(derived(doc, bob).sent).toHaveLength(2)
    addNote(doc, 't-1', bob, 'honest', 6)
    const command = { task: 't-1', by: ann, state: 'completed', message: 'done', key: 'k' } as const
    expect(move(doc, { ...command, now: 7 })).toMatchObject({ status: 'completed' })
    expect(getTask(doc, 't-1').notes).toContainEqual(expect.objectContaining({ text: 'honest' }))

    const shelf: (string | undefined)[] = []
    const archive = ({ value }: { value: Uint8Array }) => shelf.push(readArchivedTask(value)?.id)
    settle(doc, worldAt(9e9, { archiveAfterMs: 1 }), archive)
    expect(shelf).toContain('t-1')
    const trimmed = trimBroadcasts(doc, 0, 0, 9)
    expect(trimmed.map(({ id }) => id)).toContain('m-1')
  })

  it('[INBOX-5] a Yjs type where a plain value is to stand', () => {
    const doc = new Y.Doc()
    fill(doc)
    settle(doc)
    const type = () => new Y.Map<unknown>(Object.entries({ ...said, id: 'm-bad', kind: 'task' }))
    for (const root of ['broadcasts', 'intake']) doc.getArray<unknown>(root).push([type()])
    for (const root of ['files', 'edits:f', 'blobs:f']) doc.getMap<unknown>(root).set('7', type())
    const record = new Y.Map<unknown>()
    doc.getMap<Y.Map<unknown>>('tasks').get('1')?.set('t-2', record)
    for (const field of ['facts', 'status', 'history', 'notes']) record.set(field, type())
    settle(doc)
    expect(derived(doc, ann).tasks).toHaveLength(1)
    expect(fileInfo(doc, 'f').version).toBe(1)
    expect(doc.getArray('intake')).toHaveLength(0)
  })

  it('[INBOX-5] nothing that JSON cannot hold is a task, a message or a file', () => {
    for (const [name, bad] of POISON) {
      const doc = new Y.Doc()
      poison(doc, bad)
      settle(doc)
      expect(listTasks(doc), name).toEqual([])
      expect(liveBroadcasts(doc, 5), name).toEqual([])
    }
  })
})

describe('counts, times and names', () => {
  it('[FILE-7] a version is a safe integer, whatever was counted', () => {
    const doc = new Y.Doc()
    fill(doc)
    const edits = doc.getMap<unknown>('edits:f')
    const wrong = [Number.NaN, Number.POSITIVE_INFINITY, -5, 0.5, 1e308, 2 ** 53, 2 ** 41, '7']
    for (const [i, count] of wrong.entries()) edits.set(`${i}`, { agent: mallory, count, at: 1 })
    edits.set('98', { agent: mallory, count: 1, at: Number.NaN })
    edits.set('__proto__', { agent: mallory, count: 1, at: 1 })
    edits.set('constructor', { agent: mallory, count: 1, at: 1 })
    expect(fileInfo(doc, 'f')).toMatchObject({ version: 1, last_editor: bob })
    for (let i = 0; i < 9_000; i++) {
      edits.set(`1${i}0`, { agent: mallory, count: 2 ** 40, at: 1 })
    }
    expect(Number.isSafeInteger(fileInfo(doc, 'f').version)).toBe(true)
  })

  it('[INBOX-5] a name, list or description over the limits counts as absent', () => {
    const doc = new Y.Doc()
    const record = new Y.Map<unknown>()
    doc.getMap<Y.Map<unknown>>('agents').set(mallory, record)
    record.set('name', `ben\n${'x'.repeat(10)}`)
    record.set('capabilities', new Array(10_000).fill('x'))
    record.set('machine', 'x'.repeat(200_000))
    record.set('description', 'x'.repeat(200_000))
    record.set('registeredAt', 1e300)
    const [agent] = listAgents(doc, here)
    expect(agent).toMatchObject({ capabilities: [], machine: '', description: '' })
    expect(agent?.registered_at).toBe('1970-01-01T00:00:00.000Z')
    record.set('name', 'x'.repeat(300_000))
    expect(listAgents(doc, here)[0]?.name.length).toBeLessThan(65)
  })

  it('[INBOX-5] receipts with times that are none count as absent', () => {
    const doc = new Y.Doc()
    fill(doc)
    for (const at of [Number.NaN, -1, 1e300, '1', 10n]) {
      doc.getArray<unknown>('intake').push([{ kind: 'receipt', id: 'm-1', by: ann, read: at }])
    }
    expect(receiptOf(doc, 'm-1', ann)).toBeUndefined()
    settle(doc)
    expect(receiptOf(doc, 'm-1', ann)).toBeUndefined()
  })
})
