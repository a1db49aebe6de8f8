import { type CommandSpec, type Flag, type Flags, takesValue, valueText } from './spec.ts'
import { usageOf } from './usage.ts'

/** Meanings of exit codes. A command's own table overrides them. */
export const EXITS: Readonly<Record<number, string>> = {
  0: 'done',
  1: 'bug',
  2: 'usage',
  3: 'not found',
  4: 'conflict',
  5: 'not allowed',
  6: 'server unreachable',
  7: 'timed out',
}

/** Exit codes of every command. */
const ANY = [0, 1, 2, 5, 6]

/** Width of wrapped text (columns); wider terminals lose nothing. */
const WIDTH = 100
/** Widest column of flags before a flag gets a line of its own (columns). */
const MAX_LABEL = 24

/** Longest usage that names optional flags (characters); the list of flags has all. */
const MAX_USAGE = 200

export const exitsLine = (exits: Readonly<Record<number, string>>): string =>
  `exit codes: ${Object.entries(exits)
    .map(([code, what]) => `${code} ${what}`)
    .join(', ')}`

const exitsOf = ({ exits = {} }: CommandSpec): string =>
  exitsLine({ ...Object.fromEntries(ANY.map((code) => [code, EXITS[code]!])), ...exits })

/** Text in lines of at most `width` columns, broken at spaces. */
const wrap = (text: string, width: number): string[] => {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}

/** Two columns; a label that is too long has a line of its own. */
export const columns = (rows: readonly (readonly [label: string, text: string])[]): string[] => {
  const longest = Math.max(0, ...rows.map(([label]) => label.length))
  const width = Math.min(MAX_LABEL, longest)
  return rows.flatMap(([label, text]) => {
    const [first = '', ...more] = wrap(text, WIDTH - width - 4)
    const gap = ' '.repeat(width + 4)
    const isLong = label.length > width
    const head = isLong ? [`  ${label}`, gap + first] : [`  ${label.padEnd(width)}  ${first}`]
    return [...head, ...more.map((line) => gap + line)]
  })
}

const labelOf = (name: string, flag: Flag, isOperand: boolean): string => {
  const dashed = `${flag.short === undefined ? '' : `-${flag.short}, `}--${name}`
  const value = valueText(flag)
  if (isOperand) return `[--${name}] ${value}`
  return takesValue(flag) ? `${dashed} ${flag.optional ? `[${value}]` : value}` : dashed
}

const textOf = ({ what, value, type, otherwise, env }: Flag): string => {
  const values = type?.kind === 'choice' && value !== undefined ? `: ${type.words.join(', ')}` : ''
  const notes = [
    ...(otherwise === undefined ? [] : [`default: ${otherwise}`]),
    ...(env === undefined ? [] : [env]),
  ]
  return `${what}${values}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}`
}

const shownIn = (flags: Flags): [string, Flag][] =>
  Object.entries(flags).filter(([, { hidden }]) => hidden !== true)

/** The flags of a table, two columns. */
export const flagLines = (flags: Flags, operands: readonly string[] = []): string[] =>
  columns(
    shownIn(flags).map(([name, flag]) => [
      labelOf(name, flag, operands.includes(name)),
      textOf(flag),
    ]),
  )

/** Names the flags of every command; `PROGRAM --help` explains them. */
export const commonLine = (noun: string, common: Flags): string =>
  `every ${noun} takes: ${shownIn(common)
    .map(([flag]) => `--${flag}`)
    .join(' ')}`

/** The lines of `COMMAND --help`, laid out like a manual page; `more` follows the flags. */
export const helpOf = (program: string, spec: CommandSpec, more: readonly string[]): string[] => {
  const { name, summary, about, flags, operands = [], examples } = spec
  const called = `${program} ${name}`.trimEnd()
  // Operands stand first, in their order.
  const positions = Object.fromEntries(operands.map((one) => [one, flags[one]!]))
  const lines = flagLines({ ...positions, ...flags }, operands)
  const usage = usageOf(spec)
  return [
    `${called}: ${summary}`,
    '',
    `usage: ${called} ${usage.length <= MAX_USAGE ? usage : usageOf(spec, true)}`.trimEnd(),
    ...(about === undefined ? [] : ['', ...wrap(about, WIDTH)]),
    '',
    ...(lines.length === 0 ? [] : ['flags:', ...lines]),
    ...more,
    '',
    exitsOf(spec),
    '',
    'examples:',
    ...examples.map((example) => `  ${program} ${example}`.trimEnd()),
  ]
}
