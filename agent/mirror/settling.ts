import { type Dirty, RESTLESS_MS } from './dirty.ts'
import type { Gone } from './gone.ts'
import type { Seen } from './text-file.ts'

/** A file that was written to is read once it has been left alone for so long (ms). */
export const SETTLE_MS = 40
/** A file that is gone, or empty, may be one that an editor is about to write: for so long it is waited for (ms). */
const ABSENT_MS = 300
const EMPTY_MS = 600
/** What git takes away while it changes the work tree is waited for at most so long (ms). */
const GIT_MS = 60_000

/**
 * Whether somebody seems to be in the midst of writing a file; then it is looked at again later. `digest`: of what is
 * there, `base`: of what was there before.
 */
export const isUnsettled = (
  dirty: Dirty,
  gone: Pick<Gone, 'isGitBusy'>,
  rel: string,
  seen: Exclude<Seen, { kind: 'other' }>,
  digest: string | null,
  base: string | null,
): boolean => {
  if (seen.kind === 'moving') {
    dirty.isUnsettled(rel, 'moving', RESTLESS_MS, SETTLE_MS)
    return true
  }
  if (digest === base) return false
  if (seen.kind === 'absent') {
    if (dirty.isUnsettled(rel, 'absent', ABSENT_MS)) return true
    return gone.isGitBusy(rel) && dirty.isUnsettled(rel, 'git', GIT_MS, ABSENT_MS)
  }
  if (seen.text === '') return base !== null && dirty.isUnsettled(rel, 'empty', EMPTY_MS)
  const age = Date.now() - seen.at
  return age >= 0 && age < SETTLE_MS && dirty.isUnsettled(rel, 'fresh', RESTLESS_MS, SETTLE_MS)
}
