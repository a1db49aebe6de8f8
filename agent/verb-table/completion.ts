import { completionOf } from '../../lib/command-line/completion.ts'
import { SHELLS } from '../../lib/command-line/spec.ts'
import type { Verb } from '../command/call.ts'
import { PROGRAM } from './args.ts'

/** Prints the script that completes the verbs in a shell. */
export const completion: Verb = async (call) => {
  const shell = call.oneOf('shell', SHELLS)!
  const script = completionOf(PROGRAM, shell)
  return { data: { shell, script }, lines: [], content: script }
}
