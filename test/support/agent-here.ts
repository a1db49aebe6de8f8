import { inProcess } from '../../agent/command/runtime.ts'
import { execute } from '../../agent/execute.ts'
import { program } from '../../agent/program.ts'
import { Link } from '../../agent/runtime/link.ts'
import { lockHome } from '../../agent/runtime/lock.ts'
import { timesOf } from '../../agent/runtime/serve.ts'
import { openLog } from '../../agent/session/log.ts'
import type { Printed } from '../../client/resident/run.ts'
import { socketOf } from '../../client/resident/socket.ts'
import type { Ask } from '../../client/resident/wire.ts'
import { makeOwnDir } from '../../lib/disk/own-file.ts'
import { atEnd } from './at-end.ts'

const starting = new Map<string, Promise<void>>()

/** Starts the link of `home` in this process; it stops when the test file is done. */
export const startLink = async (home: string, version: string): Promise<void> => {
  const begun = starting.get(home) ?? start(home, version)
  starting.set(home, begun)
  await begun.finally(() => starting.delete(home))
}

const start = async (home: string, version: string): Promise<void> => {
  process.setMaxListeners(0) // each connection of y-websocket listens for the end of the process
  makeOwnDir(home)
  const socket = socketOf(home)!
  const lock = await lockHome(home, socket)
  if (lock === null) return // another one listens
  const times = timesOf(process.env)
  const link = await Link.start(
    { ...times, home, socket, version, log: openLog(home), program },
    lock,
  )
  atEnd(() => link.stop('next'))
}

/** Carries out a command by itself, as the program does without a link. */
export const runAlone = async ({ stdin, ...ask }: Ask): Promise<Printed> => {
  const printed = { stdout: '', stderr: '' }
  const { stdout, stderr, code, after, done } = await execute(
    {
      ...ask,
      stdin: stdin === null ? null : Buffer.from(stdin, 'base64'),
      signal: new AbortController().signal,
      print: async (text) => {
        printed.stdout += text
      },
      say: (text) => {
        printed.stderr += text
      },
    },
    inProcess,
  )
  await after?.()
  await done()
  return { code, stdout: printed.stdout + stdout, stderr: printed.stderr + stderr }
}
