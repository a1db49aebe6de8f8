import { setTimeout as sleep } from 'node:timers/promises'
import { byPriority } from '../../workspace/inbox.ts'
import { isAway } from '../../workspace/link/outbox.ts'
import { acknowledge } from '../../workspace/mailbox.ts'
import type { Verb } from '../call.ts'
import { pageOf } from '../page.ts'
import { safeJson } from '../text.ts'
import { Ended, hintOf, readFilter, type Waiting, waitFor } from '../waiting.ts'

/** Where neither the server nor a copy of the workspace is there. */
const RETRY_MS = 1_000

/** Prints what comes in as it comes, a line a batch, until nobody reads it, the agent leaves or the link is taken down. */
export const watch: Verb = async (call) => {
  const filter = readFilter(call)
  const over = { data: {}, lines: [], isStream: true } as const
  const { print, signal } = call.request
  /** What waits and has been told of, by key and id: keys are used again once all is acknowledged. */
  let told = new Set<string>()
  let waiting = new Set<string>()
  const isNews = ({ key, message }: Waiting) => {
    const id = `${key} ${message.message_id}`
    waiting.add(id)
    return !told.has(id)
  }
  const next = async () => {
    for (;;) {
      try {
        waiting = new Set()
        return await waitFor(call, Number.POSITIVE_INFINITY, filter, isNews)
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
      const hint = hintOf(team.doc, found)
      const hintsOnly = call.has('hints')
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
        continue
      }
      const replica = await team.reopened()
      acknowledge(replica, team.me(), page, Date.now())
      await replica.commit()
      await call.close()
    }
  } catch (error) {
    if (signal.aborted ? signal.reason === 'down' : error instanceof Ended) return over
    throw error
  }
}
