import { setTimeout as sleep } from 'node:timers/promises'
import type { Unread } from '../../../client/replica/replica.ts'
import { isAway } from '../../../client/session/outbox.ts'
import { byPriority } from '../../../workspace/inbox/inbox.ts'
import { acknowledge } from '../../../workspace/inbox/mailbox.ts'
import { isFileNews } from '../../../workspace/inbox/unread.ts'
import type { Verb } from '../../command/call.ts'
import { pageOf } from '../../command/page.ts'
import { safeJson } from '../../command/text.ts'
import { Ended, FILE_HINT_GAP_MS, hintOf, readFilter, waitFor } from '../../command/waiting.ts'
import { watchForHost } from './watch-for-host.ts'

/** Interval between attempts while there is neither a server nor a copy of the workspace. */
const RETRY_MS = 1_000

/**
 * Prints messages as they arrive, one line per batch, until stdout is closed, the agent leaves or the link is taken
 * down.
 */
export const watch: Verb = async (call) => {
  if (call.has('host')) return watchForHost(call)
  const filter = readFilter(call)
  const over = { data: {}, lines: [], isStream: true } as const
  const { print, signal } = call.request
  const hintsOnly = call.has('hints')
  /** Messages that wait and were announced. */
  let told = new Set<string>()
  let waiting = new Set<string>()
  /** Until then no hint tells of files (milliseconds since the epoch). */
  let quietUntil = 0
  const isNews = ({ since, message }: Unread) => {
    const isKnown = told.has(since)
    if (!isKnown && isFileNews(message) && Date.now() < quietUntil) return false
    waiting.add(since)
    return !isKnown
  }
  const next = async () => {
    for (;;) {
      try {
        waiting = new Set()
        const until = Date.now() < quietUntil ? quietUntil : Number.POSITIVE_INFINITY
        return await waitFor(call, until, filter, isNews, undefined, hintsOnly)
      } catch (error) {
        await call.close()
        if (!isAway(error) || error instanceof Ended || signal.aborted) throw error
        await sleep(RETRY_MS)
      }
    }
  }
  try {
    for (;;) {
      const { team, found } = await next()
      if (found.length === 0) {
        await call.close()
        continue
      }
      const hint = hintOf(team.doc, found)
      const page = hintsOnly ? [] : pageOf(byPriority(found))
      const messages = page.map(({ message }) => message)
      const line = hintsOnly
        ? { type: 'hint', ...hint }
        : { type: 'messages', count: messages.length, messages }
      // While a reader makes up its mind, other commands go on.
      await call.close()
      const printed = await print(`${safeJson(line)}\n`).then(
        () => true,
        () => false,
      )
      if (!printed) return over
      if (hintsOnly) {
        told = waiting
        const hasFiles = found.some(({ message }) => isFileNews(message))
        if (hasFiles) quietUntil = Date.now() + FILE_HINT_GAP_MS
        continue
      }
      const replica = await team.reopened()
      acknowledge(replica, team.me(), page, team.now())
      await replica.commit()
      await call.close()
    }
  } catch (error) {
    if (signal.aborted ? signal.reason === 'down' : error instanceof Ended) return over
    throw error
  }
}
