import { didYouMean } from '../../lib/text/suggest.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { TaskState } from '../document/schema.ts'

/**
 * The role in which an agent acts on a task. `addressee`: the agent it was given to, or any agent
 * with the required capabilities, until it has an owner. `owner`: the agent that the server granted
 * it to. `creator`: the agent that delegated it. `approver`: the agent that must approve its
 * result, while one is pending. `server`: time and other tasks, by the clock of the server.
 */
export type TaskRole = 'addressee' | 'owner' | 'creator' | 'approver' | 'server'

/**
 * The roles that may move a task from one state to another. The states are those of A2A
 * (Agent2Agent protocol, `TaskState`); transitions that are absent here are rejected. docs/tasks.md
 * shows the table; test/workspace/tasks/task-table.test.ts holds them together.
 */
export const TRANSITIONS: Readonly<
  Record<TaskState, Partial<Record<TaskState, readonly TaskRole[]>>>
> = {
  submitted: {
    submitted: ['addressee'],
    working: ['addressee'],
    'input-required': ['addressee'],
    completed: ['addressee'],
    failed: ['addressee', 'server'],
    rejected: ['addressee', 'server'],
    canceled: ['creator', 'server'],
  },
  working: {
    submitted: ['owner', 'server'],
    working: ['owner', 'creator'],
    'input-required': ['owner'],
    completed: ['owner'],
    failed: ['owner', 'server'],
    canceled: ['owner', 'creator', 'server'],
  },
  'input-required': {
    submitted: ['owner', 'server'],
    working: ['owner', 'creator', 'approver'],
    'input-required': ['owner'],
    completed: ['owner', 'approver'],
    failed: ['owner', 'server'],
    canceled: ['creator', 'server'],
  },
  completed: {},
  failed: {},
  canceled: {},
  rejected: {},
}

/** Further conditions of transitions in the table, and their names. */
export const CONDITIONS: readonly { from: string; to: string; role: TaskRole; when: string }[] = [
  { from: 'submitted', to: 'submitted', role: 'addressee', when: 'declines it: others are asked' },
  { from: 'submitted', to: 'rejected', role: 'addressee', when: 'it was given to that agent' },
  { from: 'submitted', to: 'rejected', role: 'server', when: 'all who could take it declined' },
  {
    from: 'submitted',
    to: 'failed',
    role: 'server',
    when: 'its deadline passed, or a task it waits for did not complete',
  },
  {
    from: 'submitted',
    to: 'canceled',
    role: 'server',
    when: 'who was asked to stop gave it back, or was lost',
  },
  { from: 'working', to: 'submitted', role: 'owner', when: 'gives it back' },
  { from: 'working', to: 'submitted', role: 'server', when: 'the lease ended' },
  { from: 'working', to: 'working', role: 'owner', when: 'tells how far it is' },
  { from: 'working', to: 'working', role: 'creator', when: 'asks the owner to stop' },
  {
    from: 'working',
    to: 'failed',
    role: 'server',
    when: 'its deadline passed, or the last attempt ended without a result',
  },
  { from: 'working', to: 'canceled', role: 'owner', when: 'was asked to stop' },
  { from: 'working', to: 'canceled', role: 'creator', when: 'by force' },
  { from: 'working', to: 'canceled', role: 'server', when: 'the time to stop has passed' },
  { from: 'input-required', to: 'submitted', role: 'owner', when: 'gives it back' },
  { from: 'input-required', to: 'submitted', role: 'server', when: 'the lease ended' },
  { from: 'input-required', to: 'working', role: 'creator', when: 'answers what was asked' },
  { from: 'input-required', to: 'working', role: 'approver', when: 'sends the result back' },
  { from: 'input-required', to: 'completed', role: 'approver', when: 'approves the result' },
  { from: 'input-required', to: 'canceled', role: 'server', when: 'the time to stop has passed' },
]

export const isTerminal = (state: TaskState): boolean =>
  Object.keys(TRANSITIONS[state]).length === 0

/** Reads a state as people type it; `in_progress` is ClawLink 1.x's word for `working`. Throws `bad_status`. */
export const parseState = (text: string): TaskState => {
  const state = text.trim().toLowerCase().replaceAll('_', '-')
  if (state === 'in-progress') return 'working'
  if (Object.hasOwn(TRANSITIONS, state)) return state as TaskState
  const known = ['in_progress', ...Object.keys(TRANSITIONS)]
  throw new ClawError(
    'bad_status',
    `"${text}" is not a task status`,
    `${didYouMean(text, known)} one of: ${known.join(', ')}`.trim(),
  )
}

/**
 * Reads the state of an answer to a task. Throws `bad_status`, also for `submitted`, which cannot
 * be an answer.
 */
export const parseAnswer = (text: string): TaskState => {
  const state = parseState(text)
  if (state !== 'submitted') return state
  throw new ClawError(
    'bad_status',
    'a task cannot be answered with "submitted"',
    'to give it back: release; to refuse it: decline',
  )
}

/** A state as ClawLink 1.x's messages have it. */
export const state1x = (state: TaskState): string => (state === 'working' ? 'in_progress' : state)
