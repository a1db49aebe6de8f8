import { completionSpec } from '../../workspace/command-line/spec.ts'
import { MESSAGE_TYPES } from '../../workspace/message-types.ts'
import type { VerbSpec } from './verb.ts'

/** The resident process of this machine. docs/link.md */
export const LINK: readonly VerbSpec[] = [
  {
    name: 'up',
    summary: 'keep this profile connected, and say how its agent is woken',
    usage: '[--on-message COMMAND|off] [--hook URL|off]',
    about: 'A hook is sent CLAWLINK_HOOK_TOKEN, if set, as a bearer token.',
    flags: {
      'on-message': { value: 'COMMAND|off', what: 'run this by a shell when something came in' },
      hook: { value: 'URL|off', what: 'post to this address when something came in' },
    },
    examples: [
      'up',
      'up --hook http://127.0.0.1:18789/hooks/wake',
      'up --on-message "touch inbox.new"',
    ],
    load: async () => (await import('../verbs/up.ts')).up,
  },
  {
    name: 'openclaw',
    own: true,
    summary: 'have OpenClaw wake its agent when something comes in; take that back; how it is',
    usage:
      'install [--type T,T] [--session main|isolated] [--agent ID] [--hook URL] [--dry-run] | status | uninstall [--dry-run]',
    about: 'Each step is shown before it is done; docs/openclaw.md.',
    operands: ['action'],
    flags: {
      action: { oneOf: ['install', 'status', 'uninstall'], what: 'what to do' },
      type: { value: 'T,T', oneOf: MESSAGE_TYPES, what: 'only these wake it', otherwise: 'all' },
      session: {
        oneOf: ['main', 'isolated'],
        what: 'whose turn a message begins',
        otherwise: 'main',
      },
      agent: { value: 'ID', what: 'which of OpenClaw’s agents', otherwise: 'its default one' },
      hook: { value: 'URL', what: 'OpenClaw’s /hooks/wake, where no automation can be made' },
      'dry-run': { what: 'only show what would be done' },
    },
    needs: [['action']],
    examples: ['openclaw install --dry-run', 'openclaw status', 'openclaw uninstall'],
    load: async () => (await import('../verbs/openclaw.ts')).openclaw,
  },
  {
    name: 'down',
    linkless: true,
    summary: 'leave with all profiles of this machine, and stop the link',
    usage: '',
    flags: {},
    examples: ['down'],
    load: async () => (await import('../verbs/down.ts')).down,
  },
  {
    name: 'status',
    linkless: true,
    summary: 'how the link is; or tell the team what you are doing',
    usage: '[--set TEXT [--task ID]]',
    flags: {
      set: {
        value: 'TEXT|-',
        what: 'what you are doing, for others to see; an empty one: nothing',
      },
      task: { value: 'ID', what: 'the task that it is for' },
    },
    examples: ['status', 'status --set "refactoring the parser" --task t-4k2j9x0q7m1z'],
    load: async () => (await import('../verbs/status.ts')).status,
  },
  {
    name: 'leave',
    linkless: true,
    summary: 'tell the team that you go',
    usage: '',
    about: 'The next command brings you back.',
    flags: {},
    examples: ['leave'],
    exits: { 3: 'not registered' },
    load: async () => (await import('../verbs/leave.ts')).leave,
  },
  {
    ...completionSpec('clawlink-agent'),
    linkless: true,
    load: async () => (await import('../verbs/completion.ts')).completion,
  },
]
