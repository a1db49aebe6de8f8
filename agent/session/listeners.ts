import type { Replica } from '../../client/replica/replica.ts'
import type { Message } from '../../workspace/messages/message.ts'
import { observeTask } from '../../workspace/tasks/task-index.ts'
import type { Listening, Wanted } from './listening.ts'

/** Commands that wait for messages or for changes of a task. */
export class Listeners {
  readonly #replica: Replica
  readonly #wakes = new Set<() => void>()
  #hasLeft = false

  constructor(replica: Replica) {
    this.#replica = replica
  }

  /** Begins to listen for wanted messages that are stored from now on, and for changes of tasks. */
  listen(wanted: Wanted): Listening {
    let wake = () => {}
    const woken = new Promise<void>((resolve) => {
      wake = resolve
    })
    const { messages: isWanted, tasks = [] } = wanted
    const unlisten = tasks.map((task) => observeTask(this.#replica.doc, task, () => wake()))
    if (isWanted !== undefined) {
      const look = (messages: readonly Message[]) => {
        if (messages.some(isWanted)) wake()
      }
      unlisten.push(this.#replica.onMessages(look))
    }
    this.#wakes.add(wake)
    const end = () => {
      for (const stop of unlisten) stop()
      this.#wakes.delete(wake)
    }
    const heard = async (signal: AbortSignal) => {
      signal.addEventListener('abort', wake)
      if (signal.aborted) wake()
      await woken.finally(end)
      signal.removeEventListener('abort', wake)
      return !this.#hasLeft
    }
    return { heard, end }
  }

  /** The agent has left. */
  left(): void {
    this.#hasLeft = true
    this.wakeAll()
  }

  wakeAll(): void {
    for (const wake of this.#wakes) wake()
  }
}
