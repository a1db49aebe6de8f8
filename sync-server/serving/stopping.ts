/** A step of stopping a server. */
export interface Step {
  what: string
  /** The most time that it may take (milliseconds); 0 if absent. */
  ms?: number
  /** Received data is not stored unless this step succeeds. */
  stores?: true
  /** True if it waits for the disk; such a step that is not done in time hangs for good. */
  writes?: true
  /** `signal` aborts when the time is up. */
  run: (signal: AbortSignal) => unknown
}

/** The server stopped, but some step failed. */
export class Unstopped extends Error {
  /** A write hangs: `process.exit` would wait for it, too. */
  readonly hangs: boolean

  constructor(message: string, hangs: boolean) {
    super(message)
    this.hangs = hangs
  }
}

class Late extends Error {}

/**
 * Runs steps one after the other. A step that fails or exceeds its time is reported to `onLost`,
 * and the next one runs all the same, so that a hanging step cannot keep the server from ending.
 * Rejects with Unstopped if data is not stored, or a step hangs.
 */
export const takeSteps = async (
  steps: readonly Step[],
  onLost: (what: string, error: unknown) => void,
): Promise<void> => {
  let isStored = true
  let hangs = false
  for (const { what, ms = 0, stores, writes, run } of steps) {
    const late = new AbortController()
    const isLate = new Promise<never>((_, reject) => {
      late.signal.addEventListener('abort', () => reject(new Late(`not done within ${ms} ms`)))
    })
    const timer = setTimeout(() => late.abort(), ms)
    try {
      await Promise.race([(async () => run(late.signal))(), isLate])
    } catch (error) {
      if (stores) isStored = false
      if (writes && error instanceof Late) hangs = true
      onLost(what, error)
    } finally {
      clearTimeout(timer)
    }
  }
  if (!isStored) throw new Unstopped('not all that was received could be stored', hangs)
  if (hangs) throw new Unstopped('all is stored, and the disk hangs', hangs)
}
