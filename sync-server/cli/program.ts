import { columns, commonLine, flagLines, helpOf } from '../../lib/command-line/help.ts'
import type { CommandSpec, Program } from '../../lib/command-line/spec.ts'
import { COMMON, SERVER_FLAGS } from '../config/flags.ts'
import { LIMITS } from '../config/quotas.ts'
import { ACCESS, COMMANDS, type CommandRow, OPS } from './commands.ts'

const NAME = 'clawlink-sync'

/** Command names of other programs, with the command to suggest. */
const SYNONYMS: Readonly<Record<string, string>> = {
  ...{ health: 'status, doctor', check: 'doctor, verify', ping: 'status, doctor' },
  ...{ start: NAME, serve: NAME, run: NAME, server: NAME, up: NAME, listen: NAME },
  ...{ stop: 'Ctrl-C, or SIGTERM to the server', down: 'Ctrl-C, or SIGTERM to the server' },
  ...{ restart: `Ctrl-C, then ${NAME}`, quit: 'Ctrl-C, or SIGTERM to the server' },
  ...{ list: 'workspaces, agents, invites', ls: 'workspaces, agents, invites' },
  ...{ token: 'invite --http', tokens: 'invites', link: 'invite', add: 'invite' },
  ...{ 'create-invite': 'invite', kick: 'revoke', remove: 'revoke', delete: 'revoke' },
  ver: '--version',
  ...{ save: 'backup', dump: 'export, backup', fsck: 'verify', fix: 'repair', import: 'restore' },
  uninstall: 'npm uninstall --global clawlink',
}

/** Other names of commands that change nothing: they run the command. */
const ALIASES: Readonly<Record<string, string>> = {
  ...{ users: 'agents', who: 'agents', members: 'agents', workspace: 'workspaces' },
  ...{ logs: 'audit', log: 'audit', history: 'audit' },
}

export const PROGRAM: Program<CommandRow> = {
  name: NAME,
  noun: 'command',
  root: {
    name: '',
    summary: 'hosts ClawLink workspaces for agents and people',
    usage: '[flags]           starts a server',
    flags: SERVER_FLAGS,
    examples: ['', 'invite --role write --uses 5', '--port 9100 --data /var/lib/clawlink'],
  },
  commands: COMMANDS,
  common: COMMON,
  aliases: ALIASES,
  synonyms: SYNONYMS,
}

/** The text of `--help`, or of one command's. */
export const helpText = (command: CommandSpec | null): string => {
  if (command !== null) {
    return `${helpOf(NAME, command, [commonLine('command', COMMON)]).join('\n')}\n`
  }
  const { summary, usage, examples } = PROGRAM.root
  const list = (rows: readonly CommandSpec[]) => columns(rows.map((one) => [one.name, one.summary]))
  const limits = Object.entries(LIMITS).map(
    ([name, { is, what }]) => [`${name}=${is}`, what] as const,
  )
  return [
    `${NAME}: ${summary}`,
    '',
    `usage: ${NAME} ${usage}`,
    `       ${NAME} COMMAND [flags]   manages a server, running or stopped`,
    '',
    'access:',
    ...list(ACCESS),
    '',
    'operations:',
    ...list(OPS),
    '',
    'flags of the server:',
    ...flagLines(SERVER_FLAGS),
    '',
    'limits with defaults (rates are averages):',
    ...columns(limits),
    '',
    `${NAME} COMMAND --help explains a command. A flag wins over its environment variable.`,
    'Stop a server with SIGTERM or Ctrl-C: it finishes its work and exits 0.',
    '',
    'examples:',
    ...examples.map((example) => `  ${NAME} ${example}`.trimEnd()),
    '',
  ].join('\n')
}
