import type { Replica } from '../../client/replica/replica.ts'
import type { Message } from '../../workspace/messages/message.ts'
import { observeTask } from '../../workspace/tasks/task-index.ts'
import type { Listening, Wanted } from './listening.ts'

/** Commands that wait for messages or for changes of a task. */
export class Listeners {
  readonly #replica: Replica
  readonly #wakes = new Set<() => void>()
  /** The agent's own commands that wait now (count). */
  #attending = 0
  /** When news last ended such a wait, in milliseconds of the monotonic clock. */
  #attendedAt = Number.NEGATIVE_INFINITY
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
    const { messages: isWanted, tasks = [], isBackground = false } = wanted
    // A command that only looks is over at once: its agent does not wait.
    let isWaiting = false
    const wakeByNews = () => {
      if (isWaiting && !isBackground) this.#attendedAt = performance.now()
      wake()
    }
    const unlisten = tasks.map((task) => observeTask(this.#replica.doc, task, wakeByNews))
    if (isWanted !== undefined) {
      const look = (messages: readonly Message[]) => {
        if (messages.some(isWanted)) wakeByNews()
      }
      unlisten.push(this.#replica.onMessages(look))
    }
    if (wanted.changes) {
      const { doc } = this.#replica
      const changed = (): void => wake()
      doc.on('update', changed)
      unlisten.push(() => doc.off('update', changed))
    }
    this.#wakes.add(wake)
    const end = () => {
      for (const stop of unlisten) stop()
      this.#wakes.delete(wake)
    }
    const heard = async (signal: AbortSignal) => {
      signal.addEventListener('abort', wake)
      if (signal.aborted) wake()
      isWaiting = true
      if (!isBackground) this.#attending++
      await woken.finally(end)
      if (!isBackground) this.#attending--
      signal.removeEventListener('abort', wake)
      return !this.#hasLeft
    }
    return { heard, end }
  }

  /** True if the agent itself waits by a command, or got news by one within the last `ms` milliseconds. */
  isAttended(ms: number): boolean {
    return this.#attending > 0 || performance.now() - this.#attendedAt < ms
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
