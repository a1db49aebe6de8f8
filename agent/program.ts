import type { AgentProgram } from './command/program.ts'
import { execute, perform } from './execute.ts'
import { serveMcp, warmMcp } from './mcp/serve.ts'
import { readArgs } from './verb-table/args.ts'

/** True for a command line that MCP is served for. */
export const isMcp = (argv: readonly string[]): boolean => {
  try {
    const { verb, has } = readArgs(argv)
    return verb?.name === 'mcp' && !has.has('help')
  } catch {
    return false // the answer is what is wrong with it
  }
}

/** The commands of clawlink-agent, as a link carries them out. */
export const program: AgentProgram = {
  read: readArgs,
  execute,
  isMcp,
  warmMcp,
  serveMcp: (client) => serveMcp(client, { read: readArgs, perform }),
}
