import { expect, it } from 'vitest'
import * as Y from 'yjs'
import type { InsertRun } from '../../../lib/attribution/runs.ts'
import { addRuns, type DeleteRun, runsOf, sortRuns } from '../../../lib/attribution/runs.ts'
import { deletedIn, stringIn } from '../../../lib/yjs/internals.ts'
import { cutByRuns, spansOf } from '../../../workspace/authorship/attribution.ts'
import { blame } from '../../../workspace/authorship/blame.ts'
import { DeletedTexts, deletedParts } from '../../../workspace/authorship/deleted.ts'

const NAMES = ['anna', 'ben', 'cara']
const AT = 1_700_000_000_000

/** A text whose writers are the Yjs client ids 1, 2 and 3; each change is a second later than the one before. */
const written = () => {
  const doc = new Y.Doc()
  const text = doc.getText('file:t')
  const inserts = new Map<number, InsertRun[]>()
  const deletes = new Map<number, DeleteRun[]>()
  const texts: { client: number; clock: number; text: string }[] = []
  let at = AT
  let who = { by: 'anna', task: null as string | null }
  doc.on('afterTransaction', (transaction: Y.Transaction) => {
    deletedIn(transaction, (item, from, end) => {
      const words = stringIn(item)
      if (words === null) return
      const { client, clock } = item.id
      texts.push({ client, clock: from, text: words.slice(from - clock, end - clock) })
    })
  })
  doc.on('update', (update: Uint8Array) => {
    const runs = runsOf(at, [update], [{ ...who, via: null }])
    addRuns(inserts, runs.inserts)
    addRuns(deletes, runs.deletes)
    sortRuns(deletes)
  })
  const as = (name: string, change: (text: Y.Text) => void, task: string | null = null): void => {
    doc.clientID = NAMES.indexOf(name) + 1
    who = { by: name, task }
    at += 1_000
    change(text)
  }
  const agentOf = (client: number) => NAMES[client - 1]!
  const runs = { inserts, deletes }
  return { doc, text, as, agentOf, runs, texts }
}
const time = (seconds: number) => new Date(AT + seconds * 1_000).toISOString()

it('[BLAME-6] lines of one origin are a range; others’ parts of a line are named with their columns', () => {
  const { text, as, agentOf, runs } = written()
  as('anna', (text) => text.insert(0, 'one\ntwo\nthree\n\n'), 't-1')
  as('ben', (text) => text.insert(4, 'twenty-'))
  as('cara', (text) => text.insert(text.length, 'the end'))
  as('anna', (text) => text.insert(0, 'zero\n'), 't-1')
  expect(text.toJSON()).toBe('zero\none\ntwenty-two\nthree\n\nthe end')
  const anna = { agent_id: 'anna', task_id: 't-1', via: null }
  const ben = { agent_id: 'ben', task_id: null, via: null, at: time(2) }
  const all = blame(spansOf(text), runs, agentOf)
  expect(all).toEqual([
    { from_line: 1, to_line: 2, ...anna, at: time(4) },
    {
      ...{ from_line: 3, to_line: 3, ...ben },
      parts: [{ from_column: 8, to_column: 10, text: 'two', ...anna, at: time(1) }],
    },
    { from_line: 4, to_line: 5, ...anna, at: time(1) },
    { from_line: 6, to_line: 6, agent_id: 'cara', task_id: null, via: null, at: time(3) },
  ])
  expect(blame(spansOf(text), runs, agentOf, { from: 2, to: 3 })).toEqual([
    { ...all[0], from_line: 2, at: time(1) },
    all[1],
  ])
  expect(blame(spansOf(text), runs, agentOf, { from: 7, to: 9 })).toEqual([])
  // A version without attribution stored it: the author is known, the rest is not.
  const bare = { inserts: new Map(), deletes: new Map() }
  expect(blame(spansOf(text), bare, agentOf)[0]).toEqual({
    ...{ from_line: 1, to_line: 2, agent_id: 'anna', task_id: null, via: null, at: null },
  })
})

it('[BLAME-7] deleted text is shown where it stood: by whom it was deleted, and whose it was', () => {
  const { text, as, agentOf, runs, texts } = written()
  as('anna', (text) => text.insert(0, 'one\ntwo\nthree\n'))
  as('ben', (text) => text.delete(4, 3), 't-2')
  as('ben', (text) => text.insert(4, '2'))
  as('cara', (text) => text.delete(2, 2))
  expect(text.toJSON()).toBe('on2\nthree\n')
  const kept = new DeletedTexts(texts)
  expect(deletedParts(spansOf(text, true), runs, agentOf, kept)).toEqual([
    {
      ...{ line: 1, agent_id: 'cara', task_id: null, via: null, at: time(4) },
      ...{ author_id: 'anna', text: 'e\n', length: 2 },
    },
    {
      ...{ line: 1, agent_id: 'ben', task_id: 't-2', via: null, at: time(2) },
      ...{ author_id: 'anna', text: 'two', length: 3 },
    },
  ])
  const none = new DeletedTexts([])
  expect(deletedParts(spansOf(text, true), runs, agentOf, none)).toMatchObject([
    { text: null, length: 2 },
    { text: null, length: 3 },
  ])
  expect(deletedParts(spansOf(text, true), runs, agentOf, kept, { from: 2, to: 2 })).toEqual([])
})

it('[BLAME-7] of a text of which parts are kept, these are shown', () => {
  const texts = new DeletedTexts([
    { client: 1, clock: 5, text: 'fgh' },
    { client: 1, clock: 0, text: 'abc' },
  ])
  expect(texts.textOf(1, 0, 8)).toBe('abcfgh')
  expect(texts.textOf(1, 1, 6)).toBe('bcf')
  expect([texts.textOf(1, 3, 5), texts.textOf(2, 0, 9)]).toEqual([null, null])
})

it('[BLAME-6] operations are cut where their runs begin and end, whatever the runs leave out', () => {
  const run = (clock: number, length: number): InsertRun => ({
    ...{ client: 1, clock, length, at: 0, task: null, via: null },
  })
  const runs = [run(2, 3), run(5, 1), run(9, 2)]
  const cuts = (clock: number, end: number) =>
    cutByRuns(runs, clock, end).map(({ run, clock, end }) => [run?.clock ?? null, clock, end])
  expect(cuts(0, 12)).toEqual([
    [null, 0, 2],
    [2, 2, 5],
    [5, 5, 6],
    [null, 6, 9],
    [9, 9, 11],
    [null, 11, 12],
  ])
  expect(cuts(3, 5)).toEqual([[2, 3, 5]])
  expect(cuts(20, 21)).toEqual([[null, 20, 21]])
  expect(cuts(3, 3)).toEqual([])
})
