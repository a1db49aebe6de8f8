import { pino } from 'pino'
import { readProgram } from '../../lib/command-line/read.ts'
import { PROGRAM } from '../../sync-server/cli/program.ts'
import { parseOptions } from '../../sync-server/config/options.ts'
import { startSyncServer } from '../../sync-server/server.ts'
import { ownerToken, setToken, tempDir } from './server.ts'

/** A server in this process: for tests that move its clock, or ask it much. */
export const serveHere = async (
  ...args: string[]
): Promise<{ url: string; data: string; close: () => Promise<void> }> => {
  const data = tempDir('here')
  const given = ['--port', '0', '--data', data, '--no-mdns', ...args]
  const options = parseOptions(readProgram(PROGRAM, given), {})
  const server = await startSyncServer(options, '0', pino({ level: 'silent' }))
  setToken(server.port, ownerToken(data))
  return { url: `http://127.0.0.1:${server.port}`, data, close: () => server.close() }
}
