import { pino } from 'pino'
import { readProgram } from '../../lib/command-line/read.ts'
import { PROGRAM } from '../../sync-server/cli/program.ts'
import { parseOptions } from '../../sync-server/config/options.ts'
import { startSyncServer } from '../../sync-server/server.ts'
import type { ClusterParts } from '../../sync-server/serving/routing.ts'
import { ownerToken, setToken, storeArgs, tempDir } from './server.ts'

/** A server in this process. */
export interface Here {
  url: string
  /** `ws://127.0.0.1:PORT/sync`: append `/<workspace>`. */
  sync: string
  data: string
  close: () => Promise<void>
}

/** A server in this process: for tests that move its clock, ask it much, or start many. */
export const serveHere = (...args: string[]): Promise<Here> => serveData(tempDir('here'), ...args)

/** A server of this data in this process. */
export const serveData = (data: string, ...args: string[]): Promise<Here> =>
  serveAs(null, data, ...args)

/** A node of a cluster in this process, or a server on its own (null). */
export const serveAs = async (
  cluster: ClusterParts | null,
  data: string,
  ...args: string[]
): Promise<Here> => {
  const port = args.includes('--port') ? [] : ['--port', '0']
  const given = [...port, '--data', data, '--no-mdns', ...storeArgs(data), ...args]
  const options = parseOptions(readProgram(PROGRAM, given), {})
  const server = await startSyncServer(options, '0', pino({ level: 'silent' }), cluster)
  setToken(server.port, ownerToken(data))
  const at = `127.0.0.1:${server.port}`
  return { url: `http://${at}`, sync: `ws://${at}/sync`, data, close: () => server.close() }
}
