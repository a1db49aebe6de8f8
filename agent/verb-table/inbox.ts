import type { Flags } from '../../workspace/command-line/spec.ts'
import { MESSAGE_TYPES } from '../../workspace/message-types.ts'
import type { VerbSpec } from './verb.ts'

const FILTER: Flags = {
  type: { value: 'T,T', oneOf: MESSAGE_TYPES, what: 'these types only' },
  topic: { value: 'T,T', what: 'broadcasts and direct messages on these topics only' },
  from: { value: 'N,N', what: 'from these agents only, by name or id' },
}

/** What comes in. */
export const INBOX: readonly VerbSpec[] = [
  {
    name: 'prime',
    summary: 'where you stand, on less than a page: tasks, unread, who is here, what changed',
    usage: '',
    about: 'At most 2,000 characters, to be read at the start of a session; acknowledges nothing.',
    flags: {},
    examples: ['prime', 'prime --json'],
    exits: { 3: 'not registered' },
    load: async () => (await import('../verbs/prime.ts')).prime,
  },
  {
    name: 'poll',
    summary: 'what came in for me; acknowledges what it printed',
    usage: '[--wait SECONDS] [--type T,T] [--topic T,T] [--from N,N] [--limit N] [--peek]',
    about:
      'Urgent tasks first; at most 50 messages or 64 KiB, then it says how many more wait. What could not be printed is handed out again, with the same message_id.',
    flags: {
      wait: { value: 'SECONDS', what: 'wait so long for the first one', otherwise: '0' },
      ...FILTER,
      limit: {
        value: 'N',
        what: 'at most so many; the rest stays for the next poll',
        otherwise: '50',
      },
      peek: { what: 'look only: nothing is acknowledged' },
    },
    examples: ['poll --wait 60 --json', 'poll --type task_delegation --limit 1'],
    exits: { 3: 'not registered' },
    load: async () => (await import('../verbs/poll.ts')).poll,
  },
  {
    name: 'wait',
    summary: 'block until something for me is there, or a task has ended; acknowledges nothing',
    usage: '[TASK] [--timeout SECONDS] [--type T,T] [--topic T,T] [--from N,N]',
    operands: ['task'],
    flags: {
      task: { value: 'TASK', what: 'wait until this one has ended, or asks something of me' },
      timeout: { value: 'SECONDS', what: 'give up after so long', otherwise: 'never' },
      ...FILTER,
    },
    examples: [
      'wait --timeout 300 --type task_delegation,direct_message',
      'wait t-4k2j9x0q7m1z --timeout 600',
    ],
    exits: { 3: 'no such task', 7: 'the time is up' },
    load: async () => (await import('../verbs/wait.ts')).wait,
  },
  {
    name: 'watch',
    summary: 'print what comes in as it comes, one JSON line a batch',
    usage: '[--hints] [--type T,T] [--topic T,T] [--from N,N]',
    about: 'Goes on until nobody reads it, the agent leaves or the link is taken down.',
    flags: {
      hints: { what: 'print only how many of what from whom, and acknowledge nothing' },
      ...FILTER,
    },
    examples: ['watch', 'watch --hints --type direct_message'],
    load: async () => (await import('../verbs/watch.ts')).watch,
  },
]
