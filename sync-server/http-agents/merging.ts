import { newEffort } from '../../lib/merge/diff.ts'
import type { MergeResult } from '../../lib/merge/edits.ts'
import { merge3 } from '../../lib/merge/merge.ts'
import type { FilePut } from '../../workspace/files/put-file.ts'
import { SHORT_STEPS, type TextWork } from '../texts/work.ts'

/**
 * Attempts at a merge while the text keeps changing (count); after these the merge is a coarse one.
 */
const TRIES = 3

/** A merge takes too long for a turn. */
class Elsewhere extends Error {}

/**
 * Runs `write` with a merge function. A long merge runs in a thread, for the current text, and
 * `write` then runs again with its result, so no other request waits for it. `write` must rethrow
 * what the merge throws, and change nothing before. `spent` receives the thread's time in
 * milliseconds.
 */
export const merging = async <T>(
  texts: TextWork,
  spent: (ms: number) => void,
  write: (merge: NonNullable<FilePut['merge']>) => Promise<T>,
): Promise<T> => {
  let made: { of: [string, string, string]; merge: MergeResult } | null = null
  for (let tries = 1; ; tries++) {
    let wanted: [string, string, string] | null = null
    const merge = (...of: [base: string, mine: string, theirs: string]): MergeResult => {
      if (made?.of.every((text, i) => text === of[i])) return made.merge
      const effort = newEffort(SHORT_STEPS)
      if (tries > TRIES) return merge3(...of, effort)
      const giveUp = (): never => {
        wanted = of
        throw new Elsewhere()
      }
      effort.giveUp = giveUp
      const merge = merge3(...of, effort)
      return effort.left > 0 ? merge : giveUp()
    }
    try {
      return await write(merge)
    } catch (error) {
      if (!(error instanceof Elsewhere) || wanted === null) throw error
      const { found, ms } = await texts.run('merge', wanted)
      spent(ms)
      made = { of: wanted, merge: found }
    }
  }
}
