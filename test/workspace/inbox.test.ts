import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { type Here, markSeen, registerAgent } from '../../workspace/agents.ts'
import { addBroadcast } from '../../workspace/broadcasts.ts'
import { fileVersion, putFile } from '../../workspace/files.ts'
import type { AgentId } from '../../workspace/ids.ts'
import { type Message, messagesSince, type StateVector } from '../../workspace/inbox.ts'
import { agentsOf, broadcastsOf } from '../../workspace/schema.ts'
import { addTask, moveTask } from '../../workspace/tasks.ts'
import { agentId, broadcastId, cursor, replica, send, sync, taskId } from './replicas.ts'

const ann = agentId('ann')
const bob = agentId('bob')
const here: Here = { present: new Set(), now: 5000 }

const inbox = (doc: Y.Doc, since: StateVector, me = ann): Message[] =>
  messagesSince(doc, since, me, here, (id) => fileVersion(doc, id))

const idsOf = (messages: readonly Message[]) => messages.map(({ message_id }) => message_id)

const say = (doc: Y.Doc, name: string, from = bob, now = 1) =>
  addBroadcast(doc, { id: broadcastId(name), from, content: name, topic: '', tags: [], now })

const register = (doc: Y.Doc, id: AgentId, name: string = id) =>
  registerAgent(doc, { id, name, capabilities: [], machine: '', description: '', now: 1 })

const give = (doc: Y.Doc, name: string, from: AgentId, to: AgentId | null) =>
  addTask(doc, {
    id: taskId(name),
    description: name,
    context: null,
    priority: 'high',
    from,
    to,
    now: 1,
  })

/** A reader of a replica that looks now and then, as an agent's inbox does. */
const reader = (doc: Y.Doc, me = ann) => {
  let since = cursor(doc)
  return (): Message[] => {
    const messages = inbox(doc, since, me)
    since = cursor(doc)
    return messages
  }
}

describe('messagesSince: broadcasts', () => {
  it('[I1] hands out each once, with the fields of 1.x, and none of my own', () => {
    const doc = replica(1)
    const look = reader(doc)
    say(doc, 'x')
    say(doc, 'mine', ann)
    expect(look()).toEqual([
      {
        type: 'knowledge_broadcast',
        message_id: 'm-x',
        from_agent: bob,
        to_agent: null,
        timestamp: '1970-01-01T00:00:00.001Z',
        content: 'x',
        topic: 'general',
        tags: [],
      },
    ])
    expect(look()).toEqual([])
  })

  it('[I2] shows a direct message to its addressee only', () => {
    const doc = replica(1)
    broadcastsOf(doc).push([{ ...say(replica(9), 'direct'), to: ann }])
    expect(idsOf(inbox(doc, new Map(), ann))).toEqual(['m-direct'])
    expect(idsOf(inbox(doc, new Map(), agentId('cat')))).toEqual([])
  })

  it('[I1] finds what an offline peer wrote, though it merges in before what was read', () => {
    const [mine, offline, other] = [replica(1), replica(2), replica(3)]
    for (let i = 0; i < 20; i++) {
      say(offline, `offline ${i}`)
      say(other, `other ${i}`)
    }
    const look = reader(mine)
    send(other, mine)
    expect(look().length).toBe(20)
    send(offline, mine)
    expect(broadcastsOf(mine).get(0).id).toBe('m-offline 0')
    expect(look().map(({ message_id }) => message_id)).toEqual(
      Array.from({ length: 20 }, (_, i) => `m-offline ${i}`).sort(),
    )
  })

  it('[I1] reads the new part of an item that Yjs has joined with a read one', () => {
    const [writer, mine] = [replica(2), replica(1)]
    const look = reader(mine)
    for (const names of [['a', 'b'], ['c'], ['d', 'e', 'f']]) {
      for (const name of names) say(writer, name)
      send(writer, mine)
      expect(mine.store.clients.get(2)?.length).toBe(1)
      expect(idsOf(look())).toEqual(names.map((name) => `m-${name}`))
    }
  })

  it('[I1] neither skips nor repeats, whatever order updates come in', () => {
    const step = fc.record({
      writer: fc.nat(2),
      act: fc.constantFrom('say', 'say', 'say', 'sync', 'look', 'deliver', 'deliver'),
      pick: fc.nat(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        // The reader's client id is between the writers', so that what merges in may come before and after.
        const mine = replica(2)
        const writers = [replica(1), replica(3), replica(4)]
        const under: Uint8Array[] = []
        for (const writer of writers) {
          writer.on('update', (update: Uint8Array, origin: unknown) => {
            if (origin !== 'sync') under.push(update)
          })
        }
        const look = reader(mine)
        const got: string[] = []
        let said = 0
        for (const { writer, act, pick } of steps) {
          const doc = writers[writer]!
          const peer = writers[pick % 3]!
          if (act === 'say') say(doc, `${said++}`)
          else if (act === 'look') got.push(...idsOf(look()))
          else if (act === 'sync') Y.applyUpdate(doc, Y.encodeStateAsUpdate(peer), 'sync')
          else if (under.length > 0) Y.applyUpdate(mine, under[pick % under.length]!)
        }
        for (const writer of writers) send(writer, mine)
        got.push(...idsOf(look()))
        expect(got.sort()).toEqual(Array.from({ length: said }, (_, i) => `m-${i}`).sort())
      }),
      { numRuns: 400 },
    )
  })
})

describe('messagesSince: tasks', () => {
  it('[I2] hands a delegation to its addressee', () => {
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

  it('[I3] tells the creator every transition, also of several between two looks', () => {
    const [server, mine] = [replica(1), replica(2)]
    give(mine, 'x', ann, bob)
    sync(server, mine)
    const look = reader(mine)
    const move = (state: 'working' | 'completed', message: string, now: number) =>
      moveTask(server, { task: 't-x', by: bob, state, message, key: message, now })
    move('working', 'began', 10)
    send(server, mine)
    expect(look()).toMatchObject([{ type: 'task_response', status: 'in_progress' }])
    move('working', 'half', 20)
    move('working', 'more', 30)
    move('completed', 'done', 40)
    send(server, mine)
    expect(look()).toMatchObject([
      { message_id: 't-x', from_agent: bob, to_agent: ann, result: 'half', status: 'in_progress' },
      { result: 'more', status: 'in_progress' },
      { result: 'done', status: 'completed', timestamp: '1970-01-01T00:00:00.040Z' },
    ])
    expect(look()).toEqual([])
    expect(inbox(mine, new Map(), agentId('cat'))).toEqual([])
  })

  it('[I2] does not answer me what I did myself', () => {
    const doc = replica(1)
    give(doc, 'x', ann, bob)
    moveTask(doc, { task: 't-x', by: ann, state: 'canceled', message: '', key: 'k', now: 1 })
    expect(inbox(doc, new Map())).toEqual([])
  })
})

describe('messagesSince: agents', () => {
  it('[I4] tells a first registration, not a later one, nor a sighting, nor the record written anew', () => {
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

  it('[I4] tells the newest state of a file that others changed', () => {
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

  it('[I2] does not tell me my own edit, and does not let it hide another’s before it', () => {
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
