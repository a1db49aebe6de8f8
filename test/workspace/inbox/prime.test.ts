import { expect, it } from 'vitest'
import type * as Y from 'yjs'
import { type Here, registerAgent } from '../../../workspace/agents/agents.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { primeLines, primeOf } from '../../../workspace/inbox/prime.ts'
import type { Message } from '../../../workspace/messages/message.ts'
import { addTask } from '../../../workspace/tasks/tasks.ts'
import { agentId, cursor, replica, taskId } from '../../support/workspace/replicas.ts'

const ann = agentId('ann')
const bob = agentId('bob')
const here: Here = { present: new Set([bob]), now: 1 }

const team = (count: number): Y.Doc => {
  const doc = replica(1)
  for (let i = 0; i < count; i++) {
    const id = i === 0 ? ann : i === 1 ? bob : agentId(`${i}`)
    registerAgent(doc, { id, name: id, capabilities: [], machine: '', description: '', now: 1 })
    for (const [name, from, to] of [
      [`to-${i}`, bob, ann],
      [`by-${i}`, ann, bob],
    ] as const) {
      const priority = i === 1 ? 'urgent' : 'normal'
      const task = {
        id: taskId(name),
        description: 'x'.repeat(500),
        context: null,
        priority,
      } as const
      addTask(doc, { ...task, from, to, now: i })
    }
  }
  return doc
}

it('[MSG-6] tells tasks by priority, what is unread by kind, who is here, what changed', () => {
  const doc = team(3)
  const since = cursor(doc)
  putFile(doc, { key: 'plan.md', content: 'x', base: null, by: bob, now: 2 })
  const unread = [
    { type: 'task_delegation', priority: 'urgent' },
    { type: 'task_delegation', priority: 'urgent' },
    { type: 'direct_message' },
  ] as Message[]
  const prime = primeOf(doc, ann, here, unread, since, 2)
  expect(prime).toMatchObject({
    me: { agent_id: ann },
    tasks: { items: [{ task_id: 't-to-1', priority: 'urgent' }, { task_id: 't-to-0' }], more: 1 },
    delegated: { items: [{ task_id: 't-by-1', to: bob }, {}], more: 1 },
    unread: { total: 3, kinds: { 'task_delegation urgent': 2, direct_message: 1 } },
    agents: { items: [{ name: 'a-2' }, { name: bob, status: 'online' }], more: 0 },
    files_changed: { items: ['plan.md version 1'], more: 0 },
    agents_joined: { items: [], more: 0 },
  })
  const text = primeLines(prime, 'w of http://x', ['poll']).join('\n')
  expect(text).toContain('your open tasks: 3\n  t-to-1 submitted urgent xxx')
  expect(text).toContain('…(+440 characters)\n  … 1 more\ndelegated and open: 3\n')
  expect(text).toContain('unread: 3 (2 task_delegation urgent, 1 direct_message)')
  expect(text).not.toContain('joined since')
})
