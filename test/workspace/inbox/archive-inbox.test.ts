import fc from 'fast-check'
import { expect, it } from 'vitest'
import type * as Y from 'yjs'
import { archivedBroadcasts } from '../../../workspace/document/schema.ts'
import { readArchived, trimBroadcasts } from '../../../workspace/inbox/archive.ts'
import {
  type ArchivedBroadcast,
  archivedMeanwhile,
  newsSince,
} from '../../../workspace/inbox/inbox.ts'
import { addBroadcast } from '../../../workspace/messages/broadcasts.ts'
import { agentId, broadcastId, cursor, replica, send } from '../../support/workspace/replicas.ts'

const ann = agentId('ann')
const bob = agentId('bob')
const PAGE = 3

const say = (doc: Y.Doc, name: string, from = bob) =>
  addBroadcast(doc, { id: broadcastId(name), from, content: 'x', topic: '', tags: [], now: 1 })

/** A server that trims, as sync-server does, and its archive. */
const trimmingServer = () => {
  const doc = replica(5)
  const archive: ArchivedBroadcast[] = []
  const trim = (keep: number): void => {
    for (const { value } of trimBroadcasts(doc, keep, archive.length, 1)) {
      const { client, clock, entry } = readArchived(value)
      archive.push({ seq: archive.length + 1, client, clock, entry: entry! })
    }
  }
  return { doc, archive, trim }
}

/** An inbox of ann, as workspace/inbox/mailbox.ts keeps it; `meanwhile` happens between its snapshot and its asking. */
const inboxOf = (doc: Y.Doc, archive: readonly ArchivedBroadcast[]) => {
  const got: string[] = []
  let since = cursor(doc)
  let position = archivedBroadcasts(doc)
  return {
    got,
    look: (meanwhile: () => void): void => {
      const here = { present: new Set<never>(), now: 1 }
      const now = cursor(doc)
      const live = newsSince(doc, since, ann, here, () => null)
      const due = archivedBroadcasts(doc) > position
      meanwhile()
      if (due) {
        let upTo: number | null = null
        for (let after = position; ; after += PAGE) {
          const page = archive.slice(after, after + PAGE)
          const found = archivedMeanwhile(page, since, now, new Set(live.map(({ at }) => at!)))
          got.push(
            ...found.missed
              .map(({ value }) => value)
              .filter(({ from }) => from !== ann)
              .map(({ id }) => id),
          )
          upTo ??= found.upTo
          if (page.length > 0) continue
          position = upTo ?? archive.length
          break
        }
      }
      got.push(...live.map(({ message }) => message.message_id))
      since = now
    },
  }
}

it('[INBOX-8] what was trimmed before it was seen comes from the archive: nothing skipped, nothing twice', () => {
  const act = fc.constantFrom('say', 'say', 'say', 'push', 'push', 'trim', 'pull')
  const step = fc.record({ act, writer: fc.nat(3), pick: fc.nat(6) })
  const look = fc.record({
    act: fc.constant('look' as const),
    between: fc.array(step, { maxLength: 5 }),
  })
  let trimmedUnseen = 0
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 5, arbitrary: step }, look), { maxLength: 80 }),
      (steps) => {
        const server = trimmingServer()
        const mine = replica(2)
        const writers = [replica(1), replica(3), replica(9), mine]
        const inbox = inboxOf(mine, server.archive)
        let said = 0
        const others: string[] = []
        const run = ({
          act,
          writer,
          pick,
        }: {
          act: string
          writer: number
          pick: number
        }): void => {
          const doc = writers[writer]!
          if (act === 'say') {
            if (doc !== mine) others.push(`m-${said}`)
            say(doc, `${said++}`, doc === mine ? ann : bob)
          } else if (act === 'push') {
            send(doc, server.doc)
            if (pick < 2 && doc !== mine) send(server.doc, doc)
          } else if (act === 'trim') server.trim(pick)
          else send(server.doc, mine)
        }
        for (const step of steps) {
          if (step.act === 'look')
            inbox.look(() => step.between.filter(({ act }) => act !== 'pull').forEach(run))
          else run(step)
        }
        for (const writer of writers) send(writer, server.doc)
        server.trim(2)
        send(server.doc, mine)
        const before = inbox.got.length
        inbox.look(() => server.trim(0))
        if (inbox.got.length - before > 2) trimmedUnseen++
        expect(inbox.got.sort()).toEqual(others.sort())
      },
    ),
    { numRuns: 600 },
  )
  expect(trimmedUnseen).toBeGreaterThan(50)
})

it('[INBOX-8] what was archived before it came here is still to come', () => {
  const entry = say(replica(1), 'x')
  const at = (seq: number, client: number, clock: number) => ({ seq, client, clock, entry })
  const page = [at(8, 1, 0), at(9, 7, 4), at(10, 1, 1)]
  const found = archivedMeanwhile(
    page,
    new Map([[1, 1]]),
    new Map([
      [1, 2],
      [7, 4],
    ]),
    new Set(),
  )
  expect(found).toEqual({ missed: [{ client: 1, clock: 1, value: entry }], upTo: 8 })
})
