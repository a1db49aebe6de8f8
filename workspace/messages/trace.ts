import { ClawError } from '../../protocol/errors.ts'
import { isSpokenId } from '../document/shape.ts'
import type { Message } from './message.ts'

/**
 * Answers of one agent in one chain to one addressee (count): a longer exchange needs a person to
 * look at it.
 */
export const MAX_ANSWERS = 16
/**
 * Longest length of a chain that is shown (count): a longer one is only claimed, and counts as
 * this.
 */
export const MAX_HOPS = 2 * MAX_ANSWERS
/**
 * Time for which a received message counts as the cause of the messages that its agent sends
 * (milliseconds).
 */
export const HEARD_FOR_MS = 10 * 60_000

/** Received messages that are remembered, the newest ones (count). */
const MAX_HEARD = 64
/** Pairs of a chain and an addressee that are remembered, the newest ones (count): about 20 kB. */
const MAX_PAIRS = 256
/** Stands for all addressees. */
const EVERYBODY = ''

/**
 * The chain of a message: the id of its first message, and the number of messages before this one.
 */
export interface Trace {
  id: string
  hops: number
}

/** A message that an agent received. */
interface Heard {
  id: string
  trace: Trace
  at: number
  /** Nothing was sent in its chain since. */
  isNew: boolean
}

/** Answers of the agent itself in a chain (count). */
interface Answers {
  chain: string
  to: string
  count: number
}

/**
 * The memory of an agent that keeps it within the limits. Times: milliseconds since the epoch by its
 * clock. The id and the length of a chain are claims of others: only the agent's own answers count.
 */
export interface Talk {
  /** The messages that it received recently, the newest last. */
  heard: readonly Heard[]
  /** The newest last. They do not expire: a loop may be slow. */
  answers: readonly Answers[]
}

export const SILENCE: Talk = { heard: [], answers: [] }

/** The first message of a chain has none of these fields: it is the trace. */
export const traceFields = (trace: Trace | null | undefined): { trace?: string; hops?: number } =>
  trace === null || trace === undefined ? {} : { trace: trace.id, hops: trace.hops }

/** The trace of an entry or a task, as the field of a message. Malformed parts are left out. */
export const traceIn = (fields: { trace?: unknown; hops?: unknown }): { trace?: Trace } => {
  const { trace: id, hops } = fields
  if (!isSpokenId(id) || !Number.isSafeInteger(hops) || (hops as number) < 1) return {}
  return { trace: { id, hops: Math.min(hops as number, MAX_HOPS) } }
}

/** The chain that an answer to this message continues. */
export const traceOf = ({ trace, message_id }: Pick<Message, 'trace' | 'message_id'>): Trace =>
  trace ?? { id: message_id, hops: 0 }

/** Messages that ask for an answer; a changed file or a new agent does not. */
const SPEECH: readonly Message['type'][] = [
  'direct_message',
  'knowledge_broadcast',
  'task_delegation',
  'task_response',
  'task_note',
]

/** As `status` of a task's response. */
const ENDED: readonly string[] = ['completed', 'failed', 'canceled', 'rejected']

/** Remembers the messages that the agent received. A task that has ended ends its chain. */
export const hear = (talk: Talk, messages: readonly Message[], now: number): Talk => {
  let next: Talk = { ...talk, heard: recent(talk.heard, now) }
  for (const message of messages) {
    if (!SPEECH.includes(message.type)) continue
    const one: Heard = { id: message.message_id, trace: traceOf(message), at: now, isNew: true }
    const hasEnded = message.type === 'task_response' && ENDED.includes(message.status)
    if (hasEnded) next = over(next, one)
    else next = { ...next, heard: [...next.heard.filter(({ id }) => id !== one.id), one] }
  }
  return { ...next, heard: next.heard.slice(-MAX_HEARD) }
}

/** An ended task needs no answers: answers in its chain count from 0 again. */
const over = (
  { heard, answers }: Talk,
  { id: task, trace }: Pick<Heard, 'id' | 'trace'>,
): Talk => ({
  heard: heard.filter((one) => one.id !== task && one.trace.id !== task),
  answers: answers.filter(({ chain }) => chain !== trace.id),
})

const recent = (heard: readonly Heard[], now: number): Heard[] =>
  heard.filter(({ at }) => Math.abs(now - at) < HEARD_FOR_MS)

/** The message that is sent now. */
export interface Sending {
  /** The chain of the message that it answers; null: it names none. */
  answered: Trace | null
  /** Null: everybody. */
  to: string | null
  /** Tells whether the addressee has itself spoken in a chain: otherwise it is not answering. */
  isIn: (chain: string) => boolean
  /** Tells whether an id belongs to a task that has ended. */
  hasEnded: (id: string) => boolean
  now: number
}

/**
 * The trace of the message that the agent sends now, null where that begins a chain, and the memory
 * after it. The message continues the chain of the message that it answers; otherwise the chain of
 * a message that it received recently: an unanswered one, of several the one with the most
 * answers by it, then the longest. Only answers count: a message that begins a chain, or follows a
 * message of the same agent, passes. Throws `storm` over the limit.
 */
export const speak = (
  talk: Talk,
  { answered, to, isIn, hasEnded, now }: Sending,
): { talk: Talk; trace: Trace | null } => {
  const open = talk.heard.filter(({ id }) => hasEnded(id)).reduce(over, talk)
  const heard = recent(open.heard, now)
  const counted = (chain: string): number =>
    open.answers.reduce((sum, one) => sum + (one.chain === chain ? one.count : 0), 0)
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
  const next: Talk = { ...open, heard }
  // An addressee without a new message since it last spoke is not answering.
  const isAnswer = answered !== null || heard.some((one) => one.isNew && one.trace.id === trace?.id)
  if (trace === null || !isAnswer) return { talk: next, trace }
  const whom = to ?? EVERYBODY
  const isThis = (one: Answers) => one.chain === trace.id && one.to === whom
  const count = (open.answers.find(isThis)?.count ?? 0) + 1
  if (count > MAX_ANSWERS && (answered !== null || to === null || isIn(trace.id))) {
    throw new ClawError(
      'storm',
      `answer ${count} in the chain of ${trace.id}; the limit is ${MAX_ANSWERS}: agents may be in a loop`,
      'if this is not a loop, repeat with --reset-trace',
    )
  }
  const others = open.answers.filter((one) => !isThis(one))
  return {
    talk: {
      ...next,
      heard: heard.map((one) => (one.trace.id === trace.id ? { ...one, isNew: false } : one)),
      answers: [...others, { chain: trace.id, to: whom, count }].slice(-MAX_PAIRS),
    },
    trace,
  }
}

/** Reads a stored memory, also one of another version. */
export const readTalk = (stored: unknown): Talk => {
  const { heard, answers } = (stored ?? {}) as Partial<Talk>
  return Array.isArray(heard) && Array.isArray(answers) ? { heard, answers } : SILENCE
}
