import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { registerAgent } from '../../../workspace/agents/agents.ts'
import {
  agentsOf,
  broadcastsOf,
  EDITS_PREFIX,
  editsOf,
  type FileId,
  filesOf,
  submissionsOf,
  type TaskState,
  tasksOf,
} from '../../../workspace/document/schema.ts'
import { listFiles, readFile } from '../../../workspace/files/file-info.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { addBroadcast } from '../../../workspace/messages/broadcasts.ts'
import { isTerminal } from '../../../workspace/tasks/task-states.ts'
import { addTask, listTasks, taskHistory } from '../../../workspace/tasks/tasks.ts'
import {
  agentId,
  broadcastId,
  move,
  replica,
  send,
  settle,
  taskId,
} from '../../support/workspace/replicas.ts'

const REPLICAS = 4
/** The one that moves tasks. */
const SERVER = 0
const KEYS = ['a.md', 'b/c.txt']
const STATES: TaskState[] = [
  'working',
  'input-required',
  'completed',
  'failed',
  'canceled',
  'rejected',
]

const operation = fc.record({
  what: fc.constantFrom(
    'register',
    'task',
    'move',
    'broadcast',
    'get',
    'put',
    'put',
    'put',
    'deliver',
    'deliver',
    'deliver',
    'again',
  ),
  on: fc.nat(REPLICAS - 1),
  pick: fc.nat(),
  other: fc.nat(),
})

/** Everything that a document holds, by root. */
const rootsOf = (doc: Y.Doc) => ({
  agents: agentsOf(doc).toJSON(),
  tasks: tasksOf(doc).toJSON(),
  intake: submissionsOf(doc).toJSON(),
  broadcasts: broadcastsOf(doc).toJSON(),
  files: filesOf(doc).toJSON(),
  contents: listFiles(doc).map(({ file_key }) => readFile(doc, file_key)),
  edits: [...doc.share.keys()]
    .filter((name) => name.startsWith(EDITS_PREFIX))
    .sort()
    .map((name) => editsOf(doc, name.slice(EDITS_PREFIX.length) as FileId).toJSON()),
})

/** Runs the operations and checks what has to hold at the end; returns how many there were of each kind. */
const run = (operations: readonly { what: string; on: number; pick: number; other: number }[]) => {
  const docs = Array.from({ length: REPLICAS }, (_, i) => replica(10 + i))
  /** On their way to each replica: taken in any order, and some twice. */
  const queues: Uint8Array[][] = docs.map(() => [])
  docs.forEach((doc, from) => {
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === 'peer') return
      for (const [to, queue] of queues.entries()) if (to !== from) queue.push(update)
    })
  })
  const bases = new Map<string, string>()
  const made = {
    agents: new Set<string>(),
    tasks: [] as string[],
    broadcasts: [] as string[],
    markers: [] as string[],
  }
  const final = new Map<string, string>()

  operations.forEach(({ what, on, pick, other }, step) => {
    const doc = docs[on]!
    const me = agentId(`${on}`)
    const now = step
    const key = KEYS[pick % KEYS.length]!
    switch (what) {
      case 'register': {
        registerAgent(doc, {
          id: me,
          name: `n${other % 5}`,
          capabilities: [],
          machine: '',
          description: '',
          now,
        })
        made.agents.add(me)
        break
      }
      case 'task': {
        const id = taskId(`${step}`)
        const to = other % 2 === 0 ? null : agentId(`${pick % REPLICAS}`)
        addTask(doc, {
          id,
          description: `d${step}`,
          context: null,
          priority: 'low',
          from: me,
          to,
          now,
        })
        made.tasks.push(id)
        break
      }
      case 'move': {
        const tasks = listTasks(docs[SERVER]!)
        if (tasks.length === 0) break
        const task = tasks[pick % tasks.length]!
        const people = [task.owner, task.to_agent, task.from_agent]
        const by = people[other % 3] ?? agentId(`${other % REPLICAS}`)
        const state = STATES[(pick + other) % STATES.length]!
        try {
          const { status } = move(docs[SERVER]!, {
            task: task.task_id,
            by,
            state,
            message: '',
            key: `${step}`,
            now,
          })
          if (isTerminal(status)) final.set(task.task_id, status)
        } catch {} // a refusal is as good: what counts is that the others agree
        break
      }
      case 'broadcast': {
        const id = broadcastId(`${step}`)
        addBroadcast(doc, { id, from: me, content: 'c', topic: '', tags: [], now })
        made.broadcasts.push(id)
        break
      }
      case 'get':
      case 'put': {
        const known = filesOf(doc).has(key) ? readFile(doc, key).content : null
        if (what === 'get' && known !== null) bases.set(`${on} ${key}`, known)
        if (what === 'get') break
        const base = bases.get(`${on} ${key}`) ?? known
        const lines = (base ?? '').split('\n')
        const marker = `marker ${step} by ${on} 👍`
        const at = other % lines.length
        // A marker is never replaced or removed on purpose: each has to be there at the end.
        lines.splice(at, lines[at] === '' || lines[at]?.startsWith('marker') ? 0 : 1, marker)
        const content = lines.join('\n')
        putFile(doc, { key, content, base, by: me, now })
        bases.set(`${on} ${key}`, content)
        made.markers.push(marker)
        break
      }
      default: {
        const queue = queues[on]!
        if (queue.length === 0) break
        const at = pick % queue.length
        Y.applyUpdate(doc, queue[at]!, 'peer')
        if (what === 'deliver') queue.splice(at, 1)
      }
    }
  })

  docs.forEach((doc, i) => {
    for (const update of queues[i]!.reverse()) Y.applyUpdate(doc, update, 'peer')
  })
  // What was handed in is filed once the server has it, and everybody gets that.
  settle(docs[SERVER]!)
  for (const doc of docs) if (doc !== docs[SERVER]) send(docs[SERVER]!, doc)
  const [first, ...rest] = docs as [Y.Doc, ...Y.Doc[]]
  const expected = rootsOf(first)
  for (const doc of rest) {
    expect(rootsOf(doc)).toEqual(expected)
    expect(Y.decodeStateVector(Y.encodeStateVector(doc))).toEqual(
      Y.decodeStateVector(Y.encodeStateVector(first)),
    )
  }
  const fresh = replica(99)
  send(first, fresh)
  expect(rootsOf(fresh)).toEqual(expected)

  expect(Object.keys(expected.agents).sort()).toEqual([...made.agents].sort())
  expect(
    listTasks(first)
      .map(({ task_id }) => task_id as string)
      .sort(),
  ).toEqual(made.tasks.sort())
  expect(expected.intake).toEqual([])
  expect(
    broadcastsOf(first)
      .map(({ id }) => id)
      .sort(),
  ).toEqual(made.broadcasts.sort())
  for (const [id, state] of final) {
    expect(taskHistory(first, id).at(-1)?.state).toBe(state)
    expect(taskHistory(first, id).filter((step) => isTerminal(step.state)).length).toBe(1)
  }
  const text = expected.contents.map(({ content }) => content).join('\n')
  expect(text).not.toContain('\ufffd')
  for (const marker of made.markers) expect(text.split(marker).length - 1).toBe(1)
  const { agents, tasks, broadcasts, markers } = made
  return {
    agents: agents.size,
    tasks: tasks.length,
    broadcasts: broadcasts.length,
    markers: markers.length,
    final: final.size,
  }
}

describe('replicas', () => {
  it('[MERGE-1] agree at the end, and nothing is lost, whatever order updates come in', () => {
    const seen = { agents: 0, tasks: 0, broadcasts: 0, markers: 0, final: 0 }
    fc.assert(
      fc.property(
        fc.array(operation, { minLength: 10, maxLength: 80, size: 'max' }),
        (operations) => {
          const done = run(operations)
          for (const kind of Object.keys(seen) as (keyof typeof seen)[]) seen[kind] += done[kind]
        },
      ),
      { numRuns: 120 },
    )
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(20)
  })
})
