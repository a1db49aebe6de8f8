import { byteLength } from '../../lib/text/bytes.ts'
import { grouped } from '../../lib/text/count.ts'
import type { Message } from '../../workspace/messages/message.ts'
import type { Waiting } from './waiting.ts'

/** Characters that a verb prints where it was not told how much: agents read them after every step. */
export const MAX_CHARACTERS = 2_000

/** Characters of lines with their line ends. */
export const lengthOf = (...lists: readonly (readonly string[])[]): number =>
  lists.flat().reduce((sum, line) => sum + line.length + 1, 0)

/**
 * The lines of as many entries as fit into `MAX_CHARACTERS`, at least one, and how to see the others. `limit`: the count
 * of entries instead. `isNewestLast`: the last ones are kept, not the first.
 */
export const shortList = (
  entries: readonly (readonly string[])[],
  { limit, how, isNewestLast }: { limit?: number | undefined; how: string; isNewestLast?: true },
): string[] => {
  const order = isNewestLast ? [...entries].reverse() : entries
  const restOf = (shown: number): string[] => {
    const left = entries.length - shown
    return left === 0 ? [] : [`… ${grouped(left)} more: ${how}`]
  }
  let shown = 0
  let room = MAX_CHARACTERS - lengthOf(restOf(0))
  if (limit !== undefined) shown = Math.min(limit, entries.length)
  else if (lengthOf(...order.slice(0, MAX_CHARACTERS)) <= MAX_CHARACTERS) shown = entries.length
  else
    for (; shown < entries.length; shown++) {
      room -= lengthOf(order[shown]!)
      if (room < 0 && shown > 0) break
    }
  const kept = order.slice(0, shown)
  const rest = restOf(shown)
  return isNewestLast ? [...rest, ...kept.reverse().flat()] : [...kept.flat(), ...rest]
}

/** Default number of messages on a page. */
const PAGE = 50
/** Size of a page as JSON (bytes), unless it is one message: an agent can read that much in one turn. */
const PAGE_BYTES = 64 * 1024
/**
 * Clients keep to the limits, so a larger message (bytes of JSON) comes from elsewhere and is cut.
 */
const MAX_SHOWN_BYTES = 512 * 1024
/** Characters shown of each text of such a message. */
const CUT = 8 * 1024
/** The same for a text in a list or a record, and the entries of such a list or record (count). */
const CUT_WITHIN = 128
const MOST = 64

/** A printed message. `cut`: the command that shows all of a message that is too large or not valid JSON. */
export type Shown = Message & { cut?: string }

/** The first of these messages that fit on a page, at least one. */
export const pageOf = (
  waiting: readonly Waiting[],
  limit = PAGE,
): { key: string; message: Shown }[] => {
  const page: { key: string; message: Shown }[] = []
  let size = 0
  for (const one of waiting.slice(0, limit)) {
    const message = showable(one.message)
    size += byteLength(JSON.stringify(message)) + 1
    if (page.length > 0 && size > PAGE_BYTES) break
    page.push({ key: one.key, message })
  }
  return page
}

const showable = (message: Message): Shown => {
  let json: string | null = null
  try {
    json = JSON.stringify(message)
  } catch {
    // A BigInt, or deeper than a stack.
  }
  if (json !== null && json.length <= MAX_SHOWN_BYTES && byteLength(json) <= MAX_SHOWN_BYTES) {
    return message
  }
  const isTask = message.message_id.startsWith('t-')
  const parts = Object.entries(message).map(([name, value]) => [name, cutValue(value)])
  const all = isTask ? `clawlink-agent task ${message.message_id}` : 'clawlink-agent log'
  return { ...(Object.fromEntries(parts) as Message), cut: `${all} --json` }
}

const cutValue = (value: unknown, depth = 0): unknown => {
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'string') {
    const most = depth === 0 ? CUT : CUT_WITHIN
    const more = value.length - most
    return more <= 0 ? value : `${value.slice(0, most)}…(+${more} characters)`
  }
  if (typeof value !== 'object' || value === null) return value
  if (depth > 2) return null
  if (Array.isArray(value)) return value.slice(0, MOST).map((item) => cutValue(item, depth + 1))
  const parts = Object.entries(value).slice(0, MOST)
  return Object.fromEntries(parts.map(([name, part]) => [name, cutValue(part, depth + 1)]))
}
