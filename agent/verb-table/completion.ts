import { completionOf } from '../../lib/command-line/completion.ts'
import { type Program, SHELLS } from '../../lib/command-line/spec.ts'
import type { Verb } from '../command/call.ts'

/** Prints the script that completes a program's verbs in a shell. */
export const completionVerb =
  (program: Program): Verb =>
  async (call) => {
    const shell = call.oneOf('shell', SHELLS)!
    const script = completionOf(program, shell)
    return { data: { shell, script }, lines: [], content: script }
  }
