import * as Y from 'yjs'
import type { AgentId, BroadcastId, FileKey, TaskId } from '../../../protocol/ids.ts'
import { registerAgent, setPaused } from '../../../workspace/agents/agents.ts'
import type { Presence } from '../../../workspace/agents/presence.ts'
import { PRIORITIES, type TaskState } from '../../../workspace/document/schema.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { addBroadcast } from '../../../workspace/messages/broadcasts.ts'
import { type Move, moveTask } from '../../../workspace/tasks/task-commands.ts'
import { addNote, addTask } from '../../../workspace/tasks/tasks.ts'
import { settle, worldAt } from '../workspace/replicas.ts'

/** How large a workspace to make. */
export interface Size {
  agents: number
  tasks: number
  broadcasts: number
  files: number
}

export const SMALL: Size = { agents: 6, tasks: 14, broadcasts: 8, files: 9 }
export const LARGE: Size = { agents: 100, tasks: 10_000, broadcasts: 2_000, files: 1_000 }

export interface World {
  doc: Y.Doc
  presences: Presence[]
  agents: AgentId[]
  tasks: TaskId[]
  /** When it was made: milliseconds since the epoch. */
  now: number
}

/** The same numbers for the same seed (mulberry32), from 0 to below `n`. */
export const random = (seed: number): ((n: number) => number) => {
  let a = seed
  return (n) => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n)
  }
}

const NAMES = ['Scout', 'Lead', 'Builder', 'Tester', '小红 研究', 'Reviewer', 'Ops', 'Writer']
const VERBS = ['fix', 'find', 'test', 'review', 'describe', 'measure', 'rewrite']
const THINGS = [
  'the parser',
  'a flaky test in sync-server',
  'the README’s second example 🚀',
  'why reconnecting takes 30 s behind a proxy',
  '日本語のドキュメント',
]
const TOPICS = ['general', 'release', 'ci']
const FOLDERS = ['src/', 'src/server/', 'docs/', '', 'notes/2026/']
const STATES: readonly (readonly TaskState[])[] = [
  [],
  ['working'],
  ['working', 'input-required'],
  ['working', 'completed'],
  ['working', 'failed'],
  ['canceled'],
]

/** A workspace as it is after a while: agents at work, tasks in all states, talk, files with people in them. */
export const makeWorld = (size: Size, now: number, seed = 1): World => {
  const pick = random(seed)
  const one = <T>(all: readonly T[]): T => all[pick(all.length)]!
  const doc = new Y.Doc()
  doc.clientID = 1_000 + seed
  const agents: AgentId[] = []
  const tasks: TaskId[] = []
  const moves: Move[] = []
  const notes: { id: TaskId; by: AgentId; at: number }[] = []
  doc.transact(() => {
    for (let i = 0; i < size.agents; i++) {
      const id = `a-${String(i).padStart(12, '0')}` as AgentId
      agents.push(id)
      registerAgent(doc, {
        id,
        ...(i === 0 && { kind: 'person' as const }),
        name: i < NAMES.length ? NAMES[i]! : `${NAMES[i % NAMES.length]}-${i}`,
        capabilities: ['research', 'web', 'node', 'review'].slice(0, 1 + pick(4)),
        machine: `host-${pick(9)}`,
        description: 'does what it can, and says what it cannot',
        now: now - 3_600_000 - pick(86_400_000),
      })
    }
    for (let i = 0; i < size.tasks; i++) {
      const id = `t-${String(i).padStart(12, '0')}` as TaskId
      const [from, to] = [one(agents), one(agents)]
      const at = now - 60_000 - pick(6 * 3_600_000)
      tasks.push(id)
      addTask(doc, {
        ...{ id, from, to, context: i % 5 === 0 ? { branch: 'main', tries: i } : null },
        description: `${one(VERBS)} ${one(THINGS)} (${i})`,
        priority: i % 3 === 0 ? one(PRIORITIES) : 'normal',
        now: at,
      })
      for (const [step, state] of STATES[i % STATES.length]!.entries()) {
        const by = state === 'canceled' ? from : to
        const message = state === 'completed' ? 'it is in docs/, with the numbers' : ''
        moves.push({ task: id, by, state, message, key: `${id}${step}`, now: at + 1_000 * step })
      }
      if (i % 4 === 0) notes.push({ id, by: one(agents), at: at + 5_000 })
    }
    for (let i = 0; i < size.files; i++) {
      const key = `${one(FOLDERS)}file-${i}.md`
      const content = `# ${key}\n${'a line of text\n'.repeat(1 + pick(40))}`
      putFile(doc, { key, content, base: null, by: one(agents), now: now - pick(3_600_000) })
    }
  })
  settle(doc, worldAt(now))
  // A task is found sooner once it is filed.
  doc.transact(() => {
    for (const { id, by, at } of notes) addNote(doc, id, by, 'the branch is release/2', at)
  })
  settle(doc, worldAt(now))
  doc.transact(() => {
    for (const move of moves) moveTask(doc, move)
  })
  for (let i = 0; i < size.broadcasts; i++) {
    addBroadcast(doc, {
      id: `m-${String(i).padStart(12, '0')}` as BroadcastId,
      from: one(agents),
      ...(i % 7 === 6 && { to: agents[0]! }),
      content: `${one(VERBS)} ${one(THINGS)}: done, see ${one(FOLDERS)}file-${i}.md`,
      topic: one(TOPICS),
      tags: [],
      now: now - 60_000 * (size.broadcasts - i),
    })
  }
  setPaused(doc, agents[1]!, { by: agents[0]!, now: now - 90_000, note: 'wait for the plan' })
  const files = [...doc.getMap<{ fileId: string }>('files').values()]
  const presences = agents
    .filter((_, i) => i % 3 !== 2)
    .map((id, i): Presence => {
      const name = String(doc.getMap<Y.Map<unknown>>('agents').get(id)!.get('name'))
      const file = files[i % files.length]!.fileId
      const text = doc.getText(`file:${file}`)
      const at: unknown = Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(text, 3))
      return {
        agent: { id, name, kind: i === 0 ? 'person' : 'agent' },
        activity: { state: i % 4 === 3 ? 'idle' : 'active', note: `${VERBS[i % VERBS.length]}ing` },
        ...(i % 2 === 0 && { cursor: { file: file as never, anchor: at, head: at } }),
      }
    })
  return { doc, presences, agents, tasks, now }
}

export type { FileKey }
