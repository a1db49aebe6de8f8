import { ClawError } from '../../protocol/errors.ts'
import { didYouMean } from '../text/suggest.ts'
import { type Flag, type Flags, takesValue } from './spec.ts'
import { checkValue, type Given } from './values.ts'

/** A setting of a configuration file. */
export interface Setting {
  value: string
  /** The line in the file; the first is 1. */
  line: number
}

/** Largest configuration file (characters). */
export const MAX_CONFIG = 64 * 1024

const YES = ['true', 'yes', 'on']
const NO = ['false', 'no', 'off']

/**
 * Reads the settings of a configuration file: `name = value` per line, named as the flags are; `#` begins a comment
 * line. `path` is for errors. Throws `usage` with the line.
 */
export const parseConfig = (text: string, flags: Flags, path: string): Map<string, Setting> => {
  const settings = new Map<string, Setting>()
  if (text.length > MAX_CONFIG) {
    throw new ClawError('usage', `${path} is too large`, `at most ${MAX_CONFIG} characters`)
  }
  const names = Object.keys(flags).filter((name) => flags[name]!.hidden !== true)
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const at = `${path}, line ${i + 1}`
    const [, name = '', value = ''] = /^(?:--)?([a-z][\w-]*)\s*=\s*(.*)$/i.exec(line) ?? []
    const flag = Object.hasOwn(flags, name) ? flags[name] : undefined
    if (name === '') throw new ClawError('usage', `${at} is not a setting`, 'like: port = 9077')
    if (flag === undefined) {
      const near = didYouMean(name, names)
      throw new ClawError('usage', `${at}: no setting "${name.slice(0, 60)}"`, near || 'see --help')
    }
    if (settings.has(name)) {
      throw new ClawError('usage', `${at}: ${name} is set twice`, 'set it once')
    }
    if (takesValue(flag)) checkAt(at, name, flag, value)
    else if (![...YES, ...NO].includes(value)) {
      throw new ClawError('usage', `${at}: ${name} is not true or false`, `like: ${name} = true`)
    }
    settings.set(name, { value, line: i + 1 })
  }
  return settings
}

/** Throws `usage`, with the place of the setting. */
const checkAt = (at: string, name: string, flag: Flag, value: string): void => {
  try {
    checkValue(name, flag, value)
  } catch (thrown) {
    const { message, hint } = ClawError.from(thrown)
    throw new ClawError('usage', `${at}: ${message}`, hint)
  }
}

/** With the settings of a file for flags that neither the command line nor the environment has. */
export const withConfig = (
  { flags, values, has }: Given,
  settings: ReadonlyMap<string, Setting>,
  env: Readonly<Record<string, string | undefined>>,
): Given => {
  const all = new Map(values)
  const given = new Set(has)
  for (const [name, { value }] of settings) {
    const flag = flags[name]
    if (flag === undefined || has.has(name) || (flag.env !== undefined && env[flag.env])) continue
    if (takesValue(flag)) all.set(name, value)
    else if (YES.includes(value)) given.add(name)
  }
  return { flags, values: all, has: given }
}
