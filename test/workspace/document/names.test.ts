import { expect, it } from 'vitest'
import * as Y from 'yjs'
import type { AgentId } from '../../../protocol/ids.ts'
import { type Here, registerAgent, resolveAgent } from '../../../workspace/agents/agents.ts'
import {
  type LinkState,
  OFFLINE_AFTER_MS,
  setLinkState,
} from '../../../workspace/agents/presence.ts'

const NOW = 10_000_000
const LONG_AGO = NOW - OFFLINE_AFTER_MS

const facts = { capabilities: [], machine: '', description: '' }

/** A workspace in which these were seen then, each named `worker`. */
const team = (...agents: [id: string, seen: number, link: LinkState][]) => {
  const doc = new Y.Doc()
  for (const [id, now, link] of agents) {
    registerAgent(doc, { id: id as AgentId, ...facts, name: 'worker', now })
    setLinkState(doc, id as AgentId, link)
  }
  return doc
}
const here = (...present: string[]): Here => ({ present: new Set(present as AgentId[]), now: NOW })

it('[NAME-8] a name means the one that is here; those that are gone do not make it ambiguous', () => {
  const gone = [
    ['a-left', NOW, 'down'],
    ['a-killed', LONG_AGO, 'up'],
    ['a-unseen', LONG_AGO, null],
  ] as [string, number, LinkState][]
  const one = team(...gone, ['a-new', NOW - 1_000, null])
  expect(resolveAgent(one, 'Worker', here())).toBe('a-new')
  // Connected for long: last seen when it came.
  const two = team(...gone, ['a-old', LONG_AGO, 'up'])
  expect(resolveAgent(two, 'worker', here('a-old'))).toBe('a-old')
  // Of those that are all gone the one that has not left may come back.
  expect(resolveAgent(team(gone[0]!, gone[1]!), 'worker', here())).toBe('a-killed')
  expect(resolveAgent(team(gone[0]!), 'worker', here())).toBe('a-left')
  const both = () => resolveAgent(two, 'worker', here('a-old', 'a-unseen'))
  expect(both).toThrow(
    expect.objectContaining({
      code: 'ambiguous',
      hint: expect.stringContaining('a-old, a-unseen'),
    }),
  )
  // As it is written comes first, but for one that has left.
  const spelled = team(['a-left', NOW, 'down'], ['a-new', NOW, null])
  registerAgent(spelled, { ...facts, id: 'a-new' as AgentId, name: 'Worker', now: NOW })
  expect(resolveAgent(spelled, 'worker', here())).toBe('a-new')
  registerAgent(spelled, { ...facts, id: 'a-exact' as AgentId, name: 'worker', now: LONG_AGO })
  expect(resolveAgent(spelled, 'worker', here('a-new'))).toBe('a-exact')
  // Offline nobody knows who is here.
  expect(() => resolveAgent(one, 'worker')).toThrow(expect.objectContaining({ code: 'ambiguous' }))
})

it('[NAME-9] a name of one that is here is refused to another, however it is spelled; one of those gone is free', () => {
  const doc = team(['a-here', LONG_AGO, 'up'], ['a-left', NOW, 'down'])
  const register = (id: string, name: string, who: Here | undefined) =>
    registerAgent(doc, { id: id as AgentId, name, ...facts, now: NOW, here: who })
  for (const name of ['worker', 'WORKER', ' worker ', 'ｗｏｒｋｅｒ']) {
    const taken = { code: 'name_taken', message: expect.stringContaining('a-here') }
    expect(() => register('a-new', name, here('a-here')), name).toThrow(
      expect.objectContaining(taken),
    )
  }
  register('a-here', 'worker', here('a-here'))
  register('a-left', 'worker', here('a-here'))
  register('a-old', 'worker', undefined)
  register('a-new', 'other', here('a-here'))
  const free = team(['a-left', NOW, 'down'])
  registerAgent(free, { id: 'a-new' as AgentId, name: 'worker', ...facts, now: NOW, here: here() })
  expect(resolveAgent(free, 'worker', here())).toBe('a-new')
})
