import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import type { AgentId } from '../../../protocol/ids.ts'
import { SeenNotes } from '../../../sync-server/tasks/seen.ts'
import { lastSeen, registerAgent } from '../../../workspace/agents/agents.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const idOf = (number: number) => `a-${number}` as AgentId
const shown = (number: number) =>
  JSON.stringify({ agent: { id: idOf(number), name: `N${number}` } })

const openRoom = (agents: number) => {
  const doc = new Y.Doc()
  for (let number = 0; number < agents; number++) {
    const is = { id: idOf(number), name: `N${number}`, machine: '', description: '', now: 1 }
    registerAgent(doc, { ...is, capabilities: [] })
  }
  let updates = 0
  doc.on('update', () => updates++)
  const command = async <T>(change: (doc: Y.Doc) => T): Promise<T> =>
    doc.transact(() => change(doc))
  const failures: unknown[] = []
  const notes = new SeenNotes({ doc, command } as never, Date.now, (error) => failures.push(error))
  const seen = () =>
    Array.from({ length: agents }, (_, number) => lastSeen(doc, idOf(number))).filter(
      (at) => at > 1,
    ).length
  return { notes, seen, updates: () => updates, failures }
}

it('[PRESENCE-11] agents that come within ten seconds are noted as seen by two writes', () => {
  const { notes, seen, updates, failures } = openRoom(500)
  for (let number = 0; number < 500; number++) {
    notes.changed('null', shown(number))
    vi.advanceTimersByTime(10)
  }
  expect([seen(), updates()], 'the first one at once').toEqual([1, 1])
  vi.advanceTimersByTime(5_000)
  expect([seen(), updates()]).toEqual([500, 2])
  // It was seen a moment ago; one that was not is written at once again after a quiet time.
  vi.advanceTimersByTime(10_000)
  notes.changed(shown(499), 'null')
  expect(updates()).toBe(2)
  vi.advanceTimersByTime(30_000)
  notes.changed(shown(499), 'null')
  expect(updates()).toBe(3)
  expect(failures).toEqual([])
})

it('[PRESENCE-11] agents that go are noted within a second, with those that came', () => {
  const { notes, seen, updates } = openRoom(30)
  notes.changed('null', shown(0))
  for (let number = 1; number < 20; number++) notes.changed('null', shown(number))
  vi.advanceTimersByTime(500)
  for (let number = 20; number < 30; number++) notes.changed(shown(number), 'null')
  expect([seen(), updates()]).toEqual([1, 1])
  vi.advanceTimersByTime(500)
  expect([seen(), updates()]).toEqual([30, 2])
  vi.advanceTimersByTime(60_000)
  expect(updates()).toBe(2)
  expect(vi.getTimerCount(), 'nothing ticks in a quiet room').toBe(0)
})

it('[PRESENCE-11] what waits is written when the room is closed', () => {
  const { notes, seen, updates } = openRoom(3)
  for (let number = 0; number < 3; number++) notes.changed('null', shown(number))
  notes.close()
  expect([seen(), updates()]).toEqual([3, 2])
  vi.advanceTimersByTime(10_000)
  expect(updates()).toBe(2)
})
