import { ClawError } from '../errors.ts'
import { didYouMean } from '../suggest.ts'
import { type CommandSpec, type Flags, type Program, takesValue } from './spec.ts'

/** A command line, understood. */
export interface Given {
  /** By a flag's long name. */
  values: ReadonlyMap<string, string>
  has: ReadonlySet<string>
}

/** What a flag looks like; text that merely begins with a dash does not. */
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
 * The words of a command line. A flag's value may be anything but another flag, also text that begins with a dash:
 * agents pass on what they wrote. After `--` nothing is a flag.
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

/** What to run to see how it is called. */
const hintOf = (program: string, { name, usage }: CommandSpec): string =>
  name === '' ? `run ${program} --help` : `usage: ${program} ${name} ${usage}`.trimEnd()

/**
 * Reads a program's command line: a command's, whose flags may stand before its name, too, or without one the
 * program's own. Throws `usage`, naming what is wrong.
 */
export const readProgram = <C extends CommandSpec>(
  { name: program, noun, root, commands, common }: Program<C>,
  argv: readonly string[],
): Given & { command: C | null } => {
  // What is the program's own comes before what one command has.
  const all: Flags = Object.assign({}, ...commands.map(({ flags }) => flags), common, root.flags)
  const tokens = tokensOf(argv, all)
  const words = tokens.filter(({ kind }) => kind === 'operand')
  if (words[0]?.text === 'help' && !commands.some(({ name }) => name === 'help')) {
    // As people ask first: `help`, `help COMMAND`.
    return readProgram({ name: program, noun, root, commands, common }, [
      ...argv.toSpliced(words[0].at, 1),
      '--help',
    ])
  }
  const [word] = words
  const command = commands.find(({ name }) => name === word?.text)
  if (word === undefined || command === undefined) {
    // What comes after an unknown flag may be its value.
    const isStray = tokens.some(
      (token) => token.kind === 'flag' && !isKnown(token.text, all) && token.at < (word?.at ?? 0),
    )
    if (word === undefined || isStray || root.operands !== undefined) {
      return { command: null, ...readCommandLine(program, root, {}, argv) }
    }
    const names = commands.map(({ name }) => name)
    const hint = didYouMean(word.text, names) || `run ${program} --help`
    throw new ClawError('usage', `no ${noun} "${word.text}"`, hint)
  }
  return { command, ...readCommandLine(program, command, common, argv.toSpliced(word.at, 1)) }
}

const readCommandLine = (
  program: string,
  spec: CommandSpec,
  common: Flags,
  argv: readonly string[],
): Given => {
  const flags: Flags = { ...common, ...spec.flags }
  const operands = spec.operands ?? []
  const wrong = (what: string, near = ''): ClawError =>
    new ClawError('usage', what, near || hintOf(program, spec))
  const values = new Map<string, string>()
  const has = new Set<string>()
  const stand: string[] = []
  for (const token of tokensOf(argv, flags)) {
    const { kind, text } = token
    if (kind === 'operand') {
      stand.push(text)
      continue
    }
    const { name, value } = token
    if (name === undefined || !Object.hasOwn(flags, name)) {
      const shown = Object.keys(flags).filter((flag) => flags[flag]!.hidden !== true)
      const near = didYouMean(
        text,
        shown.map((flag) => `--${flag}`),
      )
      throw wrong(`${spec.name || program} has no flag ${text}`, near)
    }
    const isValued = takesValue(flags[name]!)
    if (isValued && value === undefined) throw wrong(`${text} has no value`)
    if (!isValued && value !== undefined) throw wrong(`${text} takes no value`)
    has.add(name)
    if (value !== undefined) values.set(name, value)
  }
  if (stand.length > operands.length) throw wrong(`unexpected argument "${stand[operands.length]}"`)
  for (const [i, text] of stand.entries()) {
    const name = operands[i]!
    if (has.has(name)) throw wrong(`--${name} and "${text}" are the same`)
    has.add(name)
    values.set(name, text)
  }
  for (const need of has.has('help') ? [] : (spec.needs ?? [])) {
    if (need.some((name) => has.has(name))) continue
    throw wrong(`--${need.join(' or --')} is missing`)
  }
  return { values, has }
}
