import {
  type CommandSpec,
  completionSpec,
  type Flag,
  type Program,
} from '../../lib/command-line/spec.ts'
import { types } from '../../lib/command-line/value-types.ts'
import { MAX_INVITE_DAYS, ROLES } from '../../protocol/roles.ts'
import { LOG_LEVELS } from '../config/flags.ts'
import { MAX_RECOVERY_DAYS } from '../config/limits.ts'
import { FORMATS } from '../ops/formats.ts'
import type { Command } from './call.ts'

export interface CommandRow extends CommandSpec {
  load: (program: Program) => Promise<Command>
}

const access = () => import('./access.ts')

const WORKSPACE: Flag = {
  value: 'W',
  type: types.name,
  what: 'this workspace only',
  otherwise: 'all',
}
const URL_FLAG: Flag = {
  value: 'URL',
  type: types.name,
  what: 'the address in the link',
  otherwise: 'as the server knows it',
}

const LIMIT_FLAG: Flag = {
  value: 'NAME=N,…',
  type: types.list,
  what: 'only used while the server is stopped; only `invites` matters here',
  env: 'CLAWLINK_LIMIT',
}

/** Access: invites, agents, workspaces. */
export const ACCESS: readonly CommandRow[] = [
  {
    name: 'invite',
    summary: 'print a join link for an agent or person, or a token for plain HTTP',
    about: 'With --http: a token for agents that speak plain HTTP (ClawLink 1.x clients, curl).',
    flags: {
      workspace: { value: 'W', type: types.name, what: 'the workspace', otherwise: 'default' },
      create: { what: 'make the workspace if it does not exist' },
      role: {
        type: types.oneOf(ROLES),
        what: 'role of those who join with it',
        otherwise: 'write',
      },
      uses: {
        type: types.number(1, 999_999),
        or: 'any',
        what: 'how many can join with it',
        otherwise: '1',
      },
      expires: {
        type: types.span(MAX_INVITE_DAYS),
        or: 'never',
        what: 'how long it works',
        otherwise: '7d; with --http never',
      },
      url: URL_FLAG,
      http: { what: 'a token for plain HTTP, in place of a link' },
      name: {
        with: 'http',
        type: types.name,
        what: 'a name for the token in lists',
        otherwise: 'none',
      },
      limit: LIMIT_FLAG,
    },
    either: [['http', 'uses']],
    examples: [
      'invite',
      'invite --role write --uses 5 --expires 2d',
      'invite --http --name laptop',
    ],
    load: async () => (await access()).invite,
  },
  {
    name: 'invites',
    summary: 'list open invites, and tokens',
    flags: { workspace: WORKSPACE },
    examples: ['invites', 'invites --workspace docs --json'],
    load: async () => (await access()).invites,
  },
  {
    name: 'agents',
    summary: 'list members: name, role, when they joined and were last seen',
    flags: { workspace: WORKSPACE },
    examples: ['agents', 'agents --json'],
    load: async () => (await access()).agents,
  },
  {
    name: 'workspaces',
    summary: 'list workspaces; make, rename, remove one, bring one back or delete it for good',
    about:
      'A workspace is only made by this command or with --create; other commands reject an unknown name. rename changes its name in the lists of the host. remove ends all connections to it; its data stay on disk, which frees nothing, and restore brings it back with its members. purge deletes a removed one for good, also while the server runs; its audit log stays.',
    operands: ['action', 'name', 'new'],
    flags: {
      action: {
        type: types.oneOf(['list', 'add', 'rename', 'remove', 'restore', 'purge']),
        what: 'what to do',
        otherwise: 'list',
      },
      name: {
        with: 'action',
        type: types.name,
        what: 'its name: lower-case letters, digits, dashes',
      },
      new: { with: 'name', type: types.name, what: 'rename: its new name' },
      yes: { with: 'name', what: 'purge: do not ask' },
    },
    examples: [
      'workspaces',
      'workspaces add docs',
      'workspaces rename docs handbook',
      'workspaces remove docs',
      'workspaces restore docs',
      'workspaces purge docs --yes',
    ],
    exits: {
      ...{ 1: 'purge was not confirmed', 3: 'no such workspace' },
      4: 'there is one of that name; purge: an unknown process uses the data',
    },
    load: async () => (await import('./workspaces-command.ts')).workspaces,
  },
  {
    name: 'role',
    summary: 'give an agent or person another role, in place of its present one',
    about: 'It takes effect at once; the agent connects anew. Nobody has to join again.',
    operands: ['which', 'role'],
    flags: {
      which: { value: 'AGENT', type: types.name, what: 'its id or name' },
      role: { type: types.oneOf(ROLES), what: 'its new role' },
      workspace: {
        value: 'W',
        type: types.name,
        what: 'where the agent is',
        otherwise: 'everywhere',
      },
    },
    needs: [['which'], ['role']],
    examples: ['role Scout read', 'role a-4k2j9x0q7m1z admin --workspace docs'],
    exits: { 3: 'no such agent' },
    load: async () => (await access()).role,
  },
  {
    name: 'revoke',
    summary: 'revoke an agent, an invite or a token at once',
    operands: ['which'],
    flags: {
      which: { value: 'AGENT|INVITE|TOKEN', type: types.name, what: 'its id, or an agent’s name' },
      workspace: {
        value: 'W',
        type: types.name,
        what: 'where the agent is',
        otherwise: 'everywhere',
      },
    },
    needs: [['which']],
    examples: ['revoke a-4k2j9x0q7m1z', 'revoke Scout --workspace docs'],
    exits: { 3: 'no such agent, invite or token' },
    load: async () => (await access()).revoke,
  },
  {
    name: 'rotate',
    summary: 'print a link that replaces an agent’s credential',
    operands: ['which'],
    flags: {
      which: { value: 'AGENT', type: types.name, what: 'its id or name' },
      workspace: { value: 'W', type: types.name, what: 'where the agent is' },
      url: URL_FLAG,
      limit: LIMIT_FLAG,
    },
    needs: [['which']],
    examples: ['rotate a-4k2j9x0q7m1z'],
    exits: { 3: 'no such agent, invite or token' },
    load: async () => (await access()).rotate,
  },
  {
    name: 'audit',
    summary: 'show invites, joins, revocations and rejected requests',
    flags: {
      workspace: WORKSPACE,
      limit: {
        type: types.number(1, 10_000),
        what: 'at most this many, the newest, up to 10000',
        otherwise: '200',
      },
    },
    examples: ['audit', 'audit --limit 20 --json'],
    load: async () => (await access()).audit,
  },
  {
    name: 'recover',
    summary: 'after a restore: accept edits from clients that the backup lacks',
    flags: { for: { type: types.span(MAX_RECOVERY_DAYS), what: 'for how long', otherwise: '7d' } },
    examples: ['recover', 'recover --for 2d'],
    load: async () => (await access()).recover,
  },
]

/** Commands for operators: docs/OPERATIONS.md */
export const OPS: readonly CommandRow[] = [
  {
    name: 'status',
    summary: 'show the server: workspaces, agents online, disk, last backup, limits nearly reached',
    about: 'Of a stopped server: its workspaces, disk and last backup. doctor checks for problems.',
    flags: {},
    examples: ['status', 'status --json'],
    exits: { 3: 'no data' },
    load: async () => (await import('./status.ts')).status,
  },
  {
    name: 'log-level',
    summary: 'show how much a running server logs, or change it until it stops',
    operands: ['level'],
    flags: {
      level: { type: types.oneOf(LOG_LEVELS), what: 'the new level', otherwise: 'show it' },
    },
    examples: ['log-level', 'log-level debug'],
    exits: { 3: 'no server runs' },
    load: async () => (await import('./status.ts')).logLevel,
  },
  {
    name: 'backup',
    summary: 'copy everything, as of one moment',
    about:
      'A running server keeps serving, and writes the backup itself, with its own permissions. DIR appears only when the backup is complete.',
    operands: ['dir'],
    flags: {
      dir: { type: types.folder, what: 'the folder for the backup; it must be new or empty' },
    },
    needs: [['dir']],
    examples: ['backup "/var/backups/clawlink/$(date +%F)"'],
    exits: { 4: 'DIR is not empty' },
    load: async () => (await import('./backup-command.ts')).backup,
  },
  {
    name: 'restore',
    summary: 'make a data folder from a backup',
    about:
      'The data folder must be new or empty: stop the server and move its old folder aside. Every record is checked before the folder appears; a damaged backup is not restored.',
    operands: ['backup'],
    flags: { backup: { value: 'BACKUP', type: types.folder, what: 'the folder of the backup' } },
    needs: [['backup']],
    examples: ['restore /var/backups/clawlink/2026-01-31'],
    exits: { 4: 'the backup is damaged, or the data folder not empty' },
    load: async () => (await import('./restore-command.ts')).restore,
  },
  {
    name: 'verify',
    summary: 'check every record of the data, or of a backup',
    about:
      'Checks that every record is intact, that every document, archive entry and file version can be rebuilt from them, that documents keep to their grammar, and that each blob matches its hash. Says what is wrong, where, and what to do. If the server is running it makes a temporary copy, deleted afterwards; a backup is unpacked below TMPDIR.',
    operands: ['backup'],
    flags: {
      backup: {
        value: 'BACKUP',
        type: types.folder,
        what: 'the folder of a backup',
        otherwise: 'the data folder',
      },
      witness: {
        value: 'FILE',
        type: types.file,
        what: 'heads of the record that agents kept, a line each: find a log that was rewritten or cut off',
      },
    },
    examples: [
      'verify',
      'verify --witness default.witness',
      'verify /var/backups/clawlink/2026-01-31',
    ],
    exits: { 0: 'all well', 1: 'problems found', 3: 'no data' },
    load: async () => (await import('./verify-command.ts')).verify,
  },
  {
    name: 'repair',
    summary: 'remove what breaks a document',
    about:
      'For entries that verify calls invalid, and for a workspace that the server cannot serve. Stop the server first. Removed entries are deleted on every replica, and kept in DIR/removed, one line of JSON per entry, with its author.',
    flags: {
      workspace: WORKSPACE,
      'dry-run': { what: 'list what it would remove, and change nothing' },
    },
    examples: ['repair --dry-run', 'repair --workspace docs'],
    exits: {
      0: 'all well',
      1: 'problems are left',
      3: 'no data',
      4: 'a server uses it',
    },
    load: async () => (await import('./repair-command.ts')).repair,
  },
  {
    name: 'doctor',
    summary: 'check this machine, the data folder and the server',
    about:
      'One line per check, with what to do about each problem. It changes nothing, and reads no records (verify does).',
    flags: {
      port: {
        value: 'PORT',
        type: types.number(1, 65_535),
        what: 'the port of the server',
        otherwise: '9077',
        env: 'CLAWLINK_PORT',
      },
    },
    examples: ['doctor', 'doctor --data /var/lib/clawlink --json'],
    exits: { 0: 'no check failed', 1: 'a check failed' },
    load: async () => (await import('./doctor.ts')).doctor,
  },
  {
    name: 'nodes',
    summary: 'list the nodes that share the database',
    about:
      'Asks the database for nodes and what they own, and looks for up to 3 s for their signs of life.',
    flags: {},
    examples: ['nodes', 'nodes --store postgres://clawlink@db.example.org/clawlink --json'],
    exits: { 0: 'all well', 1: 'a node is silent', 3: 'no nodes' },
    load: async () => (await import('./nodes.ts')).nodes,
  },
  {
    name: 'drain',
    summary: 'give the workspaces of a running node to the other nodes',
    about:
      'Before maintenance: each workspace moves when all that came for it is stored, and its clients are back within a second. The node claims none until it is started again, and hands connections on to the others. SIGTERM does the same.',
    flags: {},
    examples: ['drain'],
    exits: { 1: 'some are kept, as no other node is up', 3: 'no server runs' },
    load: async () => (await import('./status.ts')).drain,
  },
  {
    name: 'export',
    summary: 'write everything as files that need no ClawLink',
    about:
      'Everything of every workspace, archive and direct messages included, into DIR/<workspace>, with the authors of all lines as an Agent Trace record. If the server is running it makes a temporary copy, deleted afterwards.',
    operands: ['dir'],
    flags: {
      dir: { type: types.folder, what: 'the folder to export to; it must be new or empty' },
      workspace: WORKSPACE,
      format: {
        type: types.oneOf(FORMATS),
        what: 'md: Markdown to read; json: as clawlink-agent --json prints it; files: only the shared files',
        otherwise: 'md',
      },
    },
    needs: [['dir']],
    examples: ['export /tmp/what-we-did', 'export /tmp/docs --workspace docs --format files'],
    exits: { 3: 'no such workspace', 4: 'DIR is not empty' },
    load: async () => (await import('./export-command.ts')).exportAll,
  },
  {
    ...completionSpec('clawlink-sync'),
    load: async (program) => (await import('./completion.ts')).completionCommand(program),
  },
]

/** All commands of clawlink-sync; each is loaded when it runs. */
export const COMMANDS: readonly CommandRow[] = [...ACCESS, ...OPS]
