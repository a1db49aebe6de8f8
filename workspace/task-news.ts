import type { AgentId, TaskId } from './ids.ts'
import type { Message } from './inbox.ts'
import {
  isoTime,
  type Note,
  type Offer,
  type TaskFacts,
  type TaskStatus,
  type Transition,
} from './schema.ts'
import { isNote, isOffer, isTransition } from './shape.ts'
import { isTerminal, state1x } from './task-states.ts'
import { traceIn } from './trace.ts'

/** What is new of one task. */
export interface TaskNews {
  offers: Offer[]
  transitions: Transition[]
  notes: Note[]
}

/** Adds the new elements of a task's array. */
export const addNews = (news: TaskNews, field: string | null, values: unknown[]): void => {
  if (field === 'offers') news.offers.push(...values.filter(isOffer))
  else if (field === 'history') news.transitions.push(...values.filter(isTransition))
  else if (field === 'notes') news.notes.push(...values.filter(isNote))
}

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

/** What `me` is told of a task: that it may take it, what became of what it delegated or owns, what others note. */
export const taskMessages = (task: Of, news: TaskNews, me: AgentId): Message[] => {
  const { facts, status } = task
  const messages: Message[] = []
  for (const offer of news.offers) if (offer.to === me) messages.push(offerMessage(task, offer))
  for (const step of news.transitions) {
    const message = stepMessage(task, step, me)
    if (message !== null) messages.push(message)
  }
  const { from, to, approver } = facts
  for (const { by, text, at } of news.notes) {
    if (by === me || ![from, status.owner, to, approver].includes(me)) continue
    messages.push({ type: 'task_note', ...envelope(task, me, by, at), text })
  }
  return messages
}

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

/** Its creator is told every step, its owner what others did, its approver that a result is there. */
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
    }
  }
  if (facts.approver === me && event === 'approval-asked') {
    return { type: 'task_update', ...head, event, status: state, text: message }
  }
  if ((was ?? status.owner ?? facts.to) !== me) return null
  if (state === 'canceled') return { type: 'task_canceled', ...head, reason: message }
  // What an owner does itself was sorted out above: this is another's, or the server's.
  return event === undefined || event === 'claimed'
    ? null
    : { type: 'task_update', ...head, event, status: state1x(state), text: message }
}
