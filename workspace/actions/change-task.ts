import type { FileKey } from '../../protocol/ids.ts'
import { MAX_RESULT_BYTES } from '../../protocol/limits.ts'
import { checkSaid } from '../document/validate.ts'
import { fileInfo } from '../files/file-info.ts'
import { parseAnswer } from '../tasks/task-states.ts'
import type { Task } from '../tasks/tasks.ts'
import { type Actor, action, type Granted } from './action.ts'
import type { InputOf } from './inputs/field.ts'
import * as inputs from './inputs/tasks.ts'

const roles = ['write', 'admin'] as const
const errors = [
  'unknown_task',
  'task_state',
  'task_terminal',
  'task_taken',
  'task_blocked',
  'too_large',
] as const

interface Changed {
  task: Task
}

/** Takes a task, or without one the most urgent that the agent can take. */
export const claim = action({
  name: 'claim',
  roles,
  errors: [...errors, 'nothing_to_claim'],
  input: inputs.claim,
  run: async (actor, { task, caps }): Promise<Granted> =>
    task === undefined
      ? actor.claimNext(caps)
      : ((await actor.changeTask(task, { name: 'claim', message: '' })) as Granted),
})

/** Gives a task back: it is offered to others. */
export const release = action({
  name: 'release',
  roles,
  errors,
  input: inputs.release,
  run: (actor, { task, message }): Promise<Changed> =>
    actor.changeTask(task, { name: 'release', message }),
})

/** Refuses a task that the agent is asked to take, or a result that it is to approve. */
export const decline = action({
  name: 'decline',
  roles,
  errors,
  input: inputs.decline,
  run: (actor, { task, message }): Promise<Changed> =>
    actor.changeTask(task, { name: 'decline', message }),
})

/** Approves a result: the task is completed by that. */
export const approve = action({
  name: 'approve',
  roles,
  errors,
  input: inputs.approve,
  run: (actor, { task }): Promise<Changed> =>
    actor.changeTask(task, { name: 'approve', message: '' }),
})

/** Takes back a task that the agent delegated. Its owner is asked to stop, and has a minute for it. */
export const cancel = action({
  name: 'cancel',
  roles,
  errors,
  input: inputs.cancel,
  run: (actor, { task, message, force }): Promise<Changed> =>
    actor.changeTask(task, { name: 'cancel', message, ...(force === true && { force }) }),
})

/** Answers what the owner of a task has asked; it goes on with that. */
export const answer = action({
  name: 'answer',
  roles,
  errors,
  input: inputs.answer,
  run: async (actor, { task, text }): Promise<Changed> => {
    const message = checkSaid('answer', text, MAX_RESULT_BYTES)
    return actor.changeTask(task, { name: 'status', state: 'working', message })
  },
})

/** Reports progress, a question, a result or a failure. Where nobody owns the task, it is claimed in the same step. */
export const respond = action({
  name: 'respond',
  roles,
  errors: [
    ...errors,
    'bad_status',
    'unknown_agent',
    'ambiguous',
    'lease_lost',
    'unknown_file',
    'bad_path',
    'stale',
  ],
  input: inputs.respond,
  run: async (
    actor,
    { task, to, state, message, percent, result, token, basis },
  ): Promise<Changed> =>
    actor.changeTask(task, {
      name: 'status',
      ...(to !== undefined && { to }),
      state: parseAnswer(state),
      message,
      ...(percent !== undefined && { percent }),
      ...(result !== undefined && { result: resultOf(actor, result) }),
      ...(token !== undefined && { token }),
      ...(basis !== undefined && { basis }),
    }),
})

/** The result with the present version of each artifact that names none: what the file is later is another result. */
const resultOf = (
  { doc }: Actor,
  { json, artifacts }: NonNullable<InputOf<typeof inputs.respond>['result']>,
) => ({
  ...(json !== undefined && { json }),
  ...(artifacts !== undefined && {
    artifacts: artifacts.map(({ file_key: key, version }) => {
      if (version !== undefined) return { file_key: key as FileKey, version }
      const info = fileInfo(doc, key)
      return { file_key: info.file_key, version: info.version }
    }),
  }),
})
