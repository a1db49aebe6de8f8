import { type DirtyPaths, RESTLESS_MS } from './disk/dirty.ts'
import type { Seen } from './disk/text-file.ts'
import type { Gone } from './gone.ts'

/** A file is read once it has not been written to for this time (ms). */
export const SETTLE_MS = 40
/** A file that is gone or empty counts after this time: an editor may be about to write it (ms). */
const ABSENT_MS = 300
const EMPTY_MS = 600
/** The longest wait for a file that is gone while git changes the work tree (ms). */
const GIT_MS = 60_000

/**
 * Returns true and marks the path for later if a program seems to be writing it. `digest`: of the current text; `base`:
 * of the base.
 */
export const isUnsettled = (
  dirty: DirtyPaths,
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
