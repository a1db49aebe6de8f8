import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Unread } from '../../../client/replica/replica.ts'
import { isAway } from '../../../client/session/outbox.ts'
import { wakes } from '../../../workspace/inbox/wakes.ts'
import type { Call, Verb } from '../../command/call.ts'
import { safeJson } from '../../command/text.ts'
import { Ended } from '../../command/waiting.ts'
import { WorkspaceSession } from '../../command/workspace-session.ts'
import { ATTENDED_MS, Pacer } from '../../waking/pacer.ts'

/** Interval between attempts while there is neither a server nor a copy of the workspace. */
const RETRY_MS = 1_000
/** Waking messages that are told apart (count): the newest. */
const MAX_TOLD = 2_000
/** Characters of a message's name in `told`: two of MAX_TOLD are never the same by chance. */
const NAME_CHARS = 12

/** A message's name: short, and without anything that its author chose. */
const nameOf = ({ since }: Unread): string =>
  createHash('sha256').update(since).digest('base64url').slice(0, NAME_CHARS)

/**
 * The link's part of `watch --hints --host`: prints a JSON line with `told`, the messages that it is about, whenever the
 * agent is to be woken. The watcher beside the host says it to the host.
 */
export const watchForHost: Verb = async (call) => {
  const over = { data: {}, lines: [], isStream: true } as const
  const { print, signal } = call.request
  const told = call.has('told') ? call.list('told') : []
  const pacer = new Pacer(told, performance.now())
  try {
    for (;;) {
      const isToWake = await next(call, pacer)
      if (!isToWake) continue
      const line = { type: 'wake', told: pacer.told }
      const isPrinted = await print(`${safeJson(line)}\n`).then(
        () => true,
        () => false,
      )
      if (!isPrinted) return over
    }
  } catch (error) {
    if (signal.aborted ? signal.reason === 'down' : error instanceof Ended) return over
    throw error
  }
}

/** Looks once, and unless the agent is to be woken waits until another look is due. Throws `Ended`. */
const next = async (call: Call, pacer: Pacer): Promise<boolean> => {
  const { signal } = call.request
  try {
    const team = await WorkspaceSession.open(call, true)
    const listening = team.listen({ messages: wakes, isBackground: true })
    const unread = (await team.inbox()).filter(({ message }) => wakes(message))
    const names = unread.slice(-MAX_TOLD).map(nameOf)
    const pace = pacer.look(names, performance.now(), team.isAttended(ATTENDED_MS))
    await call.close()
    if (pace.wakes) {
      listening.end()
      return true
    }
    const { waitMs } = pace
    const due = waitMs === null ? [] : [AbortSignal.timeout(Math.ceil(waitMs))]
    const isHere = await listening.heard(AbortSignal.any([signal, ...due]))
    if (signal.aborted) throw new Ended('the link was taken down')
    if (!isHere) throw new Ended('the agent left')
  } catch (error) {
    await call.close()
    if (!isAway(error) || error instanceof Ended || signal.aborted) throw error
    await sleep(RETRY_MS)
  }
  return false
}
