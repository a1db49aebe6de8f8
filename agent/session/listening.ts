import type { Message } from '../../workspace/messages/message.ts'

/** Messages, changes of tasks, and any change of the document. */
export interface Wanted {
  /** True for a program that wakes the agent, while the others are the agent's own. */
  isBackground?: boolean
  messages?: (message: Message) => boolean
  tasks?: readonly string[]
  changes?: true
}

export interface Listening {
  /**
   * Resolves when something may have come in since this began, when the place was closed, or when `signal` aborts; ends
   * it. False: the agent has left.
   */
  heard: (signal: AbortSignal) => Promise<boolean>
  end: () => void
}
