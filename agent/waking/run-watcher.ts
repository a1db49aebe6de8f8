import { spawn } from 'node:child_process'
import type { Ask } from '../../client/resident/wire.ts'
import { write } from '../../lib/disk/stdout.ts'
import type { Outside } from '../command/verb.ts'
import { codexOf, wakeCodex } from './codex.ts'
import { hostSession } from './host-session.ts'
import { HOOK_HOSTS, type HookHost } from './names.ts'
import { Place } from './place.ts'
import { WAKE_LINE } from './sentences.ts'
import { Watcher } from './watcher.ts'

/** The flags that select the same profile in the link. */
export const watchArgs = (
  place: Place,
  host: HookHost,
  given: ReadonlyMap<string, string>,
): string[] => [
  ...['relay', 'workspace'].flatMap((flag) => {
    const value = given.get(flag)
    return value === undefined ? [] : [`--${flag}`, value]
  }),
  ...['--as', place.profile, 'watch', '--hints', '--host', host],
]

/**
 * `watch --hints --host HOST`: prints a line when the agent is to be woken, until the host's process has ended. Nothing
 * makes it fail: a host takes the end of its monitor for news, and does not start it again.
 */
export const runWatcher: Outside = async (ask, args, core) => {
  const host = HOOK_HOSTS.find((name) => name === args.values.get('host'))
  if (host === undefined) return 0
  const ends = new AbortController()
  // A terminal sends these to all of its programs; the host decides.
  for (const name of ['SIGINT', 'SIGHUP'] as const) process.on(name, () => {})
  process.on('SIGTERM', () => ends.abort())
  process.on('uncaughtException', () => {})
  process.on('unhandledRejection', () => {})
  const thread = args.values.get('thread')
  const session = hostSession(host, process.env, thread ?? null)
  if (session === null) return 0
  const codex = codexOf(session.pid)
  const place = new Place(ask, args, core)
  const wake = async (): Promise<boolean> => {
    if (thread === undefined) return (await write(1, `${WAKE_LINE}\n`)) === null
    await wakeCodex(codex, thread, WAKE_LINE, ends.signal)
    return true
  }
  const argv = watchArgs(place, host, args.values)
  const endsBehind = thread !== undefined
  await new Watcher({ ask, place, session, argv, wake, endsBehind, signal: ends.signal }).run()
  return 0
}

/** Starts the program that wakes a thread of Codex, for as long as the host lives. One more than one ends at once. */
export const startCodexWaker = (ask: Ask, place: Place, pid: number, thread: string): void => {
  const script = process.argv[1]
  if (script === undefined) return
  const args = [script, ...watchArgs(place, 'codex', new Map()), '--thread', thread]
  const child = spawn(process.execPath, args, {
    cwd: place.home,
    env: {
      ...process.env,
      CLAWLINK_HOST_PID: String(pid),
      ...(ask.env.CLAWLINK_HOME && { CLAWLINK_HOME: place.home }),
    },
    detached: true,
    stdio: 'ignore',
    windowsHide: true,
  })
  child.on('error', () => {})
  child.unref()
}
