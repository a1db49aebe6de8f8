import type { Message } from '../messages/message.ts'
import { MESSAGE_TYPES } from '../messages/message-types.ts'

/** Statuses of a task's answer that its creator has to read: an end, or a question. */
const FINAL = new Set(['completed', 'failed', 'rejected', 'canceled', 'input-required'])

/** Tells whether a message is the end of a task, or something that this agent has to answer or to judge. */
export const isFinal = (message: Message): boolean =>
  message.type === 'task_response'
    ? FINAL.has(message.status)
    : message.type === 'file_suggestion' ||
      (message.type === 'task_update' && message.event === 'approval-asked')

/** Types of messages that can wait until the agent looks. */
const NEWS = new Set<Message['type']>([
  ...(['knowledge_broadcast', 'digest', 'agent_joined'] as const),
  ...(['file_updated', 'file_removed', 'files_changed', 'look_together'] as const),
])

/** Types of messages that may wake an agent. */
export const WAKING_TYPES = MESSAGE_TYPES.filter((type) => !NEWS.has(type))

/**
 * Tells whether an agent has to act on a message: a task, a result, a question, a suggestion and what became of it, what
 * somebody says to it alone, a conflict. Progress, broadcasts, news of files and of agents can wait until it looks.
 */
export const wakes = (message: Message): boolean =>
  message.type === 'task_response' ? isFinal(message) : !NEWS.has(message.type)
