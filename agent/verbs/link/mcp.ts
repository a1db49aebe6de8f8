import { ClawError } from '../../../protocol/errors.ts'
import type { Verb } from '../../command/call.ts'

/** The program serves MCP by itself, and not as a command: this one came without a stdin to speak on. */
export const mcp: Verb = () =>
  Promise.reject(
    new ClawError('usage', 'mcp speaks with a host over stdin and stdout', 'start it by itself'),
  )
