import { resolve } from 'node:path'
import { ClawError } from '../../workspace/errors.ts'
import type { Call } from '../commands.ts'
import { type Flags, readFlags } from '../flags.ts'
import { dataFolder } from '../options.ts'

const COMMON = {
  data: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** The command line of a command that works on a data folder. */
export interface Given<F extends Flags> {
  /** Absolute. */
  data: string
  json: boolean
  /** The one argument that is no flag, as an absolute path; null: none was given. */
  path: string | null
  values: { [name in keyof F]?: string | boolean }
}

/** Null: help was asked for, and printed. Throws `usage`. `needs`: what the argument is, where there must be one. */
export const readCall = <F extends Flags>(
  { argv, env, print }: Call,
  { help, flags, needs }: { help: string; flags: F; needs: string | null },
): Given<F> | null => {
  const { values, positionals } = readFlags(argv, { ...COMMON, ...flags })
  if (values.help === true) {
    print(help)
    return null
  }
  const [path, extra] = positionals
  const hint = help.split('\n').find((line) => line.startsWith('usage: ')) ?? ''
  if (extra !== undefined) throw new ClawError('usage', `unexpected argument "${extra}"`, hint)
  if (needs !== null && path === undefined)
    throw new ClawError('usage', `${needs} is missing`, hint)
  return {
    data: resolve(dataFolder(values.data, env)),
    json: values.json === true,
    path: path === undefined ? null : resolve(path),
    values: values as Given<F>['values'],
  }
}

export const COMMON_HELP = `  --data DIR   the data folder (~/.clawlink/sync)   CLAWLINK_DATA
  --json       prints one JSON document
`

/** The one JSON document of a command that did what it was asked to. */
export const jsonOf = (data: unknown): string => `${JSON.stringify({ ok: true, data })}\n`

/** Bytes for people. */
export const sizeText = (bytes: number): string => {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  let [size, unit] = [bytes, 0]
  while (size >= 1024 && unit < units.length - 1) [size, unit] = [size / 1024, unit + 1]
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`
}
