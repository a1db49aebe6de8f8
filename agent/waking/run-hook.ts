import { newAsk } from '../../client/resident/run.ts'
import type { Ask } from '../../client/resident/wire.ts'
import { write } from '../../lib/disk/stdout.ts'
import type { Args, Outside } from '../command/verb.ts'
import { answerOf, versionAt } from './ask-link.ts'
import { recordTurn } from './bell.ts'
import { hookAnswer } from './hook-answers.ts'
import { type HookInput, readHookInput } from './hook-input.ts'
import { type HostSession, hostSession } from './host-session.ts'
import { releaseLease, takeLease } from './lease.ts'
import { HOOK_EVENTS, HOOK_HOSTS, type HookEvent, type HookHost } from './names.ts'
import { Place } from './place.ts'
import { startCodexWaker, watchArgs } from './run-watcher.ts'
import { otherSessionLine, unreadLine, WAKE_LINE } from './sentences.ts'
import { Watcher } from './watcher.ts'

/** Time limit of a question to the link, in milliseconds: a host's turn waits for it. */
const ANSWER_MS = 8_000
/** The same at the start of a session, where the link may have to start and to fetch a workspace. */
const START_MS = 25_000
/** Time limit of `wake`, in seconds; the end of the next turn starts another one. */
const WAKE_S = 7_200

interface Hook {
  ask: Ask
  args: Args
  host: HookHost
  event: HookEvent
  place: Place
  session: HostSession
  input: HookInput
}

/** `hook HOST EVENT`: what hosts run. Resolves to the exit code of the host's protocol; errors are one line on stderr. */
export const runHook: Outside = async (ask, args, core) => {
  const host = HOOK_HOSTS.find((name) => name === args.values.get('host'))
  const event = HOOK_EVENTS.find((name) => name === args.values.get('event'))
  if (host === undefined || event === undefined) return 0
  process.on('SIGHUP', () => {})
  let text: string | null = null
  try {
    const input = event === 'take' ? { session: null, isAgain: false } : await readHookInput()
    const session = hostSession(host, process.env, input.session)
    const place = new Place(ask, args, core)
    if (session !== null) text = await answer({ ask, args, host, event, place, session, input })
  } catch (error) {
    await write(2, `error: ${(error as Error).message}\n`)
  }
  const { stdout, stderr, code } = hookAnswer(host, event, text)
  if (stdout !== '') await write(1, stdout)
  if (stderr !== '') await write(2, stderr)
  return code
}

/** The text for the host's session; null for none. */
const answer = async (hook: Hook): Promise<string | null> => {
  const { event, place, session, host, input } = hook
  if (event === 'session-end') {
    releaseLease(place.dir, session)
    return null
  }
  if (!place.hasJoined) return null
  if (event === 'take') {
    takeLease(place.dir, session, true)
    return `this session works as profile "${place.profile}" now`
  }
  if (event === 'wake') return waitForNews(hook)
  const other = takeLease(place.dir, session)
  if (event === 'session-start') {
    if (other !== null) return otherSessionLine(other, place.profile, host)
    if (host === 'codex' && session.id !== null) {
      startCodexWaker(hook.ask, place, session.pid, session.id)
    }
    return prime(hook)
  }
  if (other !== null) return null
  recordTurn(place.dir)
  if (event === 'stop' && input.isAgain) return null
  return unread(hook, event === 'stop')
}

const inProfile = ({ args, place, ask }: Hook, argv: readonly string[], json: boolean): Ask => {
  const given = watchArgs(place, 'codex', args.values)
  const flags = given.slice(0, given.indexOf('watch'))
  const own = newAsk(versionAt(place.home, ask.version), [...flags, ...argv])
  return { ...own, env: ask.env, argv: json ? [...own.argv, '--json'] : own.argv }
}

const prime = async (hook: Hook): Promise<string | null> => {
  const { place } = hook
  if (!(await place.raise(true)) || place.socket === null) return null
  const answered = await answerOf(place.socket, inProfile(hook, ['prime'], false), START_MS)
  return answered?.code === 0 ? answered.out.trim() : null
}

/** One line of what is unread; `isWaking`: only of what is worth going on for. */
const unread = async (hook: Hook, isWaking: boolean): Promise<string | null> => {
  const { place } = hook
  if (!(await place.raise(false)) || place.socket === null) return null
  const argv = ['wait', '--timeout', '0', ...(isWaking ? [] : ['--any'])]
  const answered = await answerOf(place.socket, inProfile(hook, argv, true), ANSWER_MS)
  if (answered?.code !== 0) return null
  const { data } = JSON.parse(answered.out) as { data: { kinds: Record<string, number> } }
  // `wait` also ends for a task that was read and not claimed: the agent knows of it.
  return Object.keys(data.kinds).length === 0 ? null : unreadLine(data.kinds)
}

/** Waits until the agent is to be woken; null: another program sees to that, or the time is up. */
const waitForNews = async ({ ask, args, host, place, session }: Hook): Promise<string | null> => {
  const seconds = Number(args.values.get('timeout') ?? WAKE_S)
  const ends = new AbortController()
  const timer = setTimeout(() => ends.abort(), Math.min(seconds * 1_000, 2 ** 31 - 1))
  process.on('SIGTERM', () => ends.abort())
  let isWoken = false
  const wake = async () => {
    isWoken = true
    return false
  }
  const argv = watchArgs(place, host, args.values)
  const { signal } = ends
  await new Watcher({ ask, place, session, argv, wake, endsBehind: true, signal }).run()
  clearTimeout(timer)
  return isWoken ? WAKE_LINE : null
}
