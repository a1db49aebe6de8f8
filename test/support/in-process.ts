import { pino } from 'pino'
import { readProgram } from '../../lib/command-line/read.ts'
import { PROGRAM } from '../../sync-server/cli/program.ts'
import { parseOptions, urlOf } from '../../sync-server/config/options.ts'
import { startSyncServer } from '../../sync-server/server.ts'
import type { ClusterParts } from '../../sync-server/serving/routing.ts'
import { atEnd } from './at-end.ts'
import {
  makeWorkspaces,
  ownerToken,
  ownPort,
  type ServerAt,
  type ServerOptions,
  setToken,
  storeArgs,
  tempDir,
} from './server.ts'
import { asServer } from './umask.ts'

/**
 * `startServer` without a process, which takes a tenth of the CPU: for tests that neither kill the server nor look at the
 * process. It shares the event loop with its clients, so a test must not block.
 */
export const startHere = async ({
  data = tempDir('here'),
  port: given,
  args = [],
  workspaces = [],
}: Pick<ServerOptions, 'data' | 'port' | 'args' | 'workspaces'> = {}): Promise<ServerAt> => {
  const at = String(given ?? (await ownPort()))
  const line = ['--port', at, '--data', data, '--no-mdns', ...storeArgs(data, args), ...args]
  const options = parseOptions(readProgram(PROGRAM, line), {})
  let written = ''
  const write = (line: string) => {
    written += line
  }
  const log = pino({ name: 'clawlink-sync', level: options.logLevel }, { write })
  // LevelDB creates its files with these permissions.
  const server = await asServer(() => startSyncServer(options, 'test', log))
  let stopping: Promise<number> | null = null
  const stop = (): Promise<number> => {
    stopping ??= server.close().then(
      () => 0,
      () => 1, // as the program exits
    )
    return stopping
  }
  atEnd(stop)
  const { port } = server
  const token = ownerToken(data)
  setToken(port, token)
  const url = urlOf(options, port)
  await makeWorkspaces(url, ...workspaces)
  return {
    url,
    sync: `${url.replace(/^http/, 'ws')}/sync`,
    port,
    data,
    token,
    log: () => written,
    stop,
  }
}

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
  const given = [...port, '--data', data, '--no-mdns', ...storeArgs(data, args), ...args]
  const options = parseOptions(readProgram(PROGRAM, given), {})
  const server = await startSyncServer(options, 'test', pino({ level: 'silent' }), cluster)
  setToken(server.port, ownerToken(data))
  const at = `127.0.0.1:${server.port}`
  return { url: `http://${at}`, sync: `ws://${at}/sync`, data, close: () => server.close() }
}
