import { expect, it } from 'vitest'
import * as Y from 'yjs'
import type { AgentId } from '../../../protocol/ids.ts'
import { listAgents, registerAgent } from '../../../workspace/agents/agents.ts'
import { PRESENCE_LAG_MS, setLinkState } from '../../../workspace/agents/presence.ts'

const ID = 'a-000000000001' as AgentId

it('[LINK-12] (W15) an agent that has just registered is online before its presence arrives', () => {
  const doc = new Y.Doc()
  registerAgent(doc, {
    ...{ id: ID, name: 'Scout', capabilities: [], machine: '', description: '', now: 1_000 },
  })
  const statusAt = (now: number, present: AgentId[] = []) =>
    listAgents(doc, { present: new Set(present), now })[0]!.status
  setLinkState(doc, ID, 'up')
  expect(statusAt(1_000 + PRESENCE_LAG_MS - 1)).toBe('online')
  expect(statusAt(1_000 + PRESENCE_LAG_MS)).toBe('stale')
  expect(statusAt(1_000 + PRESENCE_LAG_MS, [ID])).toBe('online')
  setLinkState(doc, ID, 'down')
  expect(statusAt(1_001)).toBe('offline')
})
