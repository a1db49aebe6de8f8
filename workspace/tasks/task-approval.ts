import type * as Y from 'yjs'
import { ClawError } from '../../protocol/errors.ts'
import { agentName } from '../agents/agents.ts'
import type { TaskState, TaskStatus } from '../document/schema.ts'
import type { TaskCommand } from './task-replay.ts'
import { terminalError } from './task-rules.ts'
import { isTerminal } from './task-states.ts'
import { writeStep } from './task-write.ts'
import { getTask, type Task, type TaskEntry } from './tasks.ts'

/** Tells whether a status that the approver sends judges a pending result. */
export const isJudgement = ({ status }: TaskEntry, state: TaskState): boolean =>
  status.pending === true && (state === 'completed' || state === 'working')

/** Approves a pending result or sends it back to its owner. Throws `not_allowed`, `task_terminal`, `task_state`. */
export const judge = (
  doc: Y.Doc,
  entry: TaskEntry,
  command: TaskCommand,
  isGood: boolean,
): Task => {
  const { facts, status } = entry
  const { by, key, now, message } = command
  if (facts.approver !== by) {
    const { approver } = facts
    throw new ClawError(
      'not_allowed',
      approver === undefined
        ? `${entry.id} needs no approval`
        : `you cannot approve ${entry.id}: ${agentName(doc, approver)} (${approver}) has to`,
    )
  }
  if (isTerminal(status.state)) throw terminalError(entry)
  if (!status.pending) {
    throw new ClawError(
      'task_state',
      `${entry.id} is ${status.state}; it has no result to approve`,
      'wait until its owner completes it',
    )
  }
  const step: { state: TaskState; event: 'approved' | 'sent-back'; more?: Partial<TaskStatus> } =
    isGood
      ? {
          state: 'completed',
          event: 'approved',
          ...(status.result && { more: { result: status.result } }),
        }
      : { state: 'working', event: 'sent-back' }
  const said = isGood ? status.message : message
  return getTask(doc, writeStep(doc, entry, { ...step, by, message: said, key, now }).id)
}
