import { setTimeout as pause } from 'node:timers/promises'

/** A server without a sign of life for this long is none (milliseconds); a command that waits looks this often. */
export const DEAD_MS = 3_000
export const LOOK_MS = 250

/**
 * Watches counters for DEAD_MS. Returns the first key whose counter changed, or that is new; null: nobody gives a sign of
 * life, or none is left.
 */
export const aliveOf = async (
  look: () => Promise<ReadonlyMap<string, string>>,
): Promise<string | null> => {
  const first = await look()
  const until = performance.now() + DEAD_MS
  for (let now = first; now.size > 0 && performance.now() < until; ) {
    await pause(LOOK_MS)
    now = await look()
    for (const [key, n] of now) if (first.get(key) !== n) return key
  }
  return null
}
