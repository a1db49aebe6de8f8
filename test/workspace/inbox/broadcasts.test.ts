import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { broadcastsOf } from '../../../workspace/document/schema.ts'
import { trimBroadcasts } from '../../../workspace/inbox/archive.ts'
import { ann, bob, idsOf, inbox, reader, register, say } from '../../support/workspace/inbox.ts'
import { agentId, replica, send } from '../../support/workspace/replicas.ts'

describe('messagesSince: broadcasts', () => {
  it('[INBOX-1] hands out each once, with the fields of 1.x, and none of my own', () => {
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

  it('[INBOX-2] shows a direct message to its addressee only', () => {
    const doc = replica(1)
    say(doc, 'direct', bob, 1, { to: ann, replyTo: 'm-other' })
    const [message] = inbox(doc, new Map(), ann)
    expect(message).toMatchObject({
      type: 'direct_message',
      message_id: 'm-direct',
      to_agent: ann,
      reply_to: 'm-other',
    })
    expect(idsOf(inbox(doc, new Map(), agentId('cat')))).toEqual([])
  })

  it('[INBOX-1] finds what an offline peer wrote, though it merges in before what was read', () => {
    const [mine, offline, other] = [replica(1), replica(2), replica(3)]
    for (let i = 0; i < 20; i++) {
      say(offline, `offline-${i}`)
      say(other, `other-${i}`)
    }
    const look = reader(mine)
    send(other, mine)
    expect(look().length).toBe(20)
    send(offline, mine)
    expect(broadcastsOf(mine).get(0).id).toBe('m-offline-0')
    expect(look().map(({ message_id }) => message_id)).toEqual(
      Array.from({ length: 20 }, (_, i) => `m-offline-${i}`).sort(),
    )
  })

  it('[INBOX-1] reads the new part of an item that Yjs has joined with a read one', () => {
    const [writer, mine] = [replica(2), replica(1)]
    const look = reader(mine)
    for (const names of [['a', 'b'], ['c'], ['d', 'e', 'f']]) {
      for (const name of names) say(writer, name)
      send(writer, mine)
      expect(mine.store.clients.get(2)?.length).toBe(1)
      expect(idsOf(look())).toEqual(names.map((name) => `m-${name}`))
    }
  })

  it('[INBOX-1] neither skips nor repeats, whatever order updates come in', () => {
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

it('[INBOX-9] [INBOX-21] broadcasts are for subscribers of their topic, direct messages for their addressee', () => {
  const doc = replica(1)
  register(doc, ann, 'Ann', ['builds', 'release'])
  const speak = () => {
    say(doc, '1', bob, 1, { topic: 'builds' })
    say(doc, '2', bob, 1, { topic: 'lunch' })
    say(doc, '3', bob, 1, { topic: 'lunch', to: ann })
  }
  speak()
  expect(idsOf(inbox(doc, new Map()))).toEqual(['m-1', 'm-3'])
  register(doc, ann, 'Ann') // keeps the topics
  expect(idsOf(inbox(doc, new Map()))).toEqual(['m-1', 'm-3'])
  register(doc, ann, 'Ann', [])
  expect(idsOf(inbox(doc, new Map()))).toEqual(['m-1', 'm-2', 'm-3'])
})

/** Counts, from now on, how often somebody looks at an item of `doc`, by its place in the store or by its neighbour. */
const countLooks = (doc: Y.Doc): (() => number) => {
  let looks = 0
  for (const [client, structs] of doc.store.clients) {
    for (const item of structs) {
      if (!(item instanceof Y.Item)) continue
      let { info } = item
      Object.defineProperty(item, 'info', {
        get: () => {
          looks++
          return info
        },
        set: (value: number) => {
          info = value
        },
      })
    }
    const counted = new Proxy(structs, {
      get: (target, key) => {
        if (typeof key === 'string' && /^\d+$/.test(key)) looks++
        return Reflect.get(target, key)
      },
    })
    doc.store.clients.set(client, counted)
  }
  return () => looks
}

it('[INBOX-11] 100 times as many broadcasts before, most of them archived, make a look no more work', () => {
  const workAfter = (count: number): number => {
    const doc = replica(1)
    for (let said = 0; said < count; said += 50) {
      doc.transact(() => {
        for (let i = 0; i < 50; i++) {
          say(doc, `${said + i}`)
          doc.getMap('other').set('k', i) // between two broadcasts, or Yjs makes one item of all
        }
      })
      trimBroadcasts(doc, 50, said, 1)
    }
    expect(broadcastsOf(doc)).toHaveLength(50)
    const look = reader(doc)
    say(doc, 'new')
    const looks = countLooks(doc)
    expect(look()).toHaveLength(1)
    return looks()
  }
  const [short, long] = [workAfter(100), workAfter(10_000)]
  console.log(`items looked at after 100 broadcasts: ${short}; after 10,000: ${long}`)
  expect(short).toBeGreaterThan(0)
  expect(Math.max(short, long)).toBeLessThan(20)
})
