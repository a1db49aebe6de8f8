import { FIRST_REST_MS, LONGEST_REST_MS } from '../config/limits.ts'

/** A workspace is not served, for a fault of its own. The cause says what was met. */
export class Fault extends Error {
  readonly workspace: string
  /** Seconds after which it may be tried again; null: that is not known. */
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
  /** How often it failed in a row (count). */
  times: number
  /** It is not tried before (milliseconds since the epoch). */
  until: number
  isServed: boolean
}

/** Which workspaces failed, and when each may be tried again: each time later, so that a lasting fault does not keep the server busy. */
export class Faults {
  readonly #now: () => number
  readonly #failed = new Map<string, Failed>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** It failed, and is not tried before `ended` has resolved: until then something of it may still come to the log. */
  add(workspace: string, error: Error, ended: Promise<void>): void {
    const before = this.#failed.get(workspace)
    const times = before === undefined || this.#isLongAgo(before) ? 1 : before.times + 1
    const failed: Failed = { error, times, until: Number.POSITIVE_INFINITY, isServed: false }
    this.#failed.set(workspace, failed)
    void ended.then(() => {
      failed.until = this.#now() + Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** (times - 1))
    })
  }

  /** Whether it failed, and was not served for long since. */
  has(workspace: string): boolean {
    const failed = this.#failed.get(workspace)
    if (failed?.isServed && this.#isLongAgo(failed)) this.#failed.delete(workspace)
    return this.#failed.has(workspace)
  }

  #isLongAgo({ until }: Failed): boolean {
    return this.#now() > until + LONGEST_REST_MS
  }

  /** How long it is not to be tried (milliseconds); 0: it may be; infinite: that is not known yet. */
  retryIn(workspace: string): number {
    return Math.max(0, (this.#failed.get(workspace)?.until ?? 0) - this.#now())
  }

  /** Throws Fault where it is too early to try the workspace again. */
  check(workspace: string): void {
    const wait = this.retryIn(workspace)
    if (wait === 0) return
    const seconds = Number.isFinite(wait) ? Math.ceil(wait / 1_000) : null
    throw new Fault(workspace, this.#failed.get(workspace)?.error, seconds)
  }

  /** It works again. */
  served(workspace: string): void {
    const failed = this.#failed.get(workspace)
    if (failed !== undefined) failed.isServed = true
  }

  /** Those that are not served. */
  get names(): string[] {
    return [...this.#failed].filter(([, { isServed }]) => !isServed).map(([name]) => name)
  }
}
