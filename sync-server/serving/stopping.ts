/** A part of stopping. */
export interface Step {
  what: string
  /** The most time that it may take (milliseconds); 0 where left out. */
  ms?: number
  /** Received data is not stored unless this step succeeds. */
  stores?: true
  /** It waits for the disk at its end: not done in time, it hangs for good. */
  writes?: true
  /** `signal` aborts when its time is up. */
  run: (signal: AbortSignal) => unknown
}

/** A server has stopped, and not as it should. */
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
 * Takes steps one after the other. A step that fails, or is not done in its time, is told to `onLost`, and the next one is
 * taken all the same: nothing that hangs keeps a server from ending. Rejects with Unstopped where something is not stored, or hangs.
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
