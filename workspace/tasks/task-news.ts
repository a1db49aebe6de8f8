import type { AgentId, TaskId } from '../../protocol/ids.ts'
import {
  isoTime,
  type Note,
  type Offer,
  type TaskFacts,
  type TaskStatus,
  type Transition,
} from '../document/schema.ts'
import { isNote, isOffer, isTransition } from '../document/shape.ts'
import type { Message } from '../messages/message.ts'
import { traceIn } from '../messages/trace.ts'
import type { Placed } from './task-archive.ts'
import { isTerminal, state1x } from './task-states.ts'

/** The news of one task. */
export interface TaskNews {
  offers: Placed<Offer>[]
  transitions: Placed<Transition>[]
  notes: Placed<Note>[]
}

/** Adds a new element of a task's array. */
export const addNews = (news: TaskNews, field: string | null, placed: Placed<unknown>): void => {
  if (field === 'offers' && isPlaced(placed, isOffer)) news.offers.push(placed)
  else if (field === 'history' && isPlaced(placed, isTransition)) news.transitions.push(placed)
  else if (field === 'notes' && isPlaced(placed, isNote)) news.notes.push(placed)
}

const isPlaced = <T>(
  placed: Placed<unknown>,
  is: (value: unknown) => value is T,
): placed is Placed<T> => is(placed.value)

interface Of {
  id: TaskId
  facts: TaskFacts
  status: TaskStatus
}

const envelope = ({ id, facts }: Of, me: AgentId, from: AgentId, at: number) => ({
  message_id: id,
  from_agent: from,
  to_agent: me,
  timestamp: isoTime(at),
  ...traceIn(facts),
})

/**
 * The news of a task for `me`: that it may take it, the outcome of a task that it delegated or
 * owns, the notes of others.
 */
export const taskMessages = (task: Of, news: TaskNews, me: AgentId): Placed<Message>[] => {
  const { facts, status } = task
  const { from, to, approver } = facts
  const offered = (offer: Offer) => (offer.to === me ? offerMessage(task, offer) : null)
  const stepped = (step: Transition) => stepMessage(task, step, me)
  const noted = ({ by, text, at }: Note): Message | null =>
    by === me || ![from, status.owner, to, approver].includes(me)
      ? null
      : { type: 'task_note', ...envelope(task, me, by, at), text }
  return [
    ...told(news.offers, offered),
    ...told(news.transitions, stepped),
    ...told(news.notes, noted),
  ]
}

const told = <T>(
  placed: readonly Placed<T>[],
  tell: (value: T) => Message | null,
): Placed<Message>[] =>
  placed.flatMap((one) => {
    const value = tell(one.value)
    return value === null ? [] : { ...one, value }
  })

export const offerMessage = (task: Of, { to, at, token }: Offer): Message => {
  const {
    description,
    context,
    priority,
    from,
    deadline,
    ref,
    requires = [],
    createdAt,
  } = task.facts
  return {
    type: 'task_delegation',
    ...envelope(task, to, from, token === 0 ? createdAt : at),
    ...{ task: description, context: context ?? null, priority },
    ...(token > 0 && { attempt: token + 1 }),
    ...(deadline !== undefined && { deadline: isoTime(deadline) }),
    ...(ref !== undefined && { ref }),
    ...(task.facts.to === null && { requires }),
  }
}

/** The creator is told of every step, the owner of steps by others, the approver of a result. */
const stepMessage = (task: Of, step: Transition, me: AgentId): Message | null => {
  const { facts, status } = task
  const { by, message, at, state, event, was } = step
  if (by === me) return null
  const head = envelope(task, me, by, at)
  if (facts.from === me) {
    const { percent, result } = status
    const isNewest = step.revision === status.revision
    return {
      ...{ type: 'task_response', ...head, result: message, status: state1x(state) },
      ...(event !== undefined && { event }),
      ...(isNewest && state === 'working' && percent !== undefined && { percent }),
      ...(isTerminal(state) && result?.json !== undefined && { result_json: result.json }),
      ...(isTerminal(state) && result?.artifacts && { artifacts: result.artifacts }),
      ...((isTerminal(state) || status.pending) && result?.stale && { stale: result.stale }),
    }
  }
  if (facts.approver === me && event === 'approval-asked') {
    return { type: 'task_update', ...head, event, status: state, text: message }
  }
  if ((was ?? status.owner ?? facts.to) !== me) return null
  if (state === 'canceled') return { type: 'task_canceled', ...head, reason: message }
  // Own steps of an owner were left out above: this one is another agent's or the server's.
  return event === undefined || event === 'claimed'
    ? null
    : { type: 'task_update', ...head, event, status: state1x(state), text: message }
}
