import { FIRST_REST_MS, LONGEST_REST_MS } from '../config/limits.ts'

/** One workspace failed and is not served; the cause is the error. */
export class Fault extends Error {
  readonly workspace: string
  /** Seconds until it may be retried; null if unknown. */
  readonly retryAfter: number | null

  constructor(workspace: string, cause: unknown, retryAfter: number | null = null) {
    super(`workspace ${workspace} has failed`, { cause })
    this.name = 'Fault'
    this.workspace = workspace
    this.retryAfter = retryAfter
  }
}

interface Failed {
  error: Error
  /** Consecutive failures (count). */
  times: number
  /** Time of the earliest retry (milliseconds since the epoch). */
  until: number
  isServed: boolean
}

/**
 * The failed workspaces, and the time of each one's next retry. The wait doubles per failure, so
 * that a lasting fault does not keep the server busy.
 */
export class Faults {
  readonly #now: () => number
  readonly #failed = new Map<string, Failed>()

  constructor(now: () => number) {
    this.#now = now
  }

  /**
   * Notes a failure. The workspace is not retried before `ended` resolves, as earlier work may
   * still write to the log.
   */
  add(workspace: string, error: Error, ended: Promise<void>): void {
    const before = this.#failed.get(workspace)
    const times = before === undefined || this.#isLongAgo(before) ? 1 : before.times + 1
    const failed: Failed = { error, times, until: Number.POSITIVE_INFINITY, isServed: false }
    this.#failed.set(workspace, failed)
    void ended.then(() => {
      failed.until = this.#now() + Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** (times - 1))
    })
  }

  /** True if the workspace failed and has not been served for long since. */
  has(workspace: string): boolean {
    const failed = this.#failed.get(workspace)
    if (failed?.isServed && this.#isLongAgo(failed)) this.#failed.delete(workspace)
    return this.#failed.has(workspace)
  }

  #isLongAgo({ until }: Failed): boolean {
    return this.#now() > until + LONGEST_REST_MS
  }

  /** Milliseconds until the workspace may be retried: 0 for now, infinite if unknown yet. */
  retryIn(workspace: string): number {
    return Math.max(0, (this.#failed.get(workspace)?.until ?? 0) - this.#now())
  }

  /** Throws Fault if it is too early to retry the workspace. */
  check(workspace: string): void {
    const wait = this.retryIn(workspace)
    if (wait === 0) return
    const seconds = Number.isFinite(wait) ? Math.ceil(wait / 1_000) : null
    throw new Fault(workspace, this.#failed.get(workspace)?.error, seconds)
  }

  /** Notes that the workspace works again. */
  served(workspace: string): void {
    const failed = this.#failed.get(workspace)
    if (failed !== undefined) failed.isServed = true
  }

  /** Names of the workspaces that are not served. */
  get names(): string[] {
    return [...this.#failed].filter(([, { isServed }]) => !isServed).map(([name]) => name)
  }
}
