import { types } from '../../lib/command-line/value-types.ts'
import { MAX_ATTEMPTS } from '../../protocol/limits.ts'
import * as inputs from '../../workspace/actions/inputs/tasks.ts'
import { TRANSITIONS } from '../../workspace/tasks/task-states.ts'
import { FROM_FILE, KEYED, NO_TASK, type VerbSpec } from '../command/verb.ts'
import { flagOf, flagsOf, fromInput, operandsOf } from './from-input.ts'

const STATES = Object.keys(TRANSITIONS)
const TASK = flagOf(inputs.note.task)
/** Statuses that respond accepts; `in_progress` is ClawLink 1.x's word for working. */
const SAID = ['in_progress', 'completed', 'failed', 'input-required', 'rejected', 'canceled']

/** Tasks, from their delegation to their end. docs/tasks.md */
export const TASKS: readonly VerbSpec[] = [
  {
    name: 'delegate',
    summary: 'hand over a task',
    about:
      'The server gives it to one owner, and takes it back if that owner goes away. poll prints its result.',
    ...fromInput(inputs.delegate, {
      textOrFile: 'task',
      but: { max_attempts: { otherwise: String(MAX_ATTEMPTS) } },
      after: {
        requires: { anyone: { what: 'any agent' } },
        approve_by: {
          wait: {
            type: types.seconds(),
            optional: true,
            what: 'wait for its end, at most this long',
          },
        },
      },
      needs: [['to', 'caps', 'anyone']],
      either: [['to', 'caps', 'anyone']],
    }),
    examples: [
      'delegate --to Scout --task "find the changelog"',
      'delegate --caps research --file brief.md --deadline 2h --wait 600',
    ],
    exits: {
      3: 'no such agent or task, or nobody has these capabilities',
      4: 'too many answers in a row',
      7: 'the time of --wait is up',
    },
    load: async () => (await import('../verbs/tasks/delegate.ts')).delegate,
  },
  {
    name: 'respond',
    summary: 'answer a task: progress, result or failure',
    about: 'Answering a task that nobody owns claims it in the same step.',
    operands: operandsOf(inputs.respond),
    flags: {
      ...flagsOf(inputs.respond, {
        without: ['result', 'basis'],
        but: {
          state: { type: types.suggested(types.oneOf(SAID)), otherwise: 'completed' },
          token: { type: types.number(0, 999_999_999) },
        },
        after: {
          message: {
            ...FROM_FILE,
            note: { type: types.textOrStdin, what: 'progress, instead of a result' },
          },
          result: {
            'result-json': { type: types.json, what: 'the result for programs' },
            artifact: {
              value: 'KEY,KEY',
              type: types.list,
              what: 'shared files that are the result, by their whole keys, at their current versions; repeatable',
            },
          },
        },
      }),
      ...KEYED,
    },
    needs: [['msg-id'], ['result', 'file', 'note']],
    either: [['result', 'file', 'note']],
    examples: [
      'respond --to Lead --msg-id t-4k2j9x0q7m1z --result "it is in docs/" --status completed',
      'respond --to Lead --msg-id t-4k2j9x0q7m1z --status in_progress --note "half of it" --percent 50',
      'respond --to Lead --msg-id t-4k2j9x0q7m1z --status input-required --result "which branch?"',
    ],
    exits: { 3: 'no such agent or task', 4: 'it has ended, or another agent owns it' },
    load: async () => (await import('../verbs/tasks/respond.ts')).respond,
  },
  {
    name: 'tasks',
    summary: 'list the open tasks, most urgent first, or those in given states',
    flags: {
      mine: { what: 'tasks that I own or am asked to take' },
      'from-me': { what: 'tasks that I delegated' },
      ready: { what: 'tasks that I could take now' },
      state: {
        value: 'a,b',
        type: types.suggested(types.someOf(['in_progress', ...STATES])),
        what: 'tasks in these states',
      },
      sort: {
        type: types.oneOf(['priority', 'created', 'updated']),
        what: 'the order',
        otherwise: 'priority',
      },
      archived: { what: 'one page of ended tasks that were archived' },
      limit: {
        type: types.count,
        what: 'at most this many',
        otherwise: 'about 2,000 characters; 50 archived ones',
      },
      before: {
        type: types.count,
        what: 'the page before this number, which the last page printed',
      },
    },
    examples: ['tasks --mine', 'tasks --state completed,failed --sort updated', 'tasks --archived'],
    load: async () => (await import('../verbs/tasks/tasks.ts')).tasks,
  },
  {
    name: 'task',
    summary: 'show one task with its history and notes',
    operands: ['task'],
    flags: { task: TASK },
    needs: [['task']],
    examples: ['task t-4k2j9x0q7m1z', 'task t-4k2j9x0q7m1z --json'],
    exits: NO_TASK,
    load: async () => (await import('../verbs/tasks/task.ts')).task,
  },
  {
    name: 'claim',
    summary: 'take a task, or the most urgent one; only one agent gets it',
    about: 'A claim is a lease that lasts while its owner is online. It needs the server.',
    operands: operandsOf(inputs.claim),
    flags: {
      ...flagsOf(inputs.claim, {
        but: { caps: { otherwise: 'mine' } },
        after: { task: { next: { what: 'the most urgent task that I can take (the default)' } } },
      }),
      ...KEYED,
    },
    either: [
      ['task', 'next'],
      ['task', 'caps'],
    ],
    examples: ['claim --next', 'claim t-4k2j9x0q7m1z'],
    exits: { 3: 'no such task, or none to take', 4: 'another agent has it, or it has ended' },
    load: async () => (await import('../verbs/tasks/claim.ts')).claim,
  },
  {
    name: 'release',
    summary: 'give a task back, for others to take',
    ...fromInput(inputs.release),
    examples: ['release t-4k2j9x0q7m1z --reason "needs a Mac"'],
    exits: { ...NO_TASK, 4: 'it has ended' },
    load: async () => (await import('../verbs/tasks/release.ts')).release,
  },
  {
    name: 'decline',
    summary: 'decline a task you are asked to take, or a result that waits for your approval',
    ...fromInput(inputs.decline),
    needs: [['task'], ['reason']],
    examples: ['decline t-4k2j9x0q7m1z --reason "I have no network"'],
    exits: { ...NO_TASK, 4: 'it has ended' },
    load: async () => (await import('../verbs/tasks/decline.ts')).decline,
  },
  {
    name: 'approve',
    summary: 'approve the result of a task that waits for you',
    ...fromInput(inputs.approve),
    examples: ['approve t-4k2j9x0q7m1z'],
    exits: { ...NO_TASK, 4: 'it needs no approval' },
    load: async () => (await import('../verbs/tasks/approve.ts')).approve,
  },
  {
    name: 'answer',
    summary: 'answer a question of the owner of your task (input-required)',
    ...fromInput(inputs.answer, { textOrFile: 'text' }),
    examples: [
      'answer t-4k2j9x0q7m1z "use the staging database"',
      'answer t-4k2j9x0q7m1z --file answer.md',
    ],
    exits: { ...NO_TASK, 4: 'it has asked nothing' },
    load: async () => (await import('../verbs/tasks/answer.ts')).answer,
  },
  {
    name: 'note',
    summary: 'add a note to a task; everyone involved is told',
    ...fromInput(inputs.note, { textOrFile: 'text' }),
    examples: ['note t-4k2j9x0q7m1z "the branch is release/2"', 'note t-4k2j9x0q7m1z -'],
    exits: NO_TASK,
    load: async () => (await import('../verbs/tasks/note.ts')).note,
  },
  {
    name: 'cancel',
    summary: 'cancel a task that you delegated',
    about: 'Its owner is asked to stop, and has one minute to end it in another way.',
    ...fromInput(inputs.cancel),
    examples: ['cancel t-4k2j9x0q7m1z --reason "done by hand"', 'cancel t-4k2j9x0q7m1z --force'],
    exits: { ...NO_TASK, 4: 'it has ended' },
    load: async () => (await import('../verbs/tasks/cancel.ts')).cancel,
  },
]
