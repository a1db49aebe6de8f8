import { parseArgs } from 'node:util'
import { ClawError } from '../workspace/errors.ts'
import { didYouMean } from '../workspace/suggest.ts'
import { VERBS, type VerbSpec } from './verbs.ts'

const BOOLEAN_FLAGS = [
  ...['json', 'help', 'version', 'peek', 'force', 'hints', 'reset-trace'],
  ...['all', 'changed', 'clear', 'since-read', 'mine', 'from-me', 'binary'],
  ...['foreground', 'list', 'stop', 'anyone', 'next', 'ready', 'archived', 'person', 'dry-run'],
]
const GLOBAL_FLAGS = ['relay', 'server', 'workspace', 'as', 'json', 'help', 'version']

const FLAGS = [...new Set([...GLOBAL_FLAGS, ...VERBS.flatMap(({ flags }) => flags)])]

/** A command line, understood. `values` has what was given by a flag's long name. */
export interface Args {
  verb: VerbSpec | null
  values: ReadonlyMap<string, string>
  has: ReadonlySet<string>
}

/**
 * Reads a command line; throws `usage`. A flag's value may be anything but another flag, also text that begins with a
 * dash: agents pass on what they wrote.
 */
export const readArgs = (argv: readonly string[]): Args => {
  const isBoolean = (name: string): boolean =>
    BOOLEAN_FLAGS.includes(name) && !(name === 'version' && takesVersion(argv))
  const options = Object.fromEntries(
    FLAGS.map((name) => [name, { type: isBoolean(name) ? 'boolean' : 'string' } as const]),
  )
  const isFlag = (arg: string | undefined): boolean =>
    arg?.startsWith('--') === true && Object.hasOwn(options, arg.slice(2).split('=')[0]!)
  const takesValue = (arg: string): boolean =>
    arg.startsWith('--') && options[arg.slice(2)]?.type === 'string'

  const optional = namedVerb(argv)?.optional ?? []
  const args: string[] = []
  const valueless: string[] = []
  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i] === '-h' ? '--help' : argv[i]!
    if (!takesValue(arg)) {
      args.push(arg)
    } else if (optional.includes(arg.slice(2)) && !/^\d/.test(argv[i + 1] ?? '')) {
      args.push(`${arg}=`)
    } else if (i + 1 < argv.length && !isFlag(argv[i + 1])) {
      args.push(`${arg}=${argv[++i]}`)
    } else {
      valueless.push(arg)
    }
  }
  const { values, positionals, tokens } = parseArgs({
    args,
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })

  const [verbName, ...operands] = positionals
  const verb = VERBS.find(({ name }) => name === verbName) ?? null
  if (verbName !== undefined && verb === null) {
    const names = VERBS.map(({ name }) => name)
    throw usage(`no verb "${verbName}"`, didYouMean(verbName, names) || 'run clawlink-agent --help')
  }
  const extra = operands[verb?.operands?.length ?? 0]
  if (extra !== undefined) throw usage(`"${extra}" belongs to no flag`, hint(verb))

  if (valueless.length > 0) throw usage(`${valueless[0]} has no value`, hint(verb))

  const allowed = [...GLOBAL_FLAGS, ...(verb?.flags ?? [])]
  const given = new Map<string, string>()
  const has = new Set<string>()
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const { name, rawName } = token
    if (!allowed.includes(name)) {
      const near = didYouMean(
        rawName,
        allowed.map((flag) => `--${flag}`),
      )
      throw usage(`${verb?.name ?? 'clawlink-agent'} has no flag ${rawName}`, near || hint(verb))
    }
    if (isBoolean(name)) {
      if (token.value !== undefined) throw usage(`${rawName} takes no value`, hint(verb))
      has.add(name)
    } else {
      given.set(name === 'server' ? 'relay' : name, String(values[name]))
      has.add(name)
    }
  }
  for (const [i, operand] of operands.entries()) {
    const name = verb!.operands![i]!
    if (has.has(name)) throw usage(`--${name} and "${operand}" are the same`, hint(verb))
    given.set(name, operand)
    has.add(name)
  }
  if (!has.has('help')) {
    for (const need of verb?.needs ?? []) {
      if (need.some((name) => has.has(name))) continue
      throw usage(`--${need.join(' or --')} is missing`, hint(verb))
    }
  }
  return { verb, values: given, has }
}

/** Whether the verb has a `--version N` of its own; else it asks for the program's. */
const takesVersion = (argv: readonly string[]): boolean =>
  namedVerb(argv)?.flags.includes('version') ?? false

/** The verb that a command line names, before that is read. */
const namedVerb = (argv: readonly string[]): VerbSpec | undefined => {
  const isValue = (at: number): boolean => {
    const flag = argv[at - 1]?.replace(/^--/, '')
    return flag !== argv[at - 1] && FLAGS.includes(flag!) && !BOOLEAN_FLAGS.includes(flag!)
  }
  const name = argv.find((arg, at) => VERBS.some(({ name }) => name === arg) && !isValue(at))
  return VERBS.find((verb) => verb.name === name)
}

const usage = (what: string, next: string): ClawError => new ClawError('usage', what, next)

const hint = (verb: VerbSpec | null): string =>
  verb === null ? 'run clawlink-agent --help' : `usage: clawlink-agent ${verb.name} ${verb.usage}`

/** The text of `--help`, or of one verb's. */
export const helpText = (verb: VerbSpec | null): string[] => {
  if (verb !== null) {
    return [
      verb.summary,
      '',
      `usage: clawlink-agent ${verb.name} ${verb.usage}`.trimEnd(),
      `example: clawlink-agent ${verb.example}`,
    ]
  }
  const width = Math.max(...VERBS.map(({ name }) => name.length))
  return [
    'usage: clawlink-agent [--relay URL|JOIN-LINK] [--workspace W] [--as PROFILE] [--json] VERB …',
    '',
    ...VERBS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'clawlink-agent VERB --help tells more. Any text may come from stdin: give - as its value.',
    'exit codes: 0 done, 1 bug, 2 usage, 3 not found, 4 conflict, 5 not allowed, 6 server unreachable, 7 timed out',
  ]
}
