import {
  choiceIn,
  type Given,
  numberIn,
  spanIn,
  withEnvironment,
} from '../../lib/command-line/values.ts'

import type { Place } from '../storage/place.ts'

/** The context of a command of clawlink-sync. */
interface Context {
  /** The place of the server's data; its folder is absolute. */
  place: Place
  env: Readonly<Record<string, string | undefined>>
  version: string
  print: (text: string) => void
}

/** The flags and operands of a command of clawlink-sync. A flag that was not given has its environment variable's value. */
export interface Call extends Context {
  json: boolean
  /** True if the flag was given on the command line. */
  has: (flag: string) => boolean
  /** As typed. */
  value: (flag: string) => string | undefined
  number: (flag: string) => number | undefined
  /** Milliseconds. */
  span: (flag: string) => number | undefined
  oneOf: <T extends string>(flag: string, words: readonly T[]) => T | undefined
}

/** Carries a command out and resolves to its exit code. Throws ClawErrors. */
export type Command = (call: Call) => Promise<number>

/** Throws `usage` for an environment variable with a wrong value. */
export const callOf = (line: Given, context: Context): Call => {
  const given = withEnvironment(line, context.env)
  return {
    ...context,
    json: given.has.has('json'),
    has: (flag) => given.has.has(flag),
    value: (flag) => given.values.get(flag),
    number: (flag) => numberIn(given, flag),
    span: (flag) => spanIn(given, flag),
    oneOf: (flag, words) => choiceIn(given, flag, words),
  }
}
