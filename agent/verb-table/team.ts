import { types } from '../../lib/command-line/value-types.ts'
import { MAX_INVITE_DAYS, ROLES } from '../../protocol/roles.ts'
import * as inputs from '../../workspace/actions/inputs/team.ts'
import type { VerbSpec } from '../command/verb.ts'
import { fromInput } from './from-input.ts'

/** Getting in, and who is here. */
export const TEAM: readonly VerbSpec[] = [
  {
    name: 'join',
    linkless: true,
    summary: 'join a workspace by a join link, best from stdin: join -',
    about:
      'Trades the link once for a credential of this profile. The user who runs the server needs no link on its machine. On a command line put the link in quotes.',
    operands: ['link'],
    flags: {
      link: {
        value: 'LINK',
        type: types.nameOrStdin,
        what: 'the join link; - reads it from stdin, so that no process list shows it',
        env: 'CLAWLINK_JOIN',
      },
      file: { type: types.file, what: 'read the link from this file' },
    },
    either: [['link', 'file']],
    examples: ['join -', 'join --file invite.txt', '--as reviewer join -'],
    load: async () => (await import('../verbs/team/join.ts')).join,
  },
  {
    name: 'invite',
    linkless: true,
    summary: 'make a join link to this workspace (admins only)',
    flags: {
      role: {
        type: types.oneOf(ROLES),
        what: 'what those who join with it may do',
        otherwise: 'write',
      },
      uses: { type: types.count, what: 'how many can join with it', otherwise: '1' },
      expires: {
        type: types.span(MAX_INVITE_DAYS),
        what: 'how long it works: 30m, 12h, 7d',
        otherwise: '7d',
      },
    },
    examples: ['invite', 'invite --role read --uses 3 --expires 2d'],
    load: async () => (await import('../verbs/team/invite.ts')).invite,
  },
  {
    name: 'register',
    summary: 'join the team, or change what it knows about you',
    about:
      'Registering again keeps the id of the profile. If the server is away, the registration is sent later.',
    ...fromInput(inputs.register, {
      without: ['kind'],
      but: {
        name: { value: 'NAME', type: types.text },
        topics: { or: 'all', otherwise: 'all' },
        machine: { value: 'MACHINE', type: types.text, otherwise: 'the host name' },
      },
      after: {
        description: {
          person: { what: 'this profile is a person, not an agent' },
          create: { what: 'make the workspace if it does not exist' },
        },
      },
    }),
    examples: [
      'register --name Scout --caps research,web --description "finds things out"',
      'register --name Scout --topics release,api',
    ],
    load: async () => (await import('../verbs/team/register.ts')).register,
  },
  {
    name: 'discover',
    summary: 'list the agents: id, name, status, machine, capabilities',
    flags: {
      limit: { type: types.count, what: 'at most this many', otherwise: 'about 2,000 characters' },
    },
    examples: ['discover', 'discover --json'],
    load: async () => (await import('../verbs/team/discover.ts')).discover,
  },
  {
    name: 'heartbeat',
    summary: 'tell the team that you are online',
    about: 'The link does this by itself; use it where no link can run.',
    flags: {},
    examples: ['heartbeat'],
    load: async () => (await import('../verbs/team/heartbeat.ts')).heartbeat,
  },
  {
    name: 'pause',
    summary: 'ask an agent to start no new work; it is told by prime and poll',
    ...fromInput(inputs.pause),
    examples: ['pause Scout', 'pause Scout "the plan changes, wait for it"'],
    exits: { 3: 'no such agent' },
    load: async () => (await import('../verbs/team/pause.ts')).pause,
  },
  {
    name: 'resume',
    summary: 'let a paused agent work again',
    ...fromInput(inputs.resume, { without: ['note'] }),
    examples: ['resume Scout'],
    exits: { 3: 'no such agent' },
    load: async () => (await import('../verbs/team/resume.ts')).resume,
  },
  {
    name: 'whoami',
    linkless: true,
    summary: 'show who this profile is, and where its team is',
    about: 'Shows what this machine knows, without asking the server.',
    flags: {},
    examples: ['whoami', '--as reviewer whoami'],
    exits: { 3: 'not registered' },
    load: async () => (await import('../verbs/team/whoami.ts')).whoami,
  },
  {
    name: 'scan',
    linkless: true,
    summary: 'find servers that answer',
    about:
      'Asks the known addresses, and listens for servers that announce themselves on this network.',
    flags: {},
    examples: ['scan', 'scan --json'],
    load: async () => (await import('../verbs/team/scan.ts')).scan,
  },
  {
    name: 'info',
    linkless: true,
    summary: 'show the version and state of the server',
    flags: {},
    examples: ['info', 'info --json'],
    load: async () => (await import('../verbs/team/info.ts')).info,
  },
]
