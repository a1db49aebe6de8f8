import type { Message } from '../messages/message.ts'

/** Statuses of a task's answer that its creator has to read: an end, or a question. */
const FINAL = new Set(['completed', 'failed', 'rejected', 'canceled', 'input-required'])

/** Tells whether a message is the end of a task, or a question about one that this agent has to answer. */
export const isFinal = (message: Message): boolean =>
  message.type === 'task_response'
    ? FINAL.has(message.status)
    : message.type === 'task_update' && message.event === 'approval-asked'

/**
 * Tells whether an agent has to act on a message: a task, a result, a question, what somebody says to it alone, a
 * conflict. Progress, broadcasts, news of files and of agents can wait until it looks.
 */
export const wakes = (message: Message): boolean => {
  switch (message.type) {
    case 'task_response':
      return isFinal(message)
    case 'knowledge_broadcast':
    case 'digest':
    case 'file_updated':
    case 'file_removed':
    case 'files_changed':
    case 'agent_joined':
      return false
    default:
      return true
  }
}
