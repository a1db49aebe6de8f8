import { ROLES } from '../workspace/access.ts'
import { type CommandSpec, completionSpec, type Flag } from '../workspace/command-line/spec.ts'

/** What a command of clawlink-sync is given. */
export interface Call {
  /** A flag's value, or an operand's. */
  value: (flag: string) => string | undefined
  /** Whether it was given. */
  has: (flag: string) => boolean
  /** The data folder, absolute. */
  data: string
  json: boolean
  env: Readonly<Record<string, string | undefined>>
  version: string
  print: (text: string) => void
}

/** Carries a command out and resolves to its exit code. Throws ClawErrors. */
export type Command = (call: Call) => Promise<number>

export interface CommandRow extends CommandSpec {
  load: () => Promise<Command>
}

const access = () => import('./cli/access.ts')

const WORKSPACE: Flag = { value: 'W', what: 'this workspace only', otherwise: 'all' }
const URL_FLAG: Flag = {
  value: 'URL',
  what: 'the address in the link',
  otherwise: 'where the server says that it is reached',
}

const LIMIT_FLAG: Flag = {
  value: 'NAME=N,…',
  what: 'the limits of the server, where it does not run; of these invites counts',
  env: 'CLAWLINK_LIMIT',
}

/** Who may. */
export const ACCESS: readonly CommandRow[] = [
  {
    name: 'invite',
    summary: 'print a link by which an agent or person can join, or a token for plain HTTP',
    usage:
      '[--http [--name N]] [--workspace W] [--role admin|write|read] [--uses N|any] [--expires 7d|never] [--url URL] [--limit invites=N] [--data DIR] [--json]',
    about: 'With --http a token for agents that speak plain HTTP: ClawLink 1.x clients, curl.',
    flags: {
      workspace: { value: 'W', what: 'the workspace', otherwise: 'default' },
      role: { oneOf: ROLES, what: 'what who joins by it may do', otherwise: 'write' },
      uses: { value: 'N|any', what: 'how many can join by it', otherwise: '1' },
      expires: {
        value: 'SPAN|never',
        what: 'how long it is good for',
        otherwise: '7d; with --http never',
      },
      url: URL_FLAG,
      http: { what: 'a token for agents that speak plain HTTP, in place of a link' },
      name: { value: 'N', what: 'what the token is listed as', otherwise: 'nothing' },
      limit: LIMIT_FLAG,
    },
    examples: [
      'invite',
      'invite --role write --uses 5 --expires 2d',
      'invite --http --name laptop',
    ],
    load: async () => (await access()).invite,
  },
  {
    name: 'invites',
    summary: 'the invites by which somebody can still join, and the tokens',
    usage: '[--workspace W] [--data DIR] [--json]',
    flags: { workspace: WORKSPACE },
    examples: ['invites', 'invites --workspace docs --json'],
    load: async () => (await access()).invites,
  },
  {
    name: 'agents',
    summary: 'who has joined, and with what role',
    usage: '[--workspace W] [--data DIR] [--json]',
    flags: { workspace: WORKSPACE },
    examples: ['agents', 'agents --json'],
    load: async () => (await access()).agents,
  },
  {
    name: 'revoke',
    summary: 'end an agent’s credential and its connections, an invite or a token, now',
    usage: 'AGENT|INVITE|TOKEN [--workspace W] [--data DIR] [--json]',
    operands: ['which'],
    flags: {
      which: { value: 'AGENT|INVITE|TOKEN', what: 'its id, or an agent’s name' },
      workspace: { value: 'W', what: 'where the agent is', otherwise: 'everywhere' },
    },
    needs: [['which']],
    examples: ['revoke a-4k2j9x0q7m1z', 'revoke Scout --workspace docs'],
    exits: { 3: 'nothing of that name' },
    load: async () => (await access()).revoke,
  },
  {
    name: 'rotate',
    summary: 'print a link by which an agent gets a new credential in place of its old one',
    usage: 'AGENT [--workspace W] [--url URL] [--limit invites=N] [--data DIR] [--json]',
    operands: ['which'],
    flags: {
      which: { value: 'AGENT', what: 'its id or name' },
      workspace: { value: 'W', what: 'where the agent is' },
      url: URL_FLAG,
      limit: LIMIT_FLAG,
    },
    needs: [['which']],
    examples: ['rotate a-4k2j9x0q7m1z'],
    exits: { 3: 'nothing of that name' },
    load: async () => (await access()).rotate,
  },
  {
    name: 'audit',
    summary: 'who was invited, joined, revoked, and what was refused',
    usage: '[--workspace W] [--limit N] [--data DIR] [--json]',
    flags: {
      workspace: WORKSPACE,
      limit: { value: 'N', what: 'the newest so many, up to 10000', otherwise: '200' },
    },
    examples: ['audit', 'audit --limit 20 --json'],
    load: async () => (await access()).audit,
  },
  {
    name: 'recover',
    summary: 'after a restore: take operations that the backup lacks from whoever has them',
    usage: '[--for 7d] [--data DIR] [--json]',
    flags: { for: { value: 'SPAN', what: 'for how long', otherwise: '7d' } },
    examples: ['recover', 'recover --for 2d'],
    load: async () => (await access()).recover,
  },
]

/** What an operator runs. docs/OPERATIONS.md */
export const OPS: readonly CommandRow[] = [
  {
    name: 'backup',
    summary: 'a copy of everything, as it is at one moment',
    usage: 'DIR [--data DIR] [--json]',
    about:
      'A server that runs goes on serving: it makes the backup itself, so DIR is written with its rights. DIR gets its name when the backup is whole.',
    operands: ['dir'],
    flags: { dir: { value: 'DIR', what: 'the folder for the backup, which must be new or empty' } },
    needs: [['dir']],
    examples: ['backup "/var/backups/clawlink/$(date +%F)"'],
    exits: { 4: 'DIR is not empty' },
    load: async () => (await import('./ops/backup-command.ts')).backup,
  },
  {
    name: 'restore',
    summary: 'make a data folder of a backup',
    usage: 'BACKUP [--data DIR] [--json]',
    about:
      'The data folder must be new or empty: stop the server and move its old folder aside. Every record is checked before the folder gets its name; a backup with anything wrong is not restored.',
    operands: ['backup'],
    flags: { backup: { value: 'BACKUP', what: 'the folder of the backup' } },
    needs: [['backup']],
    examples: ['restore /var/backups/clawlink/2026-01-31'],
    exits: { 4: 'the backup is damaged, or the data folder not empty' },
    load: async () => (await import('./ops/restore-command.ts')).restore,
  },
  {
    name: 'verify',
    summary: 'check every record, here or in a backup',
    usage: '[BACKUP] [--data DIR] [--json]',
    about:
      'That it is what was written, that every document, archived entry and version of a file comes of it, that documents keep to their grammar, and that blobs are what they are named. Says what is wrong, where, and what to do. A server that runs is asked for a copy, which goes again; a backup is unpacked below TMPDIR.',
    operands: ['backup'],
    flags: {
      backup: { value: 'BACKUP', what: 'the folder of a backup', otherwise: 'the data folder' },
    },
    examples: ['verify', 'verify /var/backups/clawlink/2026-01-31'],
    exits: { 0: 'nothing is wrong', 1: 'something is', 3: 'no data' },
    load: async () => (await import('./ops/verify-command.ts')).verify,
  },
  {
    name: 'repair',
    summary: 'take out what breaks a document',
    usage: '[--workspace W] [--dry-run] [--data DIR] [--json]',
    about:
      'For what verify calls invalid, and for a workspace that the server cannot serve. Stop the server first. What is taken out is deleted on every replica, and kept in DIR/removed, a line of JSON each, with who wrote it.',
    flags: {
      workspace: WORKSPACE,
      'dry-run': { what: 'say what would be taken out, and change nothing' },
    },
    examples: ['repair --dry-run', 'repair --workspace docs'],
    exits: {
      0: 'nothing is wrong any more',
      1: 'something is',
      3: 'no data',
      4: 'a server uses it',
    },
    load: async () => (await import('./ops/repair-command.ts')).repair,
  },
  {
    name: 'doctor',
    summary: 'what is wrong with this machine, folder or server, if anything',
    usage: '[--data DIR] [--port PORT] [--json]',
    about:
      'A line of each thing looked at, with what to do where something is wrong. It changes nothing, and reads no records: verify does.',
    flags: {
      port: {
        value: 'PORT',
        what: 'where a server is to listen',
        otherwise: '9077',
        env: 'CLAWLINK_PORT',
      },
    },
    examples: ['doctor', 'doctor --data /var/lib/clawlink --json'],
    exits: { 0: 'nothing has failed', 1: 'something has' },
    load: async () => (await import('./ops/doctor.ts')).doctor,
  },
  {
    name: 'export',
    summary: 'all there is, to be read without ClawLink',
    usage: 'DIR [--workspace W] [--format md|json|files] [--data DIR] [--json]',
    about:
      'All of every workspace, what is archived and direct messages too, into DIR/<workspace>. A server that runs is asked for a copy.',
    operands: ['dir'],
    flags: {
      dir: { value: 'DIR', what: 'the folder to export to, which must be new or empty' },
      workspace: WORKSPACE,
      format: {
        oneOf: ['md', 'json', 'files'],
        what: 'md: Markdown to read; json: the shapes of clawlink-agent --json; files: the shared files alone',
        otherwise: 'md',
      },
    },
    needs: [['dir']],
    examples: ['export /tmp/what-we-did', 'export /tmp/docs --workspace docs --format files'],
    exits: { 3: 'no such workspace', 4: 'DIR is not empty' },
    load: async () => (await import('./ops/export-command.ts')).exportAll,
  },
  {
    ...completionSpec('clawlink-sync'),
    load: async () => (await import('./program.ts')).completion,
  },
]

/** What clawlink-sync does beside serving: each is loaded when it is asked for. */
export const COMMANDS: readonly CommandRow[] = [...ACCESS, ...OPS]
