import { ClawError } from './errors.ts'
import type { Message } from './inbox.ts'

/** Messages that may follow one upon another; agents that answer each other longer need somebody to look at it. */
export const MAX_HOPS = 32
/** What one agent may send within a minute, of broadcasts, direct messages and tasks (count). */
export const MAX_SENDS_PER_MINUTE = 60
/** What an agent was handed counts as the cause of what it sends for this long (milliseconds). */
export const HEARD_FOR_MS = 10 * 60_000

const MINUTE_MS = 60_000

/** The chain that a message belongs to: the id of its first message, and how many messages came before this one. */
export interface Trace {
  id: string
  hops: number
}

/** What an agent has to remember to keep within the limits. Times: milliseconds since the epoch, its clock. */
export interface Talk {
  /** The longest chain among what it was handed lately. */
  heard: { trace: Trace; at: number } | null
  /** When it sent something within the last minute. */
  sends: readonly number[]
}

export const SILENCE: Talk = { heard: null, sends: [] }

/** A chain's first message has none of these fields: it is the trace. */
export const traceFields = (trace: Trace | null | undefined): { trace?: string; hops?: number } =>
  trace === null || trace === undefined ? {} : { trace: trace.id, hops: trace.hops }

/** The trace that an entry or a task carries, as a message's field. */
export const traceIn = (fields: { trace?: unknown; hops?: unknown }): { trace?: Trace } => {
  const { trace: id, hops } = fields
  if (typeof id !== 'string' || typeof hops !== 'number' || !(hops > 0)) return {}
  return { trace: { id, hops } }
}

/** The chain that an answer to this message goes on with. */
export const traceOf = ({ trace, message_id }: Pick<Message, 'trace' | 'message_id'>): Trace =>
  trace ?? { id: message_id, hops: 0 }

/** What calls for an answer; that a file changed or somebody joined does not. */
const SPEECH: readonly Message['type'][] = [
  'direct_message',
  'knowledge_broadcast',
  'task_delegation',
  'task_response',
  'task_note',
]

/** Remembers what the agent was handed. */
export const hear = (talk: Talk, messages: readonly Message[], now: number): Talk => {
  let heard = recent(talk, now)
  for (const message of messages) {
    if (!SPEECH.includes(message.type)) continue
    const trace = traceOf(message)
    if (heard === null || trace.hops >= heard.trace.hops) heard = { trace, at: now }
  }
  return { ...talk, heard }
}

const recent = ({ heard }: Talk, now: number): Talk['heard'] =>
  heard !== null && Math.abs(now - heard.at) < HEARD_FOR_MS ? heard : null

/**
 * The trace for what the agent sends now, null where it begins one, and what to remember. It goes on with the longest
 * chain among the message it answers and what it was handed lately. Throws `storm` over a limit.
 */
export const speak = (
  talk: Talk,
  answered: Trace | null,
  now: number,
): { talk: Talk; trace: Trace | null } => {
  const chains = [answered, recent(talk, now)?.trace ?? null].filter((trace) => trace !== null)
  const longest = chains.sort((a, b) => b.hops - a.hops)[0]
  const trace = longest === undefined ? null : { id: longest.id, hops: longest.hops + 1 }
  if (trace !== null && trace.hops > MAX_HOPS) {
    throw storm(`this would be message ${trace.hops + 1} of one chain of answers`, trace.id)
  }
  const sends = talk.sends.filter((at) => at <= now && now - at < MINUTE_MS)
  if (sends.length >= MAX_SENDS_PER_MINUTE) {
    throw storm(`${sends.length} messages were sent within a minute`, trace?.id ?? 'new')
  }
  return { talk: { ...talk, sends: [...sends, now] }, trace }
}

const storm = (what: string, trace: string): ClawError =>
  new ClawError(
    'storm',
    `${what} (trace ${trace}); agents may be answering each other without end`,
    'stop here; if a person wants it, or on second thoughts, send it with --reset-trace',
  )
