import { byPriority, rankOf } from '../../workspace/inbox/inbox.ts'
import type { Message } from '../../workspace/messages/message.ts'
import { type MessageFilter, messageFilter } from '../../workspace/messages/message-filter.ts'
import { PAGE_BYTES } from '../config/limits.ts'
import { type ActionContext, registered } from './context.ts'
import type { Waiting } from './http-agent.ts'

/** Messages delivered from an inbox, and the number of messages that still wait. */
export interface HandedOut {
  lot: Waiting[]
  remaining: number
}

/**
 * The waiting messages of an HTTP agent that `pick` selects, the most urgent first. If there are
 * none, it waits for one until the signal aborts. Messages that another request holds are left out.
 * `holds`: this request holds its messages, so no other request gets them.
 */
export const inbox = async (
  { env, httpAgent }: ActionContext,
  wanted: MessageFilter,
  signal: AbortSignal,
  pick: (waiting: Waiting[]) => Waiting[],
  holds: boolean,
): Promise<HandedOut> => {
  registered(httpAgent)
  const passes = messageFilter(wanted)(httpAgent.room.doc)
  const isFiltered = [wanted.types, wanted.topics, wanted.from].some((one) => one !== undefined)
  // Messages that pass a filter come before their turn; without one only urgent ones do.
  const isUrgent = (message: Message) => passes(message) && (isFiltered || rankOf(message) > 0)
  const done = new AbortController()
  const ends = AbortSignal.any([signal, env.httpAgents.ending, httpAgent.ended, done.signal])
  try {
    for (;;) {
      // Listens before it reads, so that no message is missed.
      const news = env.httpAgents.news(httpAgent.room, ends)
      await httpAgent.receive(isUrgent)
      const found = byPriority(httpAgent.waiting.filter(({ message }) => passes(message)))
      if (found.length > 0 || ends.aborted) {
        const lot = pick(found)
        if (holds) httpAgent.hold(lot)
        else httpAgent.show(lot)
        return { lot, remaining: found.length - lot.length }
      }
      await news
    }
  } finally {
    done.abort()
  }
}

/** As many of these as an answer holds, by their bytes as JSON; at least one. */
export const firstOf = (waiting: readonly Waiting[], bytes = PAGE_BYTES): Waiting[] => {
  let left = bytes
  const found: Waiting[] = []
  for (const one of waiting) {
    left -= JSON.stringify(one.message).length
    if (left < 0 && found.length > 0) break
    found.push(one)
  }
  return found
}
