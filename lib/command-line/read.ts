import { ClawError } from '../../protocol/errors.ts'
import { redacted } from '../../protocol/roles.ts'
import { commandElsewhere, meantCommand, meantFlags, pasted, takesText } from './meant.ts'
import {
  type CommandSpec,
  type Flag,
  type Flags,
  isList,
  type Program,
  takesValue,
} from './spec.ts'
import { calledIn, usageOf } from './usage.ts'
import { checkValue, type Given } from './values.ts'

/** The form of a flag. Text that only begins with a dash does not match. */
const FLAG = /^--([a-z0-9][\w-]*)(?:=([\s\S]*))?$/i
const SHORT = /^-[a-z]+$/i

const nameOf = (arg: string, flags: Flags): string | undefined => {
  const long = FLAG.exec(arg)?.[1]
  if (long !== undefined || !SHORT.test(arg)) return long
  return Object.keys(flags).find((name) => `-${flags[name]!.short}` === arg)
}

const isKnown = (arg: string | undefined, flags: Flags): boolean => {
  const name = arg === undefined ? undefined : nameOf(arg, flags)
  return name !== undefined && Object.hasOwn(flags, name)
}

type Token =
  | { kind: 'operand'; at: number; text: string }
  | { kind: 'flag'; at: number; text: string; name: string | undefined; value: string | undefined }

/**
 * The words of a command line. A flag's value may be anything but another flag, also text that begins with a dash,
 * as agents pass on their texts. After `--` nothing is a flag.
 */
const tokensOf = (argv: readonly string[], flags: Flags): Token[] => {
  const tokens: Token[] = []
  for (let at = 0; at < argv.length; at++) {
    const arg = argv[at]!
    if (arg === '--') {
      for (let rest = at + 1; rest < argv.length; rest++)
        tokens.push({ kind: 'operand', at: rest, text: argv[rest]! })
      break
    }
    if (!FLAG.test(arg) && !SHORT.test(arg)) {
      tokens.push({ kind: 'operand', at, text: arg })
      continue
    }
    const name = nameOf(arg, flags)
    const flag = name !== undefined && Object.hasOwn(flags, name) ? flags[name] : undefined
    const token = { kind: 'flag' as const, at, text: arg.split('=', 1)[0]!, name }
    let value = FLAG.exec(arg)?.[2]
    if (flag !== undefined && value === undefined && takesValue(flag)) {
      const next = argv[at + 1]
      const isNext = flag.optional ? /^\d/.test(next ?? '') : next !== undefined
      if (isNext && !isKnown(next, flags)) value = argv[++at]
      else if (flag.optional) value = ''
    }
    tokens.push({ ...token, value })
  }
  return tokens
}

/** Longest usage in a hint (characters): about two lines. A longer one is replaced by an example. */
const MAX_USAGE = 140
/** Longest part of an unknown word that an error repeats (characters). */
const MAX_WORD = 60

/** A hint that shows the usage, or an example where that is long. */
const hintOf = (program: string, spec: CommandSpec): string => {
  const { name, examples } = spec
  const usage = usageOf(spec)
  if (name === '') return `run ${program} --help`
  const called = `${program} ${name}`
  const example = examples.find((one) => one !== name)
  if (usage.length <= MAX_USAGE || example === undefined)
    return `usage: ${called} ${usage}`.trimEnd()
  return `like: ${program} ${example} (all flags: ${called} --help)`
}

/** A word as an error repeats it: no secret, nothing long. */
const shown = (word: string): string => {
  const text = /#|[?&]i=/.test(word) ? `${word.split(/[#?&]/, 1)[0]}…` : redacted(word)
  return text.length <= MAX_WORD ? text : `${text.slice(0, MAX_WORD)}…`
}

const ownOf = <T>(table: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined

/** True for `version` alone: people try it beside `--version`. */
const isVersion = ({ root, common, commands }: Program, argv: readonly string[]): boolean =>
  argv.length === 1 &&
  argv[0] === 'version' &&
  ('version' in root.flags || 'version' in common) &&
  !commands.some(({ name }) => name === 'version')

/**
 * Reads a program's command line: a command, whose flags may also stand before its name, or the program's own flags.
 * Throws `usage` with the cause.
 */
export const readProgram = <C extends CommandSpec>(
  whole: Program<C>,
  argv: readonly string[],
): Given & { command: C | null } => {
  const { name: program, noun, root, commands, common, aliases = {} } = whole
  // The program's own flags win over those of a command.
  const all: Flags = Object.assign({}, ...commands.map(({ flags }) => flags), common, root.flags)
  const tokens = tokensOf(argv, all)
  const words = tokens.filter(({ kind }) => kind === 'operand')
  if (words[0]?.text === 'help' && !commands.some(({ name }) => name === 'help')) {
    // People try `help` and `help COMMAND` first.
    return readProgram(whole, [...argv.toSpliced(words[0].at, 1), '--help'])
  }
  const [word] = words
  if (word !== undefined && isVersion(whole, argv)) {
    return readProgram(whole, ['--version'])
  }
  const named = word === undefined ? undefined : (ownOf(aliases, word.text) ?? word.text)
  const command = commands.find(({ name }) => name === named)
  if (word === undefined || command === undefined) {
    // A word after an unknown flag may be its value.
    const isStray = tokens.some(
      (token) => token.kind === 'flag' && !isKnown(token.text, all) && token.at < (word?.at ?? 0),
    )
    const elsewhere = word === undefined ? null : commandElsewhere(program, word.text)
    const isOperand = root.operands !== undefined && elsewhere === null
    if (word === undefined || isStray || isOperand) {
      return { command: null, ...readCommandLine(whole, root, {}, argv) }
    }
    const meant = meantCommand(
      whole,
      words.map(({ text }) => text),
    )
    const hint = pasted(argv) ?? (meant || `run ${program} --help`)
    throw new ClawError('usage', `no ${noun} "${shown(word.text)}"`, hint)
  }
  return { command, ...readCommandLine(whole, command, common, argv.toSpliced(word.at, 1)) }
}

/** The flags of one command line, and the values that they were given, as they are read. */
interface Reading {
  values: Map<string, string>
  has: Set<string>
  /** Throws `usage` unless `isRight`, or where help is asked for: then nothing else is wrong. */
  must: (isRight: boolean, what: string, near?: string) => void
}

const readCommandLine = (
  { name: program, commands }: Pick<Program, 'name' | 'commands'>,
  spec: CommandSpec,
  common: Flags,
  argv: readonly string[],
): Given => {
  const flags: Flags = { ...common, ...spec.flags }
  const tokens = tokensOf(argv, flags)
  const isHelp = tokens.some((token) => token.kind === 'flag' && token.name === 'help')
  const stand = tokens.flatMap((token) => (token.kind === 'operand' ? [token.text] : []))
  const must: Reading['must'] = (isRight, what, near = '') => {
    if (isRight || isHelp) return
    const help = stand.join() === 'help' ? `run ${program} ${spec.name} --help` : ''
    throw new ClawError('usage', what, pasted(argv) ?? (help || near || hintOf(program, spec)))
  }
  const reading: Reading = { values: new Map(), has: new Set(), must }
  for (const token of tokens) {
    if (token.kind !== 'flag') continue
    const { name = '', value, text } = token
    const flag = Object.hasOwn(flags, name) ? flags[name] : undefined
    if (flag === undefined) {
      must(false, `${spec.name || program} has no flag ${shown(text)}`, meantFlags(text, flags))
      continue
    }
    must(!takesValue(flag) || value !== undefined, `${text} has no value`)
    must(takesValue(flag) || value === undefined, `${text} takes no value`)
    if (value !== undefined) addValue(reading, { name, text, value, flag })
    reading.has.add(name)
  }
  readOperands(spec, stand, reading, commands)
  if (!isHelp) {
    checkTogether(spec, reading)
    for (const [name, value] of reading.values) checkValue(`--${name}`, flags[name]!, value)
  }
  return { flags, values: reading.values, has: reading.has }
}

/** A repeated list grows. Throws `usage` for another flag that was given two values: one of them would be lost. */
const addValue = (
  { values, must }: Reading,
  { name, text, value, flag }: { name: string; text: string; value: string; flag: Flag },
): void => {
  const before = values.get(name)
  const isSame = before === undefined || before === value
  must(isSame || isList(flag), `${shown(text)} is given twice, with two values`, 'give it once')
  const isMore = before !== undefined && isList(flag)
  values.set(name, isMore ? `${before},${value}` : value)
}

/** Assigns operands to the flags whose values they are. Throws `usage` for one too many. */
const readOperands = (
  spec: CommandSpec,
  stand: readonly string[],
  reading: Reading,
  commands: readonly CommandSpec[],
): void => {
  const { values, has, must } = reading
  const { operands = [], needs = [], flags } = spec
  /** The flag that was given instead of the operand `name`. */
  const saidBy = (name: string): string | undefined =>
    has.has(name) ? name : needs.find((all) => all.includes(name))?.find((one) => has.has(one))
  const free = operands.filter((name) => saidBy(name) === undefined)
  const last = free.at(-1)
  // A list at the end takes all that is left.
  if (last !== undefined && isList(flags[last]!) && stand.length > free.length) {
    const rest = stand.slice(free.length - 1)
    readOperands(spec, [...stand.slice(0, free.length - 1), rest.join(',')], reading, commands)
    return
  }
  if (stand.length > free.length) {
    const { what, near } = tooMany(spec, stand, operands.map(saidBy))
    must(false, what, near || singularOf(spec, stand[0]!, commands))
  }
  for (const [i, name] of free.slice(0, stand.length).entries()) {
    has.add(name)
    values.set(name, stand[i]!)
  }
}

/** Throws `usage` where a flag is missing, or two do not go together. */
const checkTogether = (spec: CommandSpec, { has, must }: Reading): void => {
  const { flags, needs = [], either = [] } = spec
  for (const need of needs) {
    const missing = need.map((name) => calledIn(spec, name)).join(' or ')
    must(
      need.some((name) => has.has(name)),
      `${missing} is missing`,
    )
  }
  for (const names of either) {
    const [one, two] = names.filter((name) => has.has(name))
    must(two === undefined, `both --${one} and --${two} are given`, 'give one of them')
  }
  for (const [name, flag] of Object.entries(flags)) {
    if (flag.with === undefined) continue
    const goesWith = `--${name} goes with --${flag.with}`
    must(!has.has(name) || has.has(flag.with), goesWith, 'give both')
    must(!flag.isPair || has.has(name) || !has.has(flag.with), `${calledIn(spec, name)} is missing`)
  }
}

/** `tasks ID` is meant as `task ID`, where only that takes one. */
const singularOf = (
  { name }: CommandSpec,
  word: string,
  commands: readonly CommandSpec[],
): string => {
  const one = commands.find((other) => `${other.name}s` === name && other.operands !== undefined)
  return one === undefined ? '' : `did you mean ${one.name} ${shown(word)}?`
}

/** The error for too many operands. `said`: the flag that was given in place of each operand. */
const tooMany = (
  { operands = [], flags }: CommandSpec,
  stand: readonly string[],
  said: readonly (string | undefined)[],
): { what: string; near: string } => {
  const at = said.findIndex((name) => name !== undefined)
  if (at >= 0 && stand.length <= operands.length) {
    const word = stand[Math.min(at, stand.length - 1)]!
    return { what: `--${said[at]} and "${shown(word)}" say the same`, near: 'give one of them' }
  }
  const last = operands.at(-1)
  const isText = last !== undefined && takesText(flags[last]!)
  const near =
    isText && stand.length > operands.length ? 'put a text of several words in quotes' : ''
  return { what: `unexpected argument "${shown(stand[operands.length] ?? stand.at(-1)!)}"`, near }
}
