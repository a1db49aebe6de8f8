import {
  columns,
  commonLine,
  EXITS,
  exitsLine,
  flagLines,
  helpOf,
} from '../../lib/command-line/help.ts'
import { readProgram } from '../../lib/command-line/read.ts'
import type { Program } from '../../lib/command-line/spec.ts'
import { type Args, COMMON, type VerbSpec } from '../command/verb.ts'
import { ALIASES, SYNONYMS } from './synonyms.ts'
import { GROUPS, VERBS } from './verbs.ts'

export const PROGRAM: Program<VerbSpec> = {
  name: 'clawlink-agent',
  noun: 'verb',
  root: {
    name: '',
    summary: 'one command per call; agents on different machines work as one team',
    usage: '[--relay URL|JOIN-LINK] [--workspace W] [--as PROFILE] [--json] VERB …',
    flags: { ...COMMON, all: { what: 'with --help: all verbs, each with its summary' } },
    examples: [
      'register --name Scout --caps research',
      'delegate --to Scout --task "find the changelog" --wait 600',
      'poll --wait 60',
      'respond --to Lead --msg-id t-4k2j9x0q7m1z --result "it is in docs/"',
    ],
  },
  commands: VERBS,
  common: COMMON,
  aliases: ALIASES,
  synonyms: SYNONYMS,
}

/** Reads a command line; throws `usage`. */
export const readArgs = (argv: readonly string[]): Args => {
  const { command: verb, flags, values, has } = readProgram(PROGRAM, argv)
  const server = values.get('server')
  return {
    ...{ verb, flags, has },
    values: server === undefined ? values : new Map([['relay', server], ...values]),
  }
}

/** The verbs that `--help` explains; agents read it, so it is short. */
const FIRST = [
  ...['prime', 'discover', 'delegate', 'poll', 'wait', 'claim', 'respond', 'send', 'broadcast'],
  ...['file-get', 'file-put', 'mirror', 'tasks', 'hosts'],
]

/** `--help`: the verbs that one begins with, and the names of the others. */
const shortHelp = (): string[] => {
  const { name, root } = PROGRAM
  const first = VERBS.filter((one) => FIRST.includes(one.name))
  const others = GROUPS.map(({ title, verbs }) => {
    const names = verbs.map((one) => one.name).filter((one) => !FIRST.includes(one))
    return `${title}: ${names.join(' ')}`
  })
  return [
    `${name}: ${root.summary}`,
    '',
    `usage: ${name} ${root.usage}`,
    '',
    ...columns(first.map((one) => [one.name, one.summary])),
    '',
    'more:',
    ...others.map((line) => `  ${line}`),
    '',
    commonLine('verb', COMMON),
    exitsLine(EXITS),
    `${name} VERB --help explains a verb; ${name} --help --all has all summaries and flags.`,
  ]
}

/** The text of `--help`, or of one verb's. `isWhole`: every verb with its summary. */
export const helpText = (verb: VerbSpec | null, isWhole = false): string[] => {
  const { name, root } = PROGRAM
  if (verb !== null) {
    return helpOf(name, verb, [commonLine('verb', COMMON)])
  }
  if (!isWhole) return shortHelp()
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
    ...flagLines(root.flags),
    '',
    `${name} VERB --help explains a verb. [--flag] VALUE: the value may stand without its flag.`,
    'A text of - is read from stdin.',
    exitsLine(EXITS),
    '',
    'examples:',
    ...root.examples.map((example) => `  ${name} ${example}`),
  ]
}
