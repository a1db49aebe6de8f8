import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { parseConfig, type Setting, withConfig } from '../../lib/command-line/config-file.ts'
import type { Flag, Flags } from '../../lib/command-line/spec.ts'
import { takesValue } from '../../lib/command-line/spec.ts'
import type { Given } from '../../lib/command-line/values.ts'
import { ClawError } from '../../protocol/errors.ts'
import { withHome } from '../../protocol/own-folder.ts'
import { SERVER_FLAGS } from './flags.ts'

type Env = Readonly<Record<string, string | undefined>>

/** Flags that no file sets. */
const NOT_SET = new Set(['config', 'print-config', 'help', 'version', 'insecure'])

const SETTINGS: Flags = Object.fromEntries(
  Object.entries(SERVER_FLAGS).filter(([name]) => !NOT_SET.has(name)),
)

/** A configuration file, as read. */
export interface Config {
  /** null: none was named. */
  path: string | null
  settings: ReadonlyMap<string, Setting>
}

/** The file that `--config` or `CLAWLINK_CONFIG` names. Throws `usage`. */
export const readConfig = ({ values }: Pick<Given, 'values'>, env: Env): Config => {
  const named = values.get('config') ?? (env.CLAWLINK_CONFIG || undefined)
  if (named === undefined) return { path: null, settings: new Map() }
  const path = resolve(withHome(named, homedir, '--config'))
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new ClawError('usage', `cannot read the configuration ${path}: ${code}`, 'check --config')
  }
  return { path, settings: parseConfig(text, SETTINGS, path) }
}

/** A command line with the settings of its configuration file: a flag wins over the environment, that over the file. */
export const configured = (line: Given, { settings }: Config, env: Env): Given =>
  withConfig(line, settings, env)

/** An address without its password. */
const shown = (name: string, value: string): string =>
  name === 'store' ? value.replace(/^(\w+:\/\/[^:/@]*):[^@]*@/, '$1:…@') : value

/** The settings in force, in the format of a configuration file, each with where it comes from. */
export const configText = (line: Given, { path, settings }: Config, env: Env): string => {
  const lines = Object.entries(SETTINGS).map(([name, flag]: [string, Flag]) => {
    const fromEnv = flag.env === undefined ? '' : (env[flag.env.split('=')[0]!] ?? '')
    const setting = settings.get(name)
    const yes = takesValue(flag) ? '' : 'true'
    if (line.has.has(name)) return [name, line.values.get(name) ?? yes, `--${name}`]
    if (fromEnv !== '') return [name, takesValue(flag) ? fromEnv : yes, flag.env!]
    if (setting !== undefined) return [name, setting.value, `line ${setting.line} of ${path}`]
    return [name, null, flag.otherwise ?? (yes === '' ? 'not set' : 'false')]
  })
  return lines
    .map(([name, value, from]) =>
      value === null ? `# ${name}: ${from}` : `# from ${from}\n${name} = ${shown(name!, value!)}`,
    )
    .join('\n')
    .concat('\n')
}
