import type { Message } from '../../workspace/messages/message.ts'

/** Messages, or changes of a task. */
export type Wanted = ((message: Message) => boolean) | { task: string }

export interface Listening {
  /**
   * Resolves when something may have come in since this began, when the place was closed, or when `signal` aborts; ends
   * it. False: the agent has left.
   */
  heard: (signal: AbortSignal) => Promise<boolean>
  end: () => void
}
