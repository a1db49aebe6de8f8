import type { Flags } from '../../lib/command-line/spec.ts'
import { types } from '../../lib/command-line/value-types.ts'
import { MESSAGE_TYPES } from '../../workspace/messages/message-types.ts'
import type { VerbSpec } from '../command/verb.ts'
import { HOOK_HOSTS } from '../waking/names.ts'

const FILTER: Flags = {
  type: { value: 'T,T', type: types.someOf(MESSAGE_TYPES), what: 'only these types' },
  topic: {
    value: 'T,T',
    type: types.list,
    what: 'only broadcasts and direct messages on these topics',
  },
  from: { value: 'N,N', type: types.list, what: 'only from these agents, by name or id' },
}

/** Verbs for incoming messages. */
export const INBOX: readonly VerbSpec[] = [
  {
    name: 'prime',
    summary: 'show where you stand, on one page: tasks, unread, agents, changes',
    about: 'At most 2,000 characters, for the start of a session. Acknowledges nothing.',
    flags: {},
    examples: ['prime', 'prime --json'],
    exits: { 3: 'not registered' },
    load: async () => (await import('../verbs/team/prime.ts')).prime,
  },
  {
    name: 'poll',
    summary: 'print my unread messages, and acknowledge them',
    about:
      'Prints urgent messages first: about 2,000 characters, with --limit or --json 50 messages or 64 KiB. Then it says how many more wait. A message that was not printed completely comes again, with the same message_id.',
    flags: {
      wait: {
        type: types.seconds(),
        what: 'if nothing is here, wait this long for something to act on',
        otherwise: '0',
      },
      ...FILTER,
      id: {
        value: 'ID,ID',
        type: types.list,
        what: 'only these messages, and those of these tasks',
      },
      any: { what: 'wait for any message, also news of files and broadcasts' },
      limit: {
        type: types.count,
        what: 'at most this many; the rest stays for the next poll',
      },
      peek: { what: 'only look: acknowledge nothing' },
    },
    examples: ['poll --wait 60 --json', 'poll --type task_delegation --limit 1'],
    exits: { 3: 'not registered' },
    load: async () => (await import('../verbs/inbox/poll.ts')).poll,
  },
  {
    name: 'wait',
    summary: 'block until I have to act on a message, or on a task that ended or asks',
    about:
      'Without TASK, a new task, result, question, direct message or conflict ends it; broadcasts, progress and file news end it only with --any, --key or a filter. With TASK, it ends when one of them ends, asks, waits for my approval, is sent back to me, or loses its lease. Acknowledges nothing; poll --wait waits and prints in one call.',
    operands: ['task'],
    flags: {
      task: {
        value: 'TASK …',
        type: types.list,
        what: 'wait until one of these tasks has ended, or needs something from me',
      },
      key: {
        value: 'KEY,KEY',
        type: types.list,
        what: 'wait until others changed one of these files',
      },
      'until-final': { what: 'end only for a finished task or a question' },
      any: { what: 'any message' },
      timeout: { type: types.seconds(), what: 'give up after this long', otherwise: 'never' },
      ...FILTER,
    },
    either: [
      ['any', 'until-final'],
      ['any', 'task'],
    ],
    examples: [
      'wait --timeout 300 --type task_delegation,direct_message',
      'wait t-4k2j9x0q7m1z --key notes/plan.md --timeout 600',
    ],
    exits: { 3: 'no such task', 7: 'the time is up' },
    load: async () => (await import('../verbs/tasks/wait.ts')).wait,
  },
  {
    name: 'watch',
    summary: 'print messages as they come, one JSON line per batch',
    about: 'Runs until its output is closed, the agent leaves, or the link stops.',
    flags: {
      hints: { what: 'print only counts, types and senders; acknowledge nothing' },
      host: {
        value: 'HOST',
        type: types.oneOf(HOOK_HOSTS),
        with: 'hints',
        what: 'wake the idle agent of this host: one fixed line when it is needed, for as long as the host lives',
      },
      thread: { value: 'ID', type: types.name, what: 'the thread of Codex to wake', hidden: true },
      told: {
        value: 'ID,ID',
        type: types.list,
        what: 'the messages it was woken for',
        hidden: true,
      },
      ...FILTER,
    },
    examples: ['watch', 'watch --hints --type direct_message', 'watch --hints --host claude-code'],
    outside: {
      with: 'host',
      load: async () => (await import('../waking/run-watcher.ts')).runWatcher,
    },
    load: async () => (await import('../verbs/inbox/watch.ts')).watch,
  },
]
