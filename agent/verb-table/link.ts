import { completionSpec } from '../../lib/command-line/spec.ts'
import { types } from '../../lib/command-line/value-types.ts'
import { MESSAGE_TYPES } from '../../workspace/messages/message-types.ts'
import type { VerbSpec } from '../command/verb.ts'
import { HOSTS } from '../hosts/names.ts'
import { HOOK_EVENTS, HOOK_HOSTS } from '../waking/names.ts'

/** The resident process of this machine. docs/link.md */
export const LINK: readonly VerbSpec[] = [
  {
    name: 'up',
    summary: 'keep this profile connected, and set how its agent is woken',
    about: 'If CLAWLINK_HOOK_TOKEN is set, the hook gets it as a bearer token.',
    flags: {
      'on-message': {
        value: 'COMMAND',
        type: types.text,
        or: 'off',
        what: 'run this in a shell when a message arrives',
      },
      hook: {
        value: 'URL',
        type: types.name,
        or: 'off',
        what: 'POST to this address when a message arrives',
      },
    },
    examples: [
      'up',
      'up --hook http://127.0.0.1:18789/hooks/wake',
      'up --on-message "touch inbox.new"',
    ],
    load: async () => (await import('../verbs/link/up.ts')).up,
  },
  {
    name: 'mcp',
    own: true,
    summary: 'serve the team to a host as six tools, by MCP over stdin and stdout',
    about: 'A host starts it. docs/mcp.md has the lines to add to each.',
    flags: {},
    examples: ['mcp', 'mcp --as scout'],
    load: async () => (await import('../verbs/link/mcp.ts')).mcp,
  },
  {
    name: 'openclaw',
    own: true,
    summary: 'make OpenClaw wake its agent for messages: set up, check, undo',
    about: 'Shows each step before taking it. See docs/openclaw.md.',
    operands: ['action'],
    flags: {
      action: { type: types.oneOf(['install', 'status', 'uninstall']), what: 'what to do' },
      type: {
        value: 'T,T',
        type: types.someOf(MESSAGE_TYPES),
        what: 'only these types wake it',
        otherwise: 'all but news: broadcasts, joins, progress, files',
      },
      session: {
        type: types.oneOf(['main', 'isolated']),
        what: 'the session in which a message starts a turn',
        otherwise: 'main',
      },
      agent: {
        value: 'ID',
        type: types.name,
        what: 'which of OpenClaw’s agents',
        otherwise: 'its default',
      },
      hook: {
        value: 'URL',
        type: types.name,
        what: 'OpenClaw’s /hooks/wake, if it cannot make an automation',
      },
      'dry-run': { what: 'only show the steps' },
    },
    needs: [['action']],
    examples: ['openclaw install --dry-run', 'openclaw status', 'openclaw uninstall'],
    load: async () => (await import('../verbs/link/openclaw.ts')).openclaw,
  },
  {
    name: 'hosts',
    own: true,
    summary: 'connect the programs that run agents here: install, check, undo',
    about: 'It writes files of its own and changes nothing else; docs/hosts.md.',
    operands: ['action', 'host'],
    flags: {
      action: { type: types.oneOf(['install', 'status', 'uninstall']), what: 'what to do' },
      host: { type: types.someOf(HOSTS), what: 'these hosts' },
      all: { what: 'all hosts that are on this machine' },
      'dry-run': { what: 'only show what would be written or removed' },
      ring: { what: 'status: wake the session that works as this profile, and wait for its turn' },
      timeout: { type: types.seconds(), with: 'ring', what: 'how long to wait', otherwise: '60' },
    },
    needs: [['action']],
    either: [['host', 'all']],
    examples: ['hosts install --all', 'hosts status --ring', 'hosts uninstall codex --dry-run'],
    exits: {
      3: 'the host is not on this machine',
      4: 'something else is where it would write',
      7: 'no turn began',
    },
    load: async () => (await import('../verbs/link/hosts.ts')).hosts,
  },
  {
    name: 'hook',
    summary: 'tell a host’s session what is unread; its hooks run this',
    about:
      'It reads the host’s JSON on stdin, and always succeeds; exit 2 of stop and wake is how a host is told to go on. take: this session works as the profile now, instead of another one. docs/hosts.md.',
    operands: ['host', 'event'],
    flags: {
      host: { type: types.oneOf(HOOK_HOSTS), what: 'which host' },
      event: { type: types.oneOf(HOOK_EVENTS), what: 'what happens there' },
      timeout: { type: types.seconds(), what: 'wake: give up after this long', otherwise: '7200' },
    },
    needs: [['host', 'event']],
    examples: ['hook claude-code session-start', 'hook codex stop', 'hook claude-code take'],
    outside: { load: async () => (await import('../waking/run-hook.ts')).runHook },
    load: async () => (await import('../verbs/link/hook.ts')).hook,
  },
  {
    name: 'down',
    linkless: true,
    summary: 'disconnect all profiles of this machine, and stop the link',
    flags: {},
    examples: ['down'],
    load: async () => (await import('../verbs/link/down.ts')).down,
  },
  {
    name: 'status',
    linkless: true,
    summary: 'show the link and its profiles; or tell the team what you are doing',
    flags: {
      set: {
        type: types.textOrStdin,
        what: 'what you are doing, shown to others; an empty text clears it',
      },
      task: { value: 'ID', type: types.name, with: 'set', what: 'the task it is for' },
    },
    examples: ['status', 'status --set "refactoring the parser" --task t-4k2j9x0q7m1z'],
    load: async () => (await import('../verbs/link/status.ts')).status,
  },
  {
    name: 'leave',
    linkless: true,
    summary: 'tell the team that you are leaving',
    about: 'The next command brings you back.',
    flags: {},
    examples: ['leave'],
    exits: { 3: 'not registered' },
    load: async () => (await import('../verbs/team/leave.ts')).leave,
  },
  {
    ...completionSpec('clawlink-agent'),
    linkless: true,
    load: async (program) => (await import('./completion.ts')).completionVerb(program),
  },
]
