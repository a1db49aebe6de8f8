/** A flag, and what its help says of it. It takes a value if it has `value` or `oneOf`. */
export interface Flag {
  /** What stands for its value, like `SECONDS`; a PATH, FILE or DIR is completed to names of files. */
  value?: string
  /** What it means. */
  what: string
  /** What holds where it is not given. */
  otherwise?: string
  /** All values there are, or all parts of a value like `a,b`. */
  oneOf?: readonly string[]
  /** Its value, a number, may be left out. */
  optional?: true
  /** A letter for it. */
  short?: string
  /** The environment variable that says the same. */
  env?: string
  /** Taken, and not told of. */
  hidden?: true
}

/** By long name, without the dashes. */
export type Flags = Readonly<Record<string, Flag>>

/**
 * A program, or a command of one: what its command line looks like, and what it means. From this alone it is read
 * (`read.ts`), explained (`help.ts`) and completed (`completion.ts`).
 */
export interface CommandSpec {
  /** Empty: the program itself. */
  name: string
  summary: string
  /** What follows the name. */
  usage: string
  /** What more there is to know. */
  about?: string
  flags: Flags
  /** Flags whose values may stand without them, in this order; one that is given, or not needed any more, is passed over. */
  operands?: readonly string[]
  /** What must be given; of several in one entry, any. */
  needs?: readonly (readonly string[])[]
  /** Command lines without the program's name, in words of a POSIX shell. */
  examples: readonly string[]
  /** Exit codes that it has beside those of every command, or that mean something of their own. */
  exits?: Readonly<Record<number, string>>
}

export const takesValue = ({ value, oneOf }: Flag): boolean =>
  value !== undefined || oneOf !== undefined

/** A program, whole. */
export interface Program<C extends CommandSpec = CommandSpec> {
  name: string
  /** What a command is called. */
  noun: 'command' | 'verb'
  /** Without a command. */
  root: CommandSpec
  commands: readonly C[]
  /** Flags of every command. */
  common: Flags
  /** Words of other programs for commands, and what to type here. */
  synonyms?: Readonly<Record<string, string>>
}

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** The command that every program has for shells. */
export const completionSpec = (program: string): CommandSpec => ({
  name: 'completion',
  summary: `print a completion script for a shell`,
  usage: SHELLS.join('|'),
  operands: ['shell'],
  flags: { shell: { oneOf: SHELLS, what: 'which shell' } },
  needs: [['shell']],
  examples: [
    `completion bash > ~/.local/share/bash-completion/completions/${program}`,
    `completion zsh > "\${fpath[1]}/_${program}"`,
    `completion fish > ~/.config/fish/completions/${program}.fish`,
  ],
})
