import { shellFlag } from '../../../lib/text/quote.ts'
import { parseIso, parseSpan } from '../../../lib/text/when.ts'
import { ClawError } from '../../../protocol/errors.ts'
import { MAX_VERSION } from '../../../protocol/limits.ts'
import { isoTime } from '../../../workspace/document/schema.ts'
import type { VersionLog } from '../../storage/version-log.ts'
import type { FileOfVersions } from './read.ts'
import { readAbout } from './record.ts'

/** Versions read at once. */
const CHUNK = 128

/** Milliseconds since the epoch of an ISO time or an age such as 2h. Throws `usage`. */
export const parsePast = (typed: string, now: number): number => {
  const age = parseSpan(typed)
  const at = age === null ? parseIso(typed) : now - age
  if (!Number.isNaN(at)) return at
  throw new ClawError(
    'usage',
    `"${typed.slice(0, 80)}" is not a time I understand`,
    'for example 2h, 30m, 7d or 2026-01-31T12:00:00Z',
  )
}

/**
 * The newest version of a file that the server had at a time, by its clock. Throws `unknown_version`, which tells a file
 * that had no version then from one whose version is not kept any more.
 */
export const versionAt = async (
  log: VersionLog,
  workspace: string,
  { id, asked }: FileOfVersions,
  at: number,
): Promise<number> => {
  let oldest: { version: number; at: number; previous: number } | null = null
  for (let from = MAX_VERSION; from >= 1; ) {
    const found = await log.abouts(workspace, id, from, 1, CHUNK)
    for (const { version, about } of found) {
      const { at: since, previous } = readAbout(about)
      if (since <= at) return version
      oldest = { version, at: since, previous }
    }
    if (found.length < CHUNK) break
    from = found.at(-1)!.version - 1
  }
  throw noneAt(asked, at, oldest)
}

const noneAt = (
  key: string,
  at: number,
  oldest: { version: number; at: number; previous: number } | null,
): ClawError => {
  const list = `file-log ${shellFlag('key', key)} shows the kept versions`
  if (oldest === null) {
    return new ClawError(
      'unknown_version',
      `no version of ${key} is kept`,
      'versions are kept of changes from now on',
    )
  }
  const first = `version ${oldest.version} of ${isoTime(oldest.at)}`
  return oldest.previous === 0
    ? new ClawError(
        'unknown_version',
        `${key} had no version at ${isoTime(at)}: its first is ${first}`,
        list,
      )
    : new ClawError(
        'unknown_version',
        `what ${key} was at ${isoTime(at)} is not kept any more: the oldest kept is ${first}`,
        list,
      )
}
