import { describe, expect, it } from 'vitest'
import type * as Y from 'yjs'
import type { AgentId } from '../../../protocol/ids.ts'
import { markSeen } from '../../../workspace/agents/agents.ts'
import { agentsOf, isoTime } from '../../../workspace/document/schema.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { DIGEST_BROADCASTS, welcomeMessages } from '../../../workspace/inbox/digest.ts'
import { byPriority, groupFiles, MANY_FILES } from '../../../workspace/inbox/inbox.ts'
import type { Message } from '../../../workspace/messages/message.ts'
import { markDelivered, markRead } from '../../../workspace/tasks/receipts.ts'
import { CANCEL_GRACE_MS } from '../../../workspace/tasks/task-commands.ts'
import {
  ann,
  bob,
  give,
  idsOf,
  inbox,
  note,
  reader,
  register,
  say,
} from '../../support/workspace/inbox.ts'
import { agentId, move, replica, send, settle, worldAt } from '../../support/workspace/replicas.ts'

describe('welcomeMessages', () => {
  it('[INBOX-7] has the open tasks, unread direct messages, and a digest of the newest', () => {
    const doc = replica(1)
    register(doc, ann, 'Ann', ['t'])
    give(doc, 'open', bob, ann)
    give(doc, 'done', bob, ann)
    give(doc, 'other', bob, bob)
    move(doc, { task: 't-done', by: ann, state: 'completed', message: '', key: 'k', now: 1 })
    for (let i = 0; i < 30; i++) {
      const topic = i % 2 === 0 ? 't' : 'other'
      say(doc, `${i}`, bob, i, { topic, content: '😀'.repeat(i === 28 ? 201 : 200) })
    }
    for (const name of ['read', 'unread']) say(doc, name, bob, 99, { to: ann })
    const read = inbox(doc, new Map()).filter(({ message_id }) => message_id === 'm-read')
    markDelivered(doc, ann, read, 1)
    markRead(doc, ann, read, 1)

    const messages = welcomeMessages(doc, ann, 7)
    expect(idsOf(messages)).toEqual(['t-open', 'm-unread', 'digest@1970-01-01T00:00:00.007Z'])
    const digest = messages[2] as Extract<Message, { type: 'digest' }>
    expect(digest).toMatchObject({ from_agent: '', to_agent: ann, total: 32 })
    expect(digest.hint).toBe('clawlink-agent log')
    expect(idsOf(digest.broadcasts)).toEqual(
      [10, 12, 14, 16, 18, 20, 22, 24, 26, 28].map((i) => `m-${i}`),
    )
    expect(digest.broadcasts).toHaveLength(DIGEST_BROADCASTS)
    expect(digest.broadcasts.at(-1)!.content).toBe(`${'😀'.repeat(200)}…(+1 characters)`)
    expect(digest.broadcasts[0]!.content).toBe('😀'.repeat(200))
    expect(welcomeMessages(replica(2), ann, 7)).toEqual([])
  })
})

it('[INBOX-10] hands out by priority, and otherwise in the order of arrival', () => {
  const doc = replica(1)
  for (const priority of ['low', 'normal', 'urgent', 'high'] as const) {
    give(doc, priority, bob, ann, priority)
  }
  say(doc, 'x', bob, 0)
  const waiting = inbox(doc, new Map()).map((message) => ({ message }))
  expect(idsOf(waiting.map(({ message }) => message))).toEqual([
    ...['m-x', 't-high', 't-low', 't-normal', 't-urgent'],
  ])
  expect(idsOf(byPriority(waiting).map(({ message }) => message))).toEqual([
    ...['t-urgent', 't-high', 'm-x', 't-normal', 't-low'],
  ])
})

describe('messagesSince: notes and cancellations', () => {
  const cat = agentId('cat')
  const seen = (doc: Y.Doc, me: AgentId, type: Message['type']) =>
    inbox(doc, new Map(), me).filter((message) => message.type === type)

  it('[INBOX-12] a note reaches creator, owner and addressee, except its author', () => {
    const doc = replica(1)
    give(doc, 'x', ann, bob)
    note(doc, 't-x', bob, 'which branch?', 5)
    const expected = {
      type: 'task_note',
      message_id: 't-x',
      from_agent: bob,
      to_agent: ann,
      timestamp: '1970-01-01T00:00:00.005Z',
      text: 'which branch?',
    }
    expect(seen(doc, ann, 'task_note')).toEqual([expected])
    expect(seen(doc, bob, 'task_note')).toEqual([])
    expect(seen(doc, cat, 'task_note')).toEqual([])
    register(doc, cat)
    give(doc, 'y', ann, null)
    move(doc, { task: 't-y', by: cat, state: 'working', message: '', key: 'k', now: 1 })
    note(doc, 't-y', ann, 'main', 6)
    expect(seen(doc, cat, 'task_note')).toMatchObject([{ message_id: 't-y', text: 'main' }])
  })

  it('[INBOX-12] [INBOX-22] tells owner or addressee that their task was canceled', () => {
    const doc = replica(1)
    give(doc, 'x', ann, bob)
    register(doc, cat)
    give(doc, 'y', ann, null)
    move(doc, { task: 't-y', by: cat, state: 'working', message: '', key: 'k', now: 1 })
    for (const task of ['t-x', 't-y']) {
      move(doc, { task, by: ann, state: 'canceled', message: 'moot', key: 'c', now: 2 })
    }
    expect(seen(doc, bob, 'task_canceled')).toMatchObject([
      { message_id: 't-x', from_agent: ann, to_agent: bob, reason: 'moot' },
    ])
    // Who works on it is asked first.
    expect(seen(doc, cat, 'task_canceled')).toEqual([])
    expect(seen(doc, cat, 'task_update')).toMatchObject([
      { message_id: 't-y', event: 'cancel-asked', text: 'moot' },
    ])
    settle(doc, worldAt(2 + CANCEL_GRACE_MS))
    expect(seen(doc, cat, 'task_canceled')).toMatchObject([{ message_id: 't-y', reason: 'moot' }])
    expect(seen(doc, ann, 'task_canceled')).toEqual([])
  })
})

describe('messagesSince: tasks', () => {
  it('[INBOX-2] hands a delegation to its addressee', () => {
    const doc = replica(1)
    give(doc, 'x', bob, ann)
    give(doc, 'y', bob, agentId('cat'))
    expect(inbox(doc, new Map())).toEqual([
      {
        type: 'task_delegation',
        message_id: 't-x',
        from_agent: bob,
        to_agent: ann,
        timestamp: '1970-01-01T00:00:00.001Z',
        task: 'x',
        context: null,
        priority: 'high',
      },
    ])
  })

  it('[INBOX-3] tells the creator every transition, also of several between two looks', () => {
    const [server, mine] = [replica(1), replica(2)]
    give(server, 'x', ann, bob)
    send(server, mine)
    const look = reader(mine)
    const step = (state: 'working' | 'completed', message: string, now: number) =>
      move(server, { task: 't-x', by: bob, state, message, key: message, now })
    step('working', 'began', 10)
    send(server, mine)
    expect(look()).toMatchObject([{ type: 'task_response', status: 'in_progress' }])
    step('working', 'half', 20)
    step('working', 'more', 30)
    step('completed', 'done', 40)
    send(server, mine)
    expect(look()).toMatchObject([
      { message_id: 't-x', from_agent: bob, to_agent: ann, result: 'half', status: 'in_progress' },
      { result: 'more', status: 'in_progress' },
      { result: 'done', status: 'completed', timestamp: '1970-01-01T00:00:00.040Z' },
    ])
    expect(look()).toEqual([])
    expect(inbox(mine, new Map(), agentId('cat'))).toEqual([])
  })

  it('[INBOX-2] does not answer me what I did myself', () => {
    const doc = replica(1)
    give(doc, 'x', ann, bob)
    move(doc, { task: 't-x', by: ann, state: 'canceled', message: '', key: 'k', now: 1 })
    expect(inbox(doc, new Map())).toEqual([])
  })
})

describe('messagesSince: agents', () => {
  it('[INBOX-4] tells a first registration, not a later one, nor a sighting, nor the record written anew', () => {
    const [server, mine] = [replica(1), replica(2)]
    const look = reader(mine)
    register(server, bob, 'Bob')
    register(server, ann)
    send(server, mine)
    expect(look()).toMatchObject([
      { type: 'agent_joined', from_agent: bob, agent: { agent_id: bob, name: 'Bob' } },
    ])
    register(server, bob, 'Robert')
    markSeen(server, bob, 4000)
    agentsOf(server).set(bob, agentsOf(server).get(bob)!.clone())
    send(server, mine)
    expect(look()).toEqual([])
  })
})

describe('messagesSince: files', () => {
  const put = (doc: Y.Doc, content: string, by: AgentId, now = 1) =>
    putFile(doc, { key: 'plan.md', content, base: null, force: true, by, now })

  it('[INBOX-4] tells the newest state of a file that others changed', () => {
    const [theirs, mine] = [replica(1), replica(2)]
    const look = reader(mine)
    put(theirs, 'a', bob)
    put(theirs, 'b', bob, 20)
    send(theirs, mine)
    expect(look()).toEqual([
      {
        type: 'file_updated',
        message_id: 'plan.md@2',
        from_agent: bob,
        to_agent: null,
        timestamp: '1970-01-01T00:00:00.020Z',
        file_key: 'plan.md',
        version: 2,
        last_editor: bob,
      },
    ])
    expect(look()).toEqual([])
  })

  it('[INBOX-2] does not tell me my own edit, and does not let it hide another’s before it', () => {
    const [theirs, mine] = [replica(1), replica(2)]
    const look = reader(mine)
    put(mine, 'a', ann, 1)
    expect(look()).toEqual([])
    send(mine, theirs)
    put(theirs, 'b', bob, 2)
    send(theirs, mine)
    put(mine, 'c', ann, 3)
    expect(look()).toMatchObject([{ type: 'file_updated', version: 3, last_editor: bob }])
  })
})

it('[INBOX-13] many files changed in one go are one message; a few are one each', () => {
  const file = (n: number): Message => ({
    type: 'file_updated',
    message_id: `f${n}@1`,
    from_agent: bob,
    to_agent: null,
    timestamp: isoTime(n),
    file_key: `f${String(n).padStart(3, '0')}`,
    version: 1,
    last_editor: bob,
  })
  const few = Array.from({ length: MANY_FILES }, (_, n) => file(n))
  expect(groupFiles(few)).toEqual(few)
  const many = [...few, file(100), { ...file(101), from_agent: ann }]
  expect(groupFiles(many)).toMatchObject([
    { type: 'files_changed', from_agent: bob, updated: 21, removed: 0, timestamp: isoTime(100) },
    { type: 'file_updated', from_agent: ann },
  ])
})
