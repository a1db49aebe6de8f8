import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { textOf } from '../../lib/disk/claim.ts'
import { writeOwn } from '../../lib/disk/own-file.ts'

/** A ring asks the watcher of a profile to wake its agent, to try that; hooks record the turns of the session. */
const RING_FILE = 'ring.json'
const TURN_FILE = 'turn.json'
/** Interval of looks for a turn, in milliseconds. */
const LOOK_MS = 100

/** Milliseconds since the epoch in a file of this profile; 0 without one. Never throws. */
const timeIn = (profileDir: string, file: string): number => {
  try {
    const { at } = JSON.parse(textOf(join(profileDir, file)) ?? '') as { at?: unknown }
    return typeof at === 'number' && Number.isFinite(at) ? at : 0
  } catch {
    return 0
  }
}

export const rangAt = (profileDir: string): number => timeIn(profileDir, RING_FILE)
export const turnAt = (profileDir: string): number => timeIn(profileDir, TURN_FILE)

/** Records that the session began or ended a turn. Never throws: a hook has more to do. */
export const recordTurn = (profileDir: string): void => {
  try {
    writeOwn(join(profileDir, TURN_FILE), { at: Date.now() })
  } catch {
    // `hosts status --ring` tells that no turn was seen.
  }
}

/** Rings, and resolves to the milliseconds until a turn was seen; null after `timeoutMs` without one. */
export const ring = async (
  profileDir: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<number | null> => {
  // Later than the last ring, also after the clock was set back.
  const at = Math.max(Date.now(), rangAt(profileDir) + 1)
  const before = turnAt(profileDir)
  writeOwn(join(profileDir, RING_FILE), { at })
  const began = performance.now()
  while (performance.now() - began < timeoutMs && !signal.aborted) {
    if (turnAt(profileDir) !== before) return Math.round(performance.now() - began)
    await sleep(LOOK_MS, null, { signal }).catch(() => {})
  }
  return null
}
