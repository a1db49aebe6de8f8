import { parseArgs } from 'node:util'
import { ClawError } from '../workspace/errors.ts'
import { didYouMean } from '../workspace/suggest.ts'

/** Who works at a terminal is somebody else than the agents of the same machine, whose profile is `default`. */
const PROFILE = 'me'

export const HELP = `clawlink: the terminal UI for people: who is here, tasks, what is said, files edited together

usage: clawlink [options] [JOIN-LINK | URL]

  JOIN-LINK | URL     the team to join; remembered after the first time  CLAWLINK_SERVER
  --workspace W       another workspace than the link names
  --as PROFILE        the identity on this machine (${PROFILE})                 CLAWLINK_AGENT
  --help              this text
  --version           the version

In it, ? shows all keys. It needs a terminal; scripts and agents use clawlink-agent.

  CLAWLINK_HOME=DIR   where identities are kept (~/.clawlink)
  NO_COLOR=1          no colours
  INK_SCREEN_READER=true  lines of words, for a screen reader
  CLAWLINK_MOUSE=off  the mouse selects text, as without clawlink
  CLAWLINK_BELL=on    rings for what is for you

examples:
  clawlink
  clawlink 'http://10.0.0.5:9077/#w=default'
  clawlink --as ann --workspace docs
`

const FLAGS = {
  workspace: { type: 'string' },
  as: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'V' },
} as const

/** What the link is told of profile, server and workspace: flags of clawlink-agent. */
export interface Options {
  flags: readonly string[]
}

/** Reads a command line and environment. Throws `usage`. */
export const parseOptions = (
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Options | 'help' | 'version' => {
  const { values, positionals, tokens } = parseArgs({
    ...{ args: [...argv], options: FLAGS, strict: false, allowPositionals: true, tokens: true },
  })
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    if (!Object.hasOwn(FLAGS, token.name)) {
      const known = Object.keys(FLAGS).map((name) => `--${name}`)
      throw usage(`unknown option ${token.rawName}`, didYouMean(token.rawName, known))
    }
    const wantsValue = FLAGS[token.name as keyof typeof FLAGS].type === 'string'
    if (wantsValue && !token.value) throw usage(`${token.rawName} needs a value`)
    if (!wantsValue && token.value !== undefined) throw usage(`${token.rawName} takes no value`)
  }
  if (values.help) return 'help'
  if (values.version) return 'version'
  const [server, extra] = positionals
  if (extra !== undefined) throw usage(`unexpected argument "${extra}"`)
  const flags = ['--as', String(values.as ?? (env.CLAWLINK_AGENT || PROFILE))]
  if (server !== undefined) flags.push('--relay', server)
  if (values.workspace !== undefined) flags.push('--workspace', String(values.workspace))
  return { flags }
}

const usage = (message: string, hint = ''): ClawError =>
  new ClawError('usage', message, hint || 'see clawlink --help')
