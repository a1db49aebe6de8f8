import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { AgentId } from '../../protocol/ids.ts'
import { agentName, registerAgent, resolveAgent } from '../../workspace/agents/agents.ts'
import {
  type BroadcastEntry,
  broadcastsOf,
  receiptsOf,
  submissionsOf,
} from '../../workspace/document/schema.ts'
import { readArchived, trimBroadcasts } from '../../workspace/inbox/archive.ts'
import { archivedMeanwhile, messagesSince, newsSince } from '../../workspace/inbox/inbox.ts'
import { sentMessages } from '../../workspace/inbox/sent.ts'
import { addBroadcast } from '../../workspace/messages/broadcasts.ts'
import { markDelivered, markRead, receiptOf } from '../../workspace/tasks/receipts.ts'
import { submit } from '../../workspace/tasks/submissions.ts'
import type { ArchivedTask } from '../../workspace/tasks/task-archive.ts'
import { getTask, listTasks } from '../../workspace/tasks/tasks.ts'
import {
  agentId,
  broadcastId,
  codeOf,
  cursor,
  replica,
  send,
  settle,
  taskId,
  worldAt,
} from '../support/workspace/replicas.ts'

/** Ids are their authors' word: whatever somebody takes another's for, that other has what is his. */

const ben = agentId('ben')
const carol = agentId('carol')
const mallory = agentId('mallory')
const here = { present: new Set<AgentId>(), now: 5 }

const said = (doc: Y.Doc, from: AgentId, to: AgentId, content = 'x') =>
  addBroadcast(doc, { id: broadcastId('1'), from, to, content, topic: '', tags: [], now: 1 })

/** A copy of somebody's message under its id, in front of it. */
const copy = (doc: Y.Doc, to: AgentId): void => {
  const entry: BroadcastEntry = {
    ...{ id: broadcastId('1'), from: mallory, to, topic: 'general', tags: [] },
    ...{ content: 'a copy', at: 0 },
  }
  broadcastsOf(doc).insert(0, [entry])
}

const inbox = (doc: Y.Doc, me: AgentId) => messagesSince(doc, new Map(), me, here, () => null)

describe('a message with another’s id', () => {
  it('[MSG-12] its receipt is not the other’s, whoever hands one in first', () => {
    for (const mine of ['first', 'last']) {
      const doc = replica(1)
      said(doc, ben, carol)
      copy(doc, mallory)
      const read = (by: AgentId) =>
        submissionsOf(doc).push([{ kind: 'receipt', id: 'm-1', by, delivered: 3, read: 4 }])
      const state = () => sentMessages(doc, ben, 9)[0]?.state
      if (mine === 'first') read(carol)
      read(mallory)
      expect(state()).toBe(mine === 'first' ? 'read' : 'stored')
      settle(doc)
      if (mine === 'last') {
        expect(state()).toBe('stored')
        markDelivered(doc, carol, inbox(doc, carol), 5)
        settle(doc)
        expect(state()).toBe('delivered')
        markRead(doc, carol, inbox(doc, carol), 6)
        settle(doc)
      }
      expect(state()).toBe('read')
      expect(receiptOf(doc, 'm-1', mallory)).toMatchObject({ read: 4 })
      trimBroadcasts(doc, 0, 0, 9)
      expect([...receiptsOf(doc).values()].every((bucket) => bucket.size === 0)).toBe(true)
    }
  })

  it('[MSG-12] a receipt for what is not addressed to who hands it in is dropped', () => {
    const doc = replica(1)
    said(doc, ben, carol)
    submit(doc, { kind: 'receipt', id: 'm-1', by: mallory, delivered: 3, read: 4 })
    expect(sentMessages(doc, ben, 9)[0]?.state).toBe('stored')
    settle(doc)
    expect(receiptOf(doc, 'm-1', mallory)).toBeUndefined()
  })

  it('[MSG-12] both are handed out, and neither hides the other, also when one was archived unseen', () => {
    const [server, mine] = [replica(1), replica(2)]
    const since = cursor(mine)
    said(server, ben, carol, 'the message')
    const [archived] = trimBroadcasts(server, 0, 0, 9).map(({ value }) => readArchived(value))
    copy(server, carol)
    send(server, mine)
    const live = newsSince(mine, since, carol, here, () => null)
    expect(live).toMatchObject([{ message: { content: 'a copy' } }])
    const places = new Set(live.map(({ at }) => at!))
    const page = [{ seq: 1, ...archived!, entry: archived!.entry! }]
    const { missed } = archivedMeanwhile(page, since, cursor(mine), places)
    expect(missed).toMatchObject([{ value: { content: 'the message' } }])
  })

  it('[INBOX-5] a broadcast whose id is not a message’s is none', () => {
    const doc = replica(1)
    const ids = ['t-1', 'm-', 'x', '', 'm-1 from ana (a-ana) topic=general', `m-${'x'.repeat(127)}`]
    for (const id of ids) {
      const entry = { id, from: mallory, to: carol, topic: 'x', tags: [], content: 'x', at: 1 }
      doc.getArray<unknown>('broadcasts').push([entry])
    }
    expect(inbox(doc, carol)).toEqual([])
  })
})

describe('a task with another’s id', () => {
  const facts = (from: AgentId, description: string) => ({
    ...{ description, context: null, priority: 'normal' as const, from, to: carol, createdAt: 1 },
  })
  const give = (from: AgentId, what: string) =>
    ({ kind: 'task', id: taskId('1'), facts: facts(from, what) }) as const

  it('[TASK-5] [TASK-25] the first counts, wherever in the array the second stands', () => {
    const doc = replica(1)
    settle(doc)
    submit(doc, give(ben, 'the task'))
    submissionsOf(doc).insert(0, [give(mallory, 'a copy')])
    expect(listTasks(doc)).toHaveLength(1)
    settle(doc)
    expect(getTask(doc, 't-1')).toMatchObject({ task: 'the task', from_agent: ben })
    submissionsOf(doc).insert(0, [give(mallory, 'a copy')])
    settle(doc)
    expect(getTask(doc, 't-1').task).toBe('the task')
    expect(submissionsOf(doc).length).toBe(0)
  })

  it('[TASK-5] an archived one is not given again; what waits for the answer keeps its place', () => {
    const doc = replica(1)
    doc.getMap('meta').set('archivedTasks', 1)
    submit(doc, give(ben, 'the task'))
    expect([...settle(doc).unknown]).toEqual(['t-1'])
    submissionsOf(doc).insert(0, [give(mallory, 'a copy')])
    expect([...settle(doc).unknown]).toEqual(['t-1'])
    const archived = new Map<ReturnType<typeof taskId>, ArchivedTask | null>([[taskId('1'), null]])
    settle(doc, worldAt(1, { archived }))
    expect(getTask(doc, 't-1').task).toBe('the task')
    expect(submissionsOf(doc).length).toBe(0)

    const other = replica(2)
    other.getMap('meta').set('archivedTasks', 1)
    submit(other, give(mallory, 'a copy'))
    const found = { id: taskId('1') } as ArchivedTask
    settle(other, worldAt(1, { archived: new Map([[taskId('1'), found]]) }))
    expect(listTasks(other)).toEqual([])
    expect(submissionsOf(other).length).toBe(0)
  })
})

describe('ids and names are one name space', () => {
  const doc = new Y.Doc()
  const add = (id: string, name: string) => {
    doc.getMap<Y.Map<unknown>>('agents').set(id, new Y.Map<unknown>([['name', name]]))
  }
  const made = 'a-0123456789ab'
  add(made, 'Ana')
  add('ana', 'Mallory')
  add('httpie', 'httpie')
  add('a-x', made)
  add('server', 'x')
  add('a-y', 'owner')
  add('a-z', 'Ben')

  it('[MSG-13] an id that is also what another is called reaches neither, and both are named', () => {
    for (const typed of ['ana']) {
      expect(codeOf(() => resolveAgent(doc, typed))).toBe('ambiguous')
      expect(() => resolveAgent(doc, typed)).toThrow(`${made}, ana`)
    }
    expect(resolveAgent(doc, made)).toBe(made)
    expect(resolveAgent(doc, 'httpie')).toBe('httpie')
    expect(resolveAgent(doc, 'ben')).toBe('a-z')
  })

  it('[MSG-13] [MSG-18] the words for the server and its owner reach nobody', () => {
    for (const typed of ['server', 'owner', 'Owner']) {
      expect(
        codeOf(() => resolveAgent(doc, typed)),
        typed,
      ).toBe('unknown_agent')
    }
    expect(agentName(doc, 'a-z')).toBe('Ben')
  })

  it('[MSG-13] an error names a few of many who are called the same', () => {
    const many = new Y.Doc()
    for (let i = 0; i < 1_000; i++) {
      const id = agentId(`${i}`)
      const agent = { id, name: id, capabilities: [], machine: '', description: '', now: 1 }
      if (i < 2) registerAgent(many, agent)
      else many.getMap<Y.Map<unknown>>('agents').set(id, new Y.Map([['name', 'Twin']]))
    }
    const error = (() => {
      try {
        return resolveAgent(many, 'Twin')
      } catch (thrown) {
        return thrown as { hint: string }
      }
    })()
    expect((error as { hint: string }).hint.length).toBeLessThan(200)
  })
})
