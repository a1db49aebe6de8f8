import { type ParseArgsConfig, parseArgs } from 'node:util'
import { ClawError } from '../workspace/errors.ts'
import { didYouMean } from '../workspace/suggest.ts'

export type Flags = NonNullable<ParseArgsConfig['options']>

/** The flags of a command line by their table, and what else is on it. Throws `usage`, naming what is wrong. */
export const readFlags = <F extends Flags>(
  argv: readonly string[],
  flags: F,
): { values: { [name in keyof F]?: string | boolean }; positionals: string[] } => {
  const { values, positionals, tokens } = parseArgs({
    args: [...argv],
    options: flags,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    if (!Object.hasOwn(flags, token.name)) {
      const names = Object.keys(flags).map((name) => `--${name}`)
      throw usage(`unknown option ${token.rawName}`, didYouMean(token.rawName, names))
    }
    const wantsValue = flags[token.name]!.type === 'string'
    if (wantsValue && token.value === undefined) throw usage(`${token.rawName} needs a value`)
    if (!wantsValue && token.value !== undefined) throw usage(`${token.rawName} takes no value`)
  }
  return { values: values as { [name in keyof F]?: string | boolean }, positionals }
}

const usage = (message: string, hint = ''): ClawError =>
  new ClawError('usage', message, hint || 'see clawlink-sync --help')
