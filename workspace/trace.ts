import { ClawError } from './errors.ts'
import type { Message } from './inbox.ts'
import { isSpokenId } from './shape.ts'

/** Answers that one agent gives in one chain to one addressee; two that answer each other longer need somebody to look at it. */
export const MAX_ANSWERS = 16
/** What is shown of how long a chain is (count): more is somebody's word only, and counts as this many. */
export const MAX_HOPS = 2 * MAX_ANSWERS
/** What one agent may send within a minute, of broadcasts, direct messages and tasks (count). */
export const MAX_SENDS_PER_MINUTE = 60
/** What an agent was handed counts as the cause of what it sends for this long (milliseconds). */
export const HEARD_FOR_MS = 10 * 60_000

const MINUTE_MS = 60_000
/** Messages, and pairs of a chain and an addressee, that are remembered (count): the newest. */
const REMEMBERED = 64
/** Stands for all addressees. */
const EVERYBODY = ''

/** The chain that a message belongs to: the id of its first message, and how many messages came before this one. */
export interface Trace {
  id: string
  hops: number
}

/** A message that was handed out. */
interface Heard {
  id: string
  trace: Trace
  at: number
  /** Nothing was sent in its chain since. */
  isNew: boolean
}

/** How often the agent itself has answered in a chain. */
interface Answers {
  chain: string
  to: string
  count: number
}

/**
 * What an agent has to remember to keep within the limits. Times: milliseconds since the epoch, its clock. What others say of
 * a chain, its id and its length, is their word: only the agent's own answers count.
 */
export interface Talk {
  /** What it was handed lately, the newest last. */
  heard: readonly Heard[]
  /** The newest last. They do not end by time: a loop may be slow. */
  answers: readonly Answers[]
  /** When it sent something within the last minute. */
  sends: readonly number[]
}

export const SILENCE: Talk = { heard: [], answers: [], sends: [] }

/** A chain's first message has none of these fields: it is the trace. */
export const traceFields = (trace: Trace | null | undefined): { trace?: string; hops?: number } =>
  trace === null || trace === undefined ? {} : { trace: trace.id, hops: trace.hops }

/** The trace that an entry or a task carries, as a message's field. What is not an id or a count is left out. */
export const traceIn = (fields: { trace?: unknown; hops?: unknown }): { trace?: Trace } => {
  const { trace: id, hops } = fields
  if (!isSpokenId(id) || !Number.isSafeInteger(hops) || (hops as number) < 1) return {}
  return { trace: { id, hops: Math.min(hops as number, MAX_HOPS) } }
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

/** As `status` of a task's response. */
const ENDED: readonly string[] = ['completed', 'failed', 'canceled', 'rejected']

/** Remembers what the agent was handed. A task that has ended calls for nothing more. */
export const hear = (talk: Talk, messages: readonly Message[], now: number): Talk => {
  const heard = new Map(recent(talk.heard, now).map((one) => [one.id, one]))
  for (const message of messages) {
    const id = message.message_id
    if (!SPEECH.includes(message.type)) continue
    heard.delete(id)
    if (message.type === 'task_response' && ENDED.includes(message.status)) continue
    heard.set(id, { id, trace: traceOf(message), at: now, isNew: true })
  }
  return { ...talk, heard: [...heard.values()].slice(-REMEMBERED) }
}

const recent = (heard: readonly Heard[], now: number): Heard[] =>
  heard.filter(({ at }) => Math.abs(now - at) < HEARD_FOR_MS)

/** What is sent now. */
export interface Sending {
  /** The chain of the message that it answers; null: it does not say which it answers. */
  answered: Trace | null
  /** Null: everybody. */
  to: string | null
  /** Whether the addressee has itself spoken in a chain: who has not is not answering. */
  isIn: (chain: string) => boolean
  now: number
}

/**
 * The trace for what the agent sends now, null where it begins one, and what to remember. It goes on with the chain of the
 * message that it answers, else with one of what it was handed lately: one that is not answered yet, of several that in
 * which it has answered most, then the longest. Throws `storm` over a limit.
 */
export const speak = (
  talk: Talk,
  { answered, to, isIn, now }: Sending,
): { talk: Talk; trace: Trace | null } => {
  const heard = recent(talk.heard, now)
  const counted = (chain: string): number =>
    talk.answers.reduce((sum, one) => sum + (one.chain === chain ? one.count : 0), 0)
  const chain =
    answered ??
    heard.toSorted(
      (a, b) =>
        Number(b.isNew) - Number(a.isNew) ||
        counted(b.trace.id) - counted(a.trace.id) ||
        b.trace.hops - a.trace.hops,
    )[0]?.trace
  const trace =
    chain === undefined ? null : { id: chain.id, hops: Math.min(chain.hops + 1, MAX_HOPS) }
  const sends = talk.sends.filter((at) => at <= now && now - at < MINUTE_MS)
  if (sends.length >= MAX_SENDS_PER_MINUTE) {
    throw storm(`${sends.length} messages were sent within a minute`)
  }
  const next: Talk = { ...talk, heard, sends: [...sends, now] }
  // Whoever was told nothing more since it spoke there answers nobody.
  const isAnswer = answered !== null || heard.some((one) => one.isNew && one.trace.id === trace?.id)
  if (trace === null || !isAnswer) return { talk: next, trace }
  const whom = to ?? EVERYBODY
  const isThis = (one: Answers) => one.chain === trace.id && one.to === whom
  const count = (talk.answers.find(isThis)?.count ?? 0) + 1
  if (count > MAX_ANSWERS && (answered !== null || to === null || isIn(trace.id))) {
    throw storm(`this would be answer ${count} in one chain of messages (trace ${trace.id})`)
  }
  const others = talk.answers.filter((one) => !isThis(one))
  return {
    talk: {
      ...next,
      heard: heard.map((one) => (one.trace.id === trace.id ? { ...one, isNew: false } : one)),
      answers: [...others, { chain: trace.id, to: whom, count }].slice(-REMEMBERED),
    },
    trace,
  }
}

/** What was remembered, also by a version that remembered something else. */
export const readTalk = (stored: unknown): Talk => {
  const { heard, answers, sends } = (stored ?? {}) as Partial<Talk>
  return Array.isArray(heard) && Array.isArray(answers) && Array.isArray(sends)
    ? { heard, answers, sends }
    : { ...SILENCE, sends: Array.isArray(sends) ? sends : [] }
}

const storm = (what: string): ClawError =>
  new ClawError(
    'storm',
    `${what}; agents may be answering each other without end`,
    'stop here; if a person wants it, or on second thoughts, send it with --reset-trace',
  )
