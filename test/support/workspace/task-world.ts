import type * as Y from 'yjs'
import type { AgentId, TaskId } from '../../../protocol/ids.ts'
import { registerAgent } from '../../../workspace/agents/agents.ts'
import type { TaskState } from '../../../workspace/document/schema.ts'
import { taskRecord } from '../../../workspace/document/shape.ts'
import {
  approveTask,
  cancelTask,
  claimTask,
  declineTask,
  releaseTask,
} from '../../../workspace/tasks/task-commands.ts'
import { offersOf } from '../../../workspace/tasks/task-write.ts'
import { addTask, type NewTask, type Task } from '../../../workspace/tasks/tasks.ts'
import { agentId, move, replica, settle, taskId, worldAt } from './replicas.ts'

export const creator = agentId('creator')
export const worker = agentId('worker')
export const other = agentId('other')
export const approver = agentId('approver')
export const id = taskId('1')

/** A document with four agents, who have the capabilities that are named. */
export const team = (caps: Partial<Record<string, string[]>> = {}): Y.Doc => {
  const doc = replica(1)
  for (const id of [creator, worker, other, approver]) {
    const capabilities = caps[id] ?? []
    registerAgent(doc, { id, name: id, capabilities, machine: '', description: '', now: 1 })
  }
  return doc
}

/** Registers so many more agents. */
export const more = (doc: Y.Doc, count: number): void => {
  for (let i = 0; i < count; i++) learn(doc, agentId(`more-${i}`), [])
}

/** Registers an agent with these capabilities, or again with others. */
export const learn = (doc: Y.Doc, id: AgentId, capabilities: string[]): void =>
  registerAgent(doc, { id, name: id, capabilities, machine: '', description: '', now: 1 })

export const handIn = (doc: Y.Doc, more: Partial<NewTask> = {}): void => {
  const task = { id, description: 'x', context: null, priority: 'normal', from: creator } as const
  addTask(doc, { ...task, to: worker, now: 1, ...more })
}

/** Hands a task in, and has it filed. */
export const give = (doc: Y.Doc, more: Partial<NewTask> = {}): void => {
  handIn(doc, more)
  settle(doc)
}

let keys = 0
/** A command's parameters, under a key of its own. */
export const by = (agent: AgentId, message = '', now = 2, task: string = id) => ({
  ...{ task, by: agent, key: `key-${keys++}`, now, message },
})

const settled =
  <C extends { now: number }>(run: (doc: Y.Doc, command: C) => Task) =>
  (doc: Y.Doc, command: C): Task => {
    settle(doc, worldAt(command.now))
    const task = run(doc, command)
    settle(doc, worldAt(command.now))
    return task
  }

export const claim = settled(claimTask)
export const release = settled(releaseTask)
export const decline = settled(declineTask)
export const approve = settled(approveTask)
export const cancel = settled(cancelTask)
export const to = (doc: Y.Doc, state: TaskState, agent: AgentId, message = '', now = 2): Task =>
  move(doc, { ...by(agent, message, now), state })
export const toWith = move

/** The agents that a task is offered to. */
export const offered = (doc: Y.Doc, task: TaskId = id): AgentId[] =>
  offersOf(taskRecord(doc, task)!).map(({ to }) => to)
