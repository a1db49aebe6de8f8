import { completionOf } from '../../lib/command-line/completion.ts'
import type { Verb } from '../command/call.ts'
import { PROGRAM } from './args.ts'

/** Prints what makes a shell complete the verbs. */
export const completion: Verb = async (call) => {
  const shell = call.flag('shell')!
  const script = completionOf(PROGRAM, shell)
  return { data: { shell, script }, lines: [], content: script }
}
