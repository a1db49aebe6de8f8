import { placeholderOf, readsStdin, types, type ValueType } from './value-types.ts'

/** A flag, and what its help says of it. It takes a value if it has a `type`. */
export interface Flag {
  type?: ValueType
  /** A word that it takes in place of a value of its type, like `never`. */
  or?: string
  /** Stands for its value in help and usage, if its type does not say it. */
  value?: string
  /** Its meaning, for help. */
  what: string
  /** The default, in words. */
  otherwise?: string
  /** The flag may stand without its value, which is a number. */
  optional?: true
  /** It is only accepted together with this flag … */
  with?: string
  /** … which needs it. */
  isPair?: true
  /** A letter for it. */
  short?: string
  /** The environment variable with the same meaning. */
  env?: string
  /** Accepted, but not shown. */
  hidden?: true
}

/** By long name, without the dashes. */
export type Flags = Readonly<Record<string, Flag>>

/**
 * A program, or a command of one. Its command line is read (`read.ts`), explained (`help.ts`, `usage.ts`) and completed
 * (`completion.ts`) from this table alone.
 */
export interface CommandSpec {
  /** Empty: the program itself. */
  name: string
  summary: string
  /** The arguments of a program without a command. Those of a command are generated from its flags. */
  usage?: string
  about?: string
  flags: Flags
  /**
   * Flags whose values may be given without the flag, in this order. A flag that was given, or is not needed, is
   * skipped.
   */
  operands?: readonly string[]
  /** Flags that must be given; of several in one entry, at least one. */
  needs?: readonly (readonly string[])[]
  /** Of the flags in one entry, at most one may be given. */
  either?: readonly (readonly string[])[]
  /** Command lines without the program's name, in words of a POSIX shell. */
  examples: readonly string[]
  /** Exit codes of its own, or with a meaning of their own. */
  exits?: Readonly<Record<number, string>>
}

export const takesValue = ({ type }: Flag): boolean => type !== undefined

/** Tells whether a flag's value is a list: giving the flag again adds to it. */
export const isList = ({ type }: Flag): boolean =>
  type?.kind === 'list' || (type?.kind === 'choice' && type.isList === true)

/** The placeholder of a flag's value in help and usage; empty: it takes no value. */
export const valueText = ({ type, value, or }: Flag): string => {
  if (type === undefined) return ''
  const stdin = readsStdin(type) ? '|-' : ''
  return `${value ?? placeholderOf(type)}${or === undefined ? '' : `|${or}`}${stdin}`
}

/** A program with its commands. */
export interface Program<C extends CommandSpec = CommandSpec> {
  name: string
  /** The word for a command. */
  noun: 'command' | 'verb'
  /** The command line without a command. */
  root: CommandSpec
  commands: readonly C[]
  /** Flags of every command. */
  common: Flags
  /** Other names of commands that change nothing: they run the command. */
  aliases?: Readonly<Record<string, string>>
  /** Commands of other programs, each with the command to suggest instead. */
  synonyms?: Readonly<Record<string, string>>
}

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** The command that prints a completion script; every program has it. */
export const completionSpec = (program: string): CommandSpec => ({
  name: 'completion',
  summary: `print a completion script for a shell`,
  operands: ['shell'],
  flags: { shell: { type: types.oneOf(SHELLS), what: 'which shell' } },
  needs: [['shell']],
  examples: [
    `completion bash > ~/.local/share/bash-completion/completions/${program}`,
    `completion zsh > "\${fpath[1]}/_${program}"`,
    `completion fish > ~/.config/fish/completions/${program}.fish`,
  ],
})
