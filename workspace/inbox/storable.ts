import type { Message } from '../messages/message.ts'

/**
 * The message; where JSON cannot hold it, a substitute that says so, so that others are not lost
 * with it.
 */
export const storable = (message: Message): Message => {
  try {
    JSON.stringify(message)
    return message
  } catch (error) {
    const { type, message_id, from_agent, to_agent, timestamp } = message
    const text = `a ${type} could not be read: ${(error as Error).message}`
    return { type: 'unreadable', message_id, from_agent, to_agent, timestamp, text }
  }
}
