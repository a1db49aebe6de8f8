import type { McpClient } from '../command/program.ts'
import { ProfileTeam, type Program } from './profile-team.ts'

/**
 * Serves an MCP client until it has gone. The SDK is loaded with the first one: it is a file of its own, which no
 * command loads. Throws `usage` for a wrong command line.
 */
export const serveMcp = async (client: McpClient, program: Program): Promise<void> => {
  const team = new ProfileTeam(client, program, program.read(client.ask.argv))
  const { serveClient } = await import('./server/server.ts')
  await serveClient(client.stream, team, client.leaving)
}

/** Loads the SDK before a client comes, so that the first one waits no longer than the others. */
export const warmMcp = async (): Promise<void> => {
  const { warm } = await import('./server/server.ts')
  warm()
}
