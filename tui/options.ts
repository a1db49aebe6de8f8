import { completionOf } from '../lib/command-line/completion.ts'
import { columns, helpOf } from '../lib/command-line/help.ts'
import { readProgram } from '../lib/command-line/read.ts'
import { type CommandSpec, completionSpec, type Program, SHELLS } from '../lib/command-line/spec.ts'
import { types } from '../lib/command-line/value-types.ts'
import { choiceIn } from '../lib/command-line/values.ts'
import { ClawError } from '../protocol/errors.ts'
import { THEMES, type Theme } from './terminal/theme.ts'

/** In the place of a join link: it is asked for. */
const ASK = '-'

/** A person at a terminal is not the agent of this machine, whose profile is `default`. */
const PROFILE = 'me'

const HELP = { help: { short: 'h', what: 'explain it' } } as const

export const TUI_PROGRAM: Program = {
  name: 'clawlink',
  noun: 'command',
  root: {
    name: '',
    summary: 'the terminal UI for people: who is here, tasks, what is said, files edited together',
    usage: '[flags] [- | JOIN-LINK | URL]',
    about:
      'In it, ? shows all keys. It needs a terminal; scripts and agents use clawlink-agent. A join link is a secret: others see a command line with ps. With - it asks for the link; --link-file reads it.',
    operands: ['relay'],
    flags: {
      relay: {
        value: 'JOIN-LINK|URL',
        type: types.name,
        what: 'the team to join, or - to be asked; the default once you have registered there',
        env: 'CLAWLINK_SERVER',
      },
      'link-file': { value: 'FILE', type: types.name, what: 'a file with the join link' },
      workspace: { value: 'W', type: types.name, what: 'another workspace than the link names' },
      as: {
        value: 'PROFILE',
        type: types.name,
        what: 'the identity on this machine',
        otherwise: PROFILE,
        env: 'CLAWLINK_AGENT',
      },
      theme: {
        type: types.oneOf(THEMES),
        what: 'colours; auto follows the terminal',
        otherwise: 'auto, or mono with NO_COLOR',
        env: 'CLAWLINK_THEME',
      },
      ...HELP,
      version: { short: 'V', what: 'print the version' },
    },
    examples: ['', '-', '--link-file link.txt', '--as ann --workspace docs'],
  },
  commands: [completionSpec('clawlink')],
  common: HELP,
}

const VARIABLES = [
  ['CLAWLINK_HOME=DIR', 'where identities are kept (~/.clawlink)'],
  ['NO_COLOR=1', 'no colours, unless a theme is chosen'],
  ['INK_SCREEN_READER=true', 'lines of words, for a screen reader'],
  ['CLAWLINK_MOUSE=off', 'the mouse selects text, as without clawlink'],
  ['CLAWLINK_BELL=on', 'rings for what is for you'],
] as const

/** The text of `--help`, or of a command's. */
const helpText = (command: CommandSpec | null): string => {
  const { name, root, commands } = TUI_PROGRAM
  const more = [
    ...['', 'environment:', ...columns(VARIABLES), ''],
    ...['commands:', ...columns(commands.map((one) => [one.name, one.summary]))],
  ]
  return `${helpOf(name, command ?? root, command === null ? more : []).join('\n')}\n`
}

const isTheme = (name: string): name is Theme => (THEMES as readonly string[]).includes(name)

/** Profile, server and workspace for the link, as flags of clawlink-agent. */
export interface TuiOptions {
  flags: readonly string[]
  /** True: the person is asked for a join link first. */
  asksLink: boolean
  /** The file with the join link; null: none was named. */
  linkFile: string | null
  /** Undefined: none was chosen. */
  theme: Theme | undefined
}

/** Reads a command line and environment; what is only to be printed is text. Throws `usage`. */
export const parseTuiOptions = (
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  version: string,
): TuiOptions | string => {
  const given = readProgram(TUI_PROGRAM, argv)
  const { command, values, has } = given
  if (has.has('help')) return helpText(command)
  if (command !== null) return completionOf(TUI_PROGRAM, choiceIn(given, 'shell', SHELLS)!)
  if (has.has('version')) return `${version}\n`
  const flags = ['--as', values.get('as') ?? (env.CLAWLINK_AGENT || PROFILE)]
  for (const flag of ['relay', 'workspace']) {
    const value = values.get(flag)
    if (value !== undefined && value !== ASK) flags.push(`--${flag}`, value)
  }
  const linkFile = values.get('link-file') ?? null
  if (linkFile !== null && values.has('relay')) {
    throw new ClawError('usage', 'a link and --link-file are given', 'give one of them')
  }
  const theme = values.get('theme') ?? (env.CLAWLINK_THEME || undefined)
  if (theme !== undefined && !isTheme(theme)) {
    throw new ClawError('usage', `"${theme}" is not a theme`, `one of: ${THEMES.join(', ')}`)
  }
  return { flags, asksLink: values.get('relay') === ASK, linkFile, theme }
}
