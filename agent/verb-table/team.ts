import { ROLES } from '../../workspace/access.ts'
import { KEYED, type VerbSpec } from './verb.ts'

/** Getting in, and who is here. */
export const TEAM: readonly VerbSpec[] = [
  {
    name: 'join',
    linkless: true,
    summary: 'join a workspace by a join link, best from stdin: join -',
    usage: '[LINK|-|--file PATH]   (or CLAWLINK_JOIN)',
    about:
      'Trades the link once for a credential of this profile. The user who runs the server needs no link on its machine. On a command line put the link in quotes.',
    operands: ['link'],
    flags: {
      link: {
        value: 'LINK|-',
        what: 'the join link; - reads it from stdin, so that no process list shows it',
        env: 'CLAWLINK_JOIN',
      },
      file: { value: 'PATH', what: 'read the link from this file' },
    },
    examples: ['join -', 'join --file invite.txt', '--as reviewer join -'],
    load: async () => (await import('../verbs/join.ts')).join,
  },
  {
    name: 'invite',
    linkless: true,
    summary: 'make a join link to this workspace (admins only)',
    usage: '[--role read|write|admin] [--uses N] [--expires 7d]',
    flags: {
      role: { oneOf: ROLES, what: 'what those who join with it may do', otherwise: 'write' },
      uses: { value: 'N', what: 'how many can join with it', otherwise: '1' },
      expires: { value: 'SPAN', what: 'how long it works: 30m, 12h, 7d', otherwise: '7d' },
    },
    examples: ['invite', 'invite --role read --uses 3 --expires 2d'],
    load: async () => (await import('../verbs/invite.ts')).invite,
  },
  {
    name: 'register',
    summary: 'join the team, or change what it knows about you',
    usage:
      '[--name] N [--caps a,b] [--topics a,b|all] [--description D] [--machine M] [--person] [--idempotency-key K]',
    operands: ['name'],
    about:
      'Registering again keeps the id of the profile. If the server is away, it is sent later.',
    flags: {
      name: { value: 'N', what: 'how others see and address you' },
      caps: {
        value: 'a,b',
        what: 'what you can do; you are offered tasks that need it',
      },
      topics: { value: 'a,b|all', what: 'topics of the broadcasts that you get', otherwise: 'all' },
      description: { value: 'D|-', what: 'what you do, in a sentence' },
      machine: { value: 'M', what: 'where you run', otherwise: 'the host name' },
      person: { what: 'this profile is a person, not an agent' },
      ...KEYED,
    },
    needs: [['name']],
    examples: [
      'register --name Scout --caps research,web --description "finds things out"',
      'register --name Scout --topics release,api',
    ],
    load: async () => (await import('../verbs/register.ts')).register,
  },
  {
    name: 'discover',
    summary: 'list the agents: id, name, status, machine, capabilities',
    usage: '',
    flags: {},
    examples: ['discover', 'discover --json'],
    load: async () => (await import('../verbs/discover.ts')).discover,
  },
  {
    name: 'heartbeat',
    summary: 'tell the team that you are online',
    usage: '',
    about: 'The link does this by itself; use it where no link can run.',
    flags: {},
    examples: ['heartbeat'],
    load: async () => (await import('../verbs/heartbeat.ts')).heartbeat,
  },
  {
    name: 'pause',
    summary: 'ask an agent to start no new work; its prime and poll tell it',
    usage: 'NAME [NOTE|--note T|-] [--idempotency-key K]',
    operands: ['name', 'note'],
    flags: {
      name: { value: 'NAME', what: 'the agent, by name or id' },
      note: { value: 'T|-', what: 'why; the agent can read it' },
      ...KEYED,
    },
    needs: [['name']],
    examples: ['pause Scout', 'pause Scout "the plan changes, wait for it"'],
    exits: { 3: 'no such agent' },
    load: async () => (await import('../verbs/pause.ts')).pause,
  },
  {
    name: 'resume',
    summary: 'let a paused agent work again',
    usage: 'NAME [--idempotency-key K]',
    operands: ['name'],
    flags: { name: { value: 'NAME', what: 'the agent, by name or id' }, ...KEYED },
    needs: [['name']],
    examples: ['resume Scout'],
    exits: { 3: 'no such agent' },
    load: async () => (await import('../verbs/resume.ts')).resume,
  },
  {
    name: 'whoami',
    linkless: true,
    summary: 'show who this profile is, and where its team is',
    usage: '',
    about: 'Shows what this machine knows, without asking the server.',
    flags: {},
    examples: ['whoami', '--as reviewer whoami'],
    exits: { 3: 'not registered' },
    load: async () => (await import('../verbs/whoami.ts')).whoami,
  },
  {
    name: 'scan',
    linkless: true,
    summary: 'find servers that answer',
    usage: '',
    about:
      'Asks the known addresses, and listens for servers that announce themselves on this network.',
    flags: {},
    examples: ['scan', 'scan --json'],
    load: async () => (await import('../verbs/scan.ts')).scan,
  },
  {
    name: 'info',
    linkless: true,
    summary: 'show the version and state of the server',
    usage: '',
    flags: {},
    examples: ['info', 'info --json'],
    load: async () => (await import('../verbs/info.ts')).info,
  },
]
