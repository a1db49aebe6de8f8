import { workingDir } from '../../client/http/cwd.ts'
import { homeOf, socketOf } from '../../client/resident/socket.ts'
import { BEAT_MS } from '../../client/session/heartbeat.ts'
import { redirectConsole } from '../../lib/console.ts'
import { IDLE_AFTER_MS, SILENT_AFTER_MS } from '../../workspace/agents/presence.ts'
import type { AgentProgram } from '../command/program.ts'
import { openLog } from '../session/log.ts'
import { Link, type LinkOptions } from './link.ts'
import { lockHome } from './lock.ts'

/** Long enough for a working day with a lunch break. The environment changes this and other times: docs/link.md. */
const IDLE_S = 12 * 60 * 60

/** The times of a link, in milliseconds. */
export const timesOf = (
  env: NodeJS.ProcessEnv,
): Pick<LinkOptions, 'idleMs' | 'presenceIdleMs' | 'silentMs' | 'beatMs'> => ({
  idleMs: (Number(env.CLAWLINK_LINK_IDLE) || IDLE_S) * 1000,
  presenceIdleMs: Number(env.CLAWLINK_PRESENCE_IDLE) * 1000 || IDLE_AFTER_MS,
  silentMs: Number(env.CLAWLINK_LINK_SILENT) * 1000 || SILENT_AFTER_MS,
  beatMs: Number(env.CLAWLINK_LINK_BEAT) * 1000 || BEAT_MS,
})

/** Is the link of `CLAWLINK_HOME` until that ends; resolves to the exit code. */
export const serve = async (program: AgentProgram): Promise<number> => {
  const home = homeOf(process.env.CLAWLINK_HOME, workingDir())
  const socket = socketOf(home)
  if (socket === null) return 1
  const version = process.env.CLAWLINK_VERSION ?? 'unknown'
  const log = openLog(home)
  redirectConsole((...said) => log(said.join(' ')))
  // Each connection of y-websocket listens for the end of the process.
  process.setMaxListeners(0)
  process.on('uncaughtException', (error) => log(`uncaught: ${error.stack}`))
  process.on('unhandledRejection', (error) => log(`unhandled: ${(error as Error)?.stack ?? error}`))

  try {
    const lock = await lockHome(home, socket)
    if (lock === null) return 0 // another one was faster
    const link = await Link.start(
      { ...timesOf(process.env), home, socket, version, log, program },
      lock,
    )
    process.on('SIGTERM', () => {
      log('SIGTERM')
      void link.stop('next')
    })
    process.on('SIGHUP', () => {})
    await link.stopped
    return 0
  } catch (error) {
    log(`cannot be the link: ${(error as Error).stack}`)
    return 1
  }
}
