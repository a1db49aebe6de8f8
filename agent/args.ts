import { columns, EXITS, exitsLine, flagLines, helpOf } from '../workspace/command-line/help.ts'
import { firstOperand, type Given, readCommandLine } from '../workspace/command-line/read.ts'
import type { Flags, Program } from '../workspace/command-line/spec.ts'
import { ClawError } from '../workspace/errors.ts'
import { didYouMean } from '../workspace/suggest.ts'
import { COMMON, type VerbSpec } from './verb-table/verb.ts'
import { GROUPS, VERBS } from './verbs.ts'

/** A command line, understood. `values` has what was given by a flag's long name. */
export interface Args extends Given {
  verb: VerbSpec | null
}

export const PROGRAM: Program = {
  name: 'clawlink-agent',
  root: {
    name: '',
    summary: 'one verb a call, by which agents on different machines work as one team',
    usage: '[--relay URL|JOIN-LINK] [--workspace W] [--as PROFILE] [--json] VERB …',
    flags: COMMON,
    examples: [
      'register --name Scout --caps research',
      'delegate --to Scout --task "find the changelog" --wait 600',
      'poll --wait 60',
      'respond --to Lead --msg-id t-4k2j9x0q7m1z --result "it is in docs/"',
    ],
  },
  commands: VERBS,
  common: COMMON,
}

/** Flags may stand before the verb, too: those of all verbs, of which some are no verb's own. */
const FLAGS: Flags = Object.assign({}, ...VERBS.map(({ flags }) => flags), COMMON)

/** Reads a command line; throws `usage`. */
export const readArgs = (argv: readonly string[]): Args => {
  const at = firstOperand(argv, FLAGS)
  const verb = at === -1 ? null : (VERBS.find(({ name }) => name === argv[at]) ?? null)
  if (at !== -1 && verb === null) {
    const names = VERBS.map(({ name }) => name)
    const hint = didYouMean(argv[at]!, names) || `run ${PROGRAM.name} --help`
    throw new ClawError('usage', `no verb "${argv[at]}"`, hint)
  }
  const rest = at === -1 ? argv : argv.toSpliced(at, 1)
  const given = readCommandLine(PROGRAM.name, verb ?? PROGRAM.root, COMMON, rest)
  const server = given.values.get('server')
  const values = server === undefined ? given.values : new Map([['relay', server], ...given.values])
  return { verb, has: given.has, values }
}

/** The text of `--help`, or of one verb's. */
export const helpText = (verb: VerbSpec | null): string[] => {
  const { name, root } = PROGRAM
  if (verb !== null) {
    return helpOf(
      name,
      verb,
      `every verb takes: ${Object.keys(COMMON)
        .map((flag) => `--${flag}`)
        .join(' ')}`,
    )
  }
  return [
    `${name}: ${root.summary}`,
    '',
    `usage: ${name} ${root.usage}`,
    ...GROUPS.flatMap(({ title, verbs }) => [
      '',
      `${title}:`,
      ...columns(verbs.map((one) => [one.name, one.summary])),
    ]),
    '',
    'every verb takes:',
    ...flagLines(COMMON),
    '',
    `${name} VERB --help tells all of a verb. Any text may come from stdin: give - as its value.`,
    exitsLine(EXITS),
    '',
    'examples:',
    ...root.examples.map((example) => `  ${name} ${example}`),
  ]
}
