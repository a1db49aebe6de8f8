import type { ClawError } from '../../protocol/errors.ts'

interface Waiter {
  done: () => boolean
  /** True if it waits for its own writes to be sent, not only for news. */
  sends: boolean
  resolve: () => void
  reject: (error: ClawError) => void
}

/** Promises that wait for conditions of a session. */
export class Waiters {
  readonly #all = new Set<Waiter>()

  /** Resolves when `done` holds at a check. Rejects with `late()` after `timeoutMs`, or by `fail`. */
  wait(
    timeoutMs: number,
    sends: boolean,
    done: () => boolean,
    late: () => ClawError,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => waiter.reject(late()), timeoutMs)
      const end = () => {
        clearTimeout(timer)
        this.#all.delete(waiter)
      }
      const waiter: Waiter = {
        done,
        sends,
        resolve: () => {
          end()
          resolve()
        },
        reject: (error) => {
          end()
          reject(error)
        },
      }
      this.#all.add(waiter)
    })
  }

  check(): void {
    for (const waiter of this.#all) if (waiter.done()) waiter.resolve()
  }

  /** Rejects all; with `onlySends`, only those that wait for their writes. */
  fail(error: ClawError, onlySends: boolean): void {
    for (const waiter of this.#all) if (waiter.sends || !onlySends) waiter.reject(error)
  }
}
