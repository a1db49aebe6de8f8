import { completionOf } from '../../lib/command-line/completion.ts'
import { type Program, SHELLS } from '../../lib/command-line/spec.ts'
import type { Command } from './call.ts'
import { jsonOf } from './command.ts'

/** Prints the script that completes a program's commands in a shell. */
export const completionCommand =
  (program: Program): Command =>
  async ({ oneOf, json, print }) => {
    const shell = oneOf('shell', SHELLS)!
    const script = completionOf(program, shell)
    print(json ? jsonOf({ shell, script }) : script)
    return 0
  }
