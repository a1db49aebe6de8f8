import type * as Y from 'yjs'
import type { Unread } from '../../client/replica/replica.ts'
import { ClawError } from '../../protocol/errors.ts'
import { MAX_NAME_CHARS } from '../../protocol/limits.ts'
import { agentName } from '../../workspace/agents/agents.ts'
import { isHintName, isPlainId } from '../../workspace/document/names.ts'
import { messageFilter } from '../../workspace/messages/message-filter.ts'
import type { Call } from './call.ts'
import { WorkspaceSession } from './workspace-session.ts'

/** A hint's kinds and senders in words. */
export const hintText = ({
  kinds,
  from,
  more_senders: more,
}: ReturnType<typeof hintOf>): string => {
  const counts = Object.entries(kinds).map(([type, count]) => `${count} ${type}`)
  const others = more === undefined ? '' : ` and ${more} more`
  return `${counts.join(', ')}${from.length === 0 ? '' : ` from ${from.join(', ')}${others}`}`
}

/** The kinds of waiting messages, for a hint: `also unread: 6 file_updated (poll)`; empty for none. */
export const unreadText = (waiting: readonly Waiting[]): string => {
  const counts = Object.entries(countKinds(waiting)).map(([type, count]) => `${count} ${type}`)
  return counts.length === 0 ? '' : `also unread: ${counts.join(', ')} (poll)`
}

const countKinds = (waiting: readonly Waiting[]): { [type: string]: number } => {
  const kinds: { [type: string]: number } = {}
  for (const { message } of waiting) kinds[message.type] = (kinds[message.type] ?? 0) + 1
  return kinds
}

/** A message that waits to be acknowledged. */
export type Waiting = Pick<Unread, 'key' | 'message'>

/** The filter that `--type`, `--topic`, `--from` and `--id` make. Throws what `messageFilter` throws. */
export const readFilter = (call: Call): ReturnType<typeof messageFilter> => {
  const list = (flag: string) => (call.has(flag) ? call.list(flag) : undefined)
  return messageFilter({
    ...{ types: list('type'), topics: list('topic'), from: list('from'), ids: list('id') },
  })
}

/** Tells whether `call` says which messages it waits for. */
export const isFiltered = (call: Call): boolean =>
  ['type', 'topic', 'from', 'id'].some((flag) => call.has(flag))

/** The link was taken down, or the agent left, while something was waited for. */
export class Ended extends ClawError {
  constructor(what: string) {
    super('shutting_down', `${what} meanwhile`)
  }
}

/** The result of a wait: the messages that are news, and all that pass the filter. */
interface Found {
  team: WorkspaceSession
  found: Unread[]
  waiting: Unread[]
}

/**
 * Looks for messages that pass the filter. Until `until` (milliseconds since the epoch) it looks again whenever a
 * message arrives; messages that are not `isNews` do not end the wait. The call leaves its workspace while it waits,
 * and is back in it when this resolves. Throws `Ended`.
 */
export const waitFor = async (
  call: Call,
  until: number,
  filter: ReturnType<typeof readFilter>,
  isNews: (waiting: Unread) => boolean = () => true,
  isDue: (team: WorkspaceSession, waiting: readonly Unread[]) => boolean = () => false,
  isBackground = false,
): Promise<Found> => {
  const { signal } = call.request
  const ends = new AbortController()
  const isOver = () => signal.aborted || Date.now() >= until
  // On a slow machine it has passed already.
  const left = Math.max(0, until - Date.now())
  const timer = left < 2 ** 31 ? setTimeout(() => ends.abort(), left) : undefined
  try {
    for (;;) {
      const team = await WorkspaceSession.open(call, true)
      const passes = filter(team.doc)
      const listening = team.listen({ messages: passes, isBackground })
      const waiting = (await team.inbox()).filter((one) => passes(one.message))
      const found = waiting.filter(isNews)
      if (found.length > 0 || isOver() || isDue(team, waiting)) {
        listening.end()
        return { team, found, waiting }
      }
      await call.close()
      const isHere = await listening.heard(AbortSignal.any([signal, ends.signal]))
      if (signal.aborted) throw new Ended('the link was taken down')
      if (!isHere) throw new Ended('the agent left')
    }
  } finally {
    clearTimeout(timer)
  }
}

/** Shortest time between two hints about files alone (milliseconds): each wakes an agent, and files change often. */
export const FILE_HINT_GAP_MS = 30_000

/** Senders that a hint names (count). */
const MAX_SENDERS = 5

/** The agent's name if it is safe in a hint, otherwise its id. */
const hintName = (doc: Y.Doc, id: string): string => {
  const name = agentName(doc, id)
  return isHintName(name) ? name : id.slice(0, MAX_NAME_CHARS)
}

/**
 * Counts the waiting messages by type and sender: enough to decide on a look. A hint wakes agents
 * and reads as the system's word, so it holds no free text of an agent; as JSON it is shorter than
 * 1,000 bytes.
 */
export const hintOf = (doc: Y.Doc, waiting: readonly Waiting[]) => {
  const kinds = countKinds(waiting)
  const senders = new Set(waiting.map(({ message }) => message.from_agent).filter(isPlainId))
  const from = [...senders].slice(0, MAX_SENDERS).map((id) => hintName(doc, id))
  const more = senders.size - from.length
  return { count: waiting.length, kinds, from, ...(more > 0 && { more_senders: more }) }
}
