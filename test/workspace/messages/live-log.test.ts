import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { MAX_AHEAD_MS } from '../../../protocol/limits.ts'
import {
  archivedBroadcasts,
  type BroadcastEntry,
  broadcastsOf,
} from '../../../workspace/document/schema.ts'
import { readArchived, trimBroadcasts } from '../../../workspace/inbox/archive.ts'
import { addBroadcast } from '../../../workspace/messages/broadcasts.ts'
import {
  findBroadcasts,
  liveBroadcasts,
  newestBroadcasts,
} from '../../../workspace/messages/live-log.ts'
import { agentId, broadcastId, replica, send, sync } from '../../support/workspace/replicas.ts'

const MINUTE = 60_000
/** The true time, which no clock here has to show. */
const NOON = Date.UTC(2026, 0, 31, 12)

const say = (doc: Y.Doc, name: string, now = NOON) =>
  addBroadcast(doc, {
    ...{ id: broadcastId(name), from: agentId(`${doc.clientID}`), now },
    ...{ content: 'what was learned', topic: '', tags: [] },
  })
/** What a stock Yjs client does. */
const push = (doc: Y.Doc, name: string, more: Partial<BroadcastEntry> = {}) =>
  broadcastsOf(doc).push([
    {
      ...{ id: broadcastId(name), from: agentId('stock'), topic: 't', tags: [], content: '' },
      ...{ at: NOON, ...more },
    },
  ])
const namesOf = (entries: Iterable<BroadcastEntry>) => Array.from(entries, ({ id }) => id.slice(2))
const names = (doc: Y.Doc, now = NOON) => namesOf(liveBroadcasts(doc, now))
const size = (doc: Y.Doc) => Y.encodeStateAsUpdate(doc).length
/** Places that Yjs keeps in the array. */
const places = (doc: Y.Doc): number => {
  let count = 0
  for (let item = broadcastsOf(doc)._start; item !== null; item = item.right) count++
  return count
}
const trim = (doc: Y.Doc, keep: number, now = NOON) =>
  trimBroadcasts(doc, keep, archivedBroadcasts(doc), now).map(({ value }) => readArchived(value))

describe('The place in the array', () => {
  it('[LOG-6] writers who take turns leave no more after 40,000 broadcasts than after 4,000', () => {
    const WRITERS = 20
    const doc = replica(1)
    const written = (from: number, to: number): number => {
      for (let i = from; i < to; i++) {
        doc.clientID = 100 + (i % WRITERS)
        say(doc, `${i}`, NOON + i)
        if (broadcastsOf(doc).length <= 2_000) continue
        doc.clientID = 1
        trim(doc, 1_000, NOON + i)
      }
      doc.clientID = 1
      trim(doc, 1_000, NOON + to)
      return size(doc)
    }
    const before = written(0, 4_000)
    const after = written(4_000, 40_000)
    console.log(`after 4,000: ${before} bytes; after 40,000: ${after} bytes, ${places(doc)} places`)
    // Longer names and clocks.
    expect(after - before).toBeLessThan(10_000)
    expect(places(doc)).toBeLessThan(5 * WRITERS)
  })

  it('[LOG-6] nor do those of whom nothing is live any more when they write again', () => {
    const doc = replica(1)
    const round = (n: number): void => {
      for (let writer = 0; writer < 50; writer++) {
        doc.clientID = 100 + writer
        say(doc, `${n}.${writer}`, NOON + n)
      }
      doc.clientID = 1
      trim(doc, 3, NOON + n)
    }
    for (let n = 0; n < 5; n++) round(n)
    const before = places(doc)
    for (let n = 5; n < 200; n++) round(n)
    expect(places(doc)).toBeLessThanOrEqual(before + 5)
  })

  it('[LOG-6] on replicas of their own, in step or not, with a stock client among them', () => {
    const server = replica(1)
    const writers = [replica(11), replica(12), replica(13)]
    const stock = replica(14)
    let said = 0
    const kept: string[] = []
    for (let round = 0; round < 300; round++) {
      for (const [i, writer] of writers.entries()) {
        if (round % (i + 1) === 0) sync(writer, server)
        say(writer, `${said++}`, NOON + round)
        if (round % 2 === 0) sync(writer, server)
      }
      if (round % 50 === 0) {
        sync(stock, server)
        push(stock, `${said++}`, { at: NOON + round })
        sync(stock, server)
      }
      if (broadcastsOf(server).length > 40) {
        kept.push(...trim(server, 20, NOON + round).map(({ entry }) => entry!.id))
      }
    }
    sync(server, stock, ...writers)
    kept.push(...names(server).map((name) => `m-${name}`))
    expect(kept.sort()).toEqual(Array.from({ length: said }, (_, i) => `m-${i}`).sort())
    for (const doc of [stock, ...writers]) {
      expect(names(doc)).toEqual(names(server))
      expect(broadcastsOf(doc).toJSON()).toEqual(broadcastsOf(server).toJSON())
    }
    expect(places(server)).toBeLessThan(60)
  })

  it('[LOG-6] what was put into the middle is found by its index, too', () => {
    const doc = replica(1)
    for (const client of [5, 6, 5, 6, 5, 6]) {
      doc.clientID = client
      say(doc, `${broadcastsOf(doc).length}`)
      const array = broadcastsOf(doc)
      const all = array.toArray()
      for (let i = all.length - 1; i >= 0; i--) expect(array.get(i)).toBe(all[i])
    }
    expect(namesOf(broadcastsOf(doc).toArray())).toEqual(['0', '2', '4', '1', '3', '5'])
    expect(names(doc)).toEqual(['0', '1', '2', '3', '4', '5'])
    doc.clientID = 7
    broadcastsOf(doc).delete(1, 1)
    expect(names(doc)).toEqual(['0', '1', '3', '4', '5'])
  })
})

describe('The order of the log', () => {
  it('[LOG-7] an answer stands after its question, though its writer’s clock is 20 minutes behind', () => {
    const [ahead, behind] = [replica(9), replica(2)]
    for (let i = 0; i < 6; i++) {
      const entry =
        i % 2 === 0
          ? say(ahead, `${i}`, NOON + 10 * MINUTE + i)
          : say(behind, `${i}`, NOON - 10 * MINUTE + i)
      // What its clock showed stays.
      expect(entry.at - NOON).toBe((i % 2 === 0 ? 10 : -10) * MINUTE + i)
      sync(ahead, behind)
    }
    expect(names(ahead)).toEqual(['0', '1', '2', '3', '4', '5'])
    expect(names(behind)).toEqual(names(ahead))
    expect(namesOf(newestBroadcasts(ahead, NOON))).toEqual(names(ahead).reverse())
  })

  it('[LOG-7] one writer’s are in the order it wrote them, though its clock is set back', () => {
    const doc = replica(1)
    for (const [name, minutes] of [
      ['a', 0],
      ['b', -10],
      ['c', 5],
      ['d', -15],
      ['e', 5],
    ] as const) {
      say(doc, name, NOON + minutes * MINUTE)
    }
    expect(names(doc)).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(trim(doc, 2).map(({ entry }) => entry!.id)).toEqual(['m-a', 'm-b', 'm-c'])
  })

  it('[LOG-7] what comes late has its place among those of its time', () => {
    const [online, away] = [replica(3), replica(2)]
    say(online, 'first', NOON)
    sync(online, away)
    say(away, 'late', NOON + MINUTE)
    say(online, 'then', NOON + 2 * MINUTE)
    say(online, 'now', NOON + 9 * MINUTE)
    sync(online, away)
    say(away, 'after', NOON)
    send(away, online)
    expect(names(online)).toEqual(['first', 'late', 'then', 'now', 'after'])
  })

  it('[LOG-7] what is from too far ahead stands first and goes first, and draws no one along', () => {
    const doc = replica(1)
    say(doc, 'a', NOON)
    push(doc, 'far', { at: NOON + MAX_AHEAD_MS + 1_000 })
    push(doc, 'never', { at: 8.6e15 })
    push(doc, 'infinite', { at: Number.POSITIVE_INFINITY }) // not a time: no entry
    expect(say(doc, 'b', NOON + 1)).not.toHaveProperty('order')
    expect(names(doc)).toEqual(['far', 'never', 'a', 'b'])
    expect(names(doc, NOON + 2_000)).toEqual(['never', 'a', 'b', 'far'])
    const trimmed = trim(doc, 2).flatMap(({ entry }) => entry?.id ?? [])
    expect(trimmed).toEqual(['m-far', 'm-never'])
    expect(names(doc)).toEqual(['a', 'b'])
  })

  it('[INBOX-5] an order that is none makes it no entry', () => {
    const doc = replica(1)
    say(doc, 'a')
    push(doc, 'b', { order: '7' as never })
    push(doc, 'c', { order: null as never })
    say(doc, 'd')
    expect(names(doc)).toEqual(['a', 'd'])
    expect(findBroadcasts(doc, 'm-b')).toEqual([])
    expect(findBroadcasts(doc, 'm-d')).toMatchObject([{ id: 'm-d' }])
    expect(trim(doc, 2).map(({ entry }) => entry)).toEqual([null, null])
  })

  it('[LOG-2] what stands there in a wrong shape is trimmed too, and never shown', () => {
    const doc = replica(1)
    let deep: unknown = 'x'
    for (let i = 0; i < 4_000; i++) deep = [deep]
    const type = new Y.Map([['a', 1]])
    const odd = [null, 7, { n: 10n }, { id: 'm-half' }, type, new Uint8Array(3), deep]
    doc.getArray<unknown>('broadcasts').push(odd)
    push(doc, 'deep', { deep } as never)
    push(doc, 'none', { at: Number.NaN })
    say(doc, 'a', NOON)
    expect(names(doc)).toEqual(['a'])
    const trimmed = trim(doc, 0).map(({ entry }) => entry?.id ?? null)
    expect(trimmed).toEqual([...odd.map(() => null), null, null, 'm-a'])
  })

  it('[LOG-4] who goes on after an entry gets what stood after it, once, however much is archived meanwhile', () => {
    const step = fc.record({
      act: fc.constantFrom('say', 'say', 'say', 'say', 'sync', 'sync', 'trim', 'page', 'page'),
      writer: fc.nat(3),
      pick: fc.nat(6),
    })
    let paged = 0
    fc.assert(
      fc.property(fc.array(step, { maxLength: 90, size: 'max' }), (steps) => {
        const server = replica(50)
        const writers = [replica(1), replica(60), replica(7), replica(90)]
        const skews = [0, 10, -10, 3]
        const archive: string[] = []
        const log = () => [...archive, ...liveBroadcasts(server, NOON).map(({ id }) => id)]
        const shown: string[] = []
        /** In the log when the reader passed its place, or to come after it. */
        let due: string[] = []
        const known = new Set<string>()
        const note = () => {
          const all = log()
          const place = shown.length === 0 ? -1 : all.indexOf(shown.at(-1) as never)
          for (const [i, id] of all.entries()) {
            if (known.has(id)) continue
            known.add(id)
            if (i > place) due.push(id)
          }
        }
        let said = 0
        steps.forEach(({ act, writer, pick }, i) => {
          const doc = writers[writer]!
          if (act === 'say') say(doc, `${said++}`, NOON + skews[writer]! * MINUTE + i)
          else if (act === 'sync') sync(doc, server)
          else if (act === 'trim') {
            archive.push(...trim(server, pick).map(({ entry }) => entry!.id))
          } else {
            const all = log()
            const from = shown.length === 0 ? 0 : all.indexOf(shown.at(-1) as never) + 1
            shown.push(...all.slice(from, from + pick))
            paged++
          }
          note()
        })
        const all = log()
        shown.push(...all.slice(shown.length === 0 ? 0 : all.indexOf(shown.at(-1) as never) + 1))
        due = due.sort()
        expect([...shown].sort()).toEqual(due)
      }),
      { numRuns: 500 },
    )
    expect(paged).toBeGreaterThan(500)
  })
})
