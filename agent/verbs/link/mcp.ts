import { ClawError } from '../../../protocol/errors.ts'
import type { Verb } from '../../command/call.ts'

/** Where MCP is served, the program does it instead of a command: this one came without a stdin to speak on. */
export const mcp: Verb = () =>
  Promise.reject(
    new ClawError('usage', 'mcp speaks with a host over stdin and stdout', 'start it by itself'),
  )
