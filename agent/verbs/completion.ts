import { completionOf } from '../../workspace/command-line/completion.ts'
import { PROGRAM } from '../args.ts'
import type { Verb } from '../call.ts'

/** Prints what makes a shell complete the verbs. */
export const completion: Verb = async (call) => {
  const shell = call.flag('shell')!
  const script = completionOf(PROGRAM, shell)
  return { data: { shell, script }, lines: [], content: script }
}
