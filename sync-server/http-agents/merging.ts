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
 * Runs `write`, which merges by what it is handed. A merge that takes long is made in a thread, for the text as it is, and
 * `write` is run again with it: others wait for neither. `write` has to throw what its merge throws, and to change nothing
 * before. `spent` is told how long a thread worked for it (milliseconds).
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
