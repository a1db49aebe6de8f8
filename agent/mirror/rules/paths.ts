import { randomHex } from '../../../lib/random.ts'
import { ClawError } from '../../../protocol/errors.ts'
import { checkFileKey } from '../../../workspace/document/path.ts'

/** One part of a path, in bytes: what ext4, APFS and NTFS have room for. */
const MAX_PART_BYTES = 255

/** Characters that some file systems do not see in a name. */
export const UNSEEN = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g

/** A prefix of shared paths: nothing, or parts that each end in a slash. Throws `bad_path`. */
export const checkPrefix = (text: string): string => {
  const parts = text.replace(/\/+$/, '')
  return parts === '' ? '' : `${checkFileKey(parts)}/`
}

/** The path below the mirror's folder for a shared path; null: it is not below the prefix. */
export const relOf = (prefix: string, key: string): string | null =>
  key.startsWith(prefix) && key !== prefix ? key.slice(prefix.length) : null

/**
 * The cause why a path of the document is not valid on this disk; null if it is. Never throws,
 * never reads the disk.
 */
export const problemOf = (rel: string): string | null => {
  try {
    if (checkFileKey(rel) !== rel) return 'its name is not in Unicode form NFC'
  } catch (error) {
    return ClawError.from(error).message
  }
  for (const part of rel.split('/')) {
    if (Buffer.byteLength(part) > MAX_PART_BYTES) return 'a part of its path is too long here'
    if (process.platform === 'win32' && isBadOnWindows(part)) return 'Windows has no such name'
  }
  return null
}

const isBadOnWindows = (part: string): boolean =>
  /[<>:"|?*]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(part)

/** True if a part of the path is `.git`, by any name that a file system treats as equal. */
export const isGit = (rel: string): boolean =>
  rel.split('/').some((part) => /^(\.git|git~1)$/i.test(part.replace(UNSEEN, '')))

/** The folder that a path is in; '' is the mirror's own. */
export const folderOf = (rel: string): string => rel.slice(0, Math.max(0, rel.lastIndexOf('/')))

export const lastPart = (rel: string): string => rel.slice(rel.lastIndexOf('/') + 1)

/** The folders above a path, the outermost first, without the mirror's own. */
export const foldersOf = (rel: string): string[] => {
  const parts = rel.split('/')
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('/'))
}

/** The temporary file that replaces a file. */
export const tempName = (): string => `.clawlink-${randomHex(6)}.tmp`

export const isTemp = (rel: string): boolean => /(^|\/)\.clawlink-[0-9a-f]{12}\.tmp$/.test(rel)

/** The name of a path on a disk that ignores case. */
export const folded = (rel: string): string => rel.normalize('NFC').toLowerCase()

/**
 * A disk that ignores case can hold only one of several paths that differ in case. Returns the
 * others, each with the path on disk: one that `isThere`, else the first in order.
 */
export const shadowed = (
  rels: Iterable<string>,
  isThere: (rel: string) => boolean,
): Map<string, string> => {
  const winners = new Map<string, string>()
  const all = [...new Set(rels)].sort()
  for (const rel of all) {
    const known = winners.get(folded(rel))
    if (known === undefined || (!isThere(known) && isThere(rel))) winners.set(folded(rel), rel)
  }
  const others = all.filter((rel) => winners.get(folded(rel)) !== rel)
  return new Map(others.map((rel) => [rel, winners.get(folded(rel))!]))
}
