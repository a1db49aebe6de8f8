import { parseArgs } from 'node:util'
import { ClawError } from '../../workspace/errors.ts'
import { didYouMean } from '../../workspace/suggest.ts'

/** A subcommand's command line. */
export interface CommandLine {
  name: string
  usage: string
  /** Flags with a value; `--json`, `--data` and `--help` are every command's. */
  flags: readonly string[]
  /** Flags without one. */
  switches?: readonly string[]
  /** What must stand without a flag, in this order. */
  operands?: readonly string[]
}

export interface Given {
  help: boolean
  json: boolean
  has: (flag: string) => boolean
  value: (flag: string) => string | undefined
}

/** Reads a subcommand's arguments, strictly. Throws `usage`. */
export const readCommand = (line: CommandLine, argv: readonly string[]): Given => {
  const { name, flags, switches = [], operands = [] } = line
  const usage = (what: string, hint = ''): ClawError =>
    new ClawError('usage', what, hint || `usage: clawlink-sync ${name} ${line.usage}`)
  const valued = [...flags, 'data']
  const options = Object.fromEntries([
    ...valued.map((flag) => [flag, { type: 'string' } as const]),
    ...[...switches, 'json', 'help'].map((flag) => [flag, { type: 'boolean' } as const]),
  ])
  const { tokens } = parseArgs({
    ...{ args: [...argv], options, strict: false, allowPositionals: true, tokens: true },
  })
  const values = new Map<string, string>()
  const stand: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') stand.push(token.value)
    if (token.kind !== 'option') continue
    if (!Object.hasOwn(options, token.name)) {
      const known = Object.keys(options).map((flag) => `--${flag}`)
      throw usage(`${name} has no option ${token.rawName}`, didYouMean(token.rawName, known))
    }
    if (valued.includes(token.name) && token.value === undefined) {
      throw usage(`${token.rawName} needs a value`)
    }
    if (!valued.includes(token.name) && token.value !== undefined) {
      throw usage(`${token.rawName} takes no value`)
    }
    values.set(token.name, token.value ?? '')
  }
  const help = values.has('help')
  if (stand.length > operands.length) throw usage(`unexpected argument "${stand[operands.length]}"`)
  if (stand.length < operands.length && !help) throw usage(`${operands[stand.length]} is missing`)
  for (const [i, operand] of stand.entries()) values.set(operands[i]!, operand)
  const has = (flag: string) => values.has(flag)
  return { help, json: has('json'), has, value: (flag) => values.get(flag) }
}
