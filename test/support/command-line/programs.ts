import { PROGRAM as AGENT, helpText as agentHelp } from '../../../agent/verb-table/args.ts'
import type { CommandSpec, Program } from '../../../lib/command-line/spec.ts'
import { PROGRAM as SYNC, helpText as syncHelp } from '../../../sync-server/cli/program.ts'
import { parseTuiOptions, TUI_PROGRAM as TUI } from '../../../tui/options.ts'

/** The three programs, and what each prints as help. */
export const PROGRAMS: readonly {
  program: Program
  help: (command: CommandSpec | null) => string
}[] = [
  {
    program: AGENT,
    help: (command) => {
      const verb = AGENT.commands.find(({ name }) => name === command?.name) ?? null
      return agentHelp(verb, true).join('\n')
    },
  },
  { program: SYNC, help: syncHelp },
  {
    program: TUI,
    help: (command) => {
      const name = command === null ? [] : [command.name]
      return String(parseTuiOptions([...name, '--help'], {}, ''))
    },
  },
]

/** Every command of every program, and the programs themselves. */
export const COMMANDS = PROGRAMS.flatMap(({ program, help }) =>
  [program.root, ...program.commands].map((spec) => ({
    called: `${program.name} ${spec.name}`.trim(),
    ...{ program, spec },
    help: help(spec === program.root ? null : spec),
  })),
)
