import type * as Y from 'yjs'
import { shellFlag } from '../../../lib/text/quote.ts'
import { ClawError } from '../../../protocol/errors.ts'
import type { FileId, FileKey } from '../../../protocol/ids.ts'
import { MAX_VERSION } from '../../../protocol/limits.ts'
import { isoTime } from '../../../workspace/document/schema.ts'
import { readFileEntry } from '../../../workspace/document/shape.ts'
import type { FileVersion } from '../../../workspace/files/file-state.ts'
import { getFile, keysByFileId } from '../../../workspace/files/tree.ts'
import type { VersionLog } from '../../storage/version-log.ts'
import { type About, readAbout, textOfContents } from './record.ts'

/** A file that has versions; it may have been removed or renamed since. */
export interface FileOfVersions {
  id: FileId
  /** Its path now; null: it is removed. */
  file_key: FileKey | null
  /** The key as the caller typed it. */
  asked: string
}

/** The file that is at `typed`, or was there last. Throws `unknown_file`. */
export const findFile = (doc: Y.Doc, typed: string): FileOfVersions => {
  const asked = typed.normalize('NFC')
  const entry = readFileEntry(doc, asked)
  const id = (entry ?? getFile(doc, asked).entry).fileId
  return { id, file_key: keysByFileId(doc).get(id) ?? null, asked }
}

/** Versions below `before`, newest first, at most `limit`; `more`: there are older ones. */
export const listVersions = async (
  log: VersionLog,
  workspace: string,
  file: FileOfVersions,
  before: number,
  limit: number,
): Promise<{ versions: FileVersion[]; more: boolean }> => {
  if (before <= 1) return { versions: [], more: false }
  const found = await log.abouts(workspace, file.id, before - 1, 0, limit + 1)
  const versions = found
    .slice(0, limit)
    .map(({ version, about }) => versionInfo(version, readAbout(about), file))
  return { versions, more: found.length > limit }
}

/** One kept version with its content. Throws `unknown_version`. */
export const readVersion = async (
  log: VersionLog,
  workspace: string,
  file: FileOfVersions,
  version: number,
): Promise<FileVersion & { content: string }> => {
  const find = async () => (await log.abouts(workspace, file.id, version, version, 1))[0]
  const found = await find()
  if (found === undefined) throw await unknownVersion(log, workspace, file, version)
  const about = readAbout(found.about)
  try {
    const content = await readContent(log, workspace, file.id, about.base, version)
    return { ...versionInfo(version, about, file), content }
  } catch (error) {
    // It was dropped in between, or it is broken.
    throw (await find()) === undefined ? await unknownVersion(log, workspace, file, version) : error
  }
}

/** The content of `version`, which is built on that of `base`. Throws if that is not stored. */
export const readContent = async (
  log: VersionLog,
  workspace: string,
  id: string,
  base: number,
  version: number,
): Promise<string> => textOfContents(await log.contents(workspace, id, base, version))

const versionInfo = (
  version: number,
  about: About,
  { file_key, asked }: FileOfVersions,
): FileVersion => {
  const { previous, editors, at, path, size, change } = about
  return {
    file_key: path ?? file_key ?? asked,
    version,
    last_editor: editors[0] ?? null,
    updated_at: isoTime(at),
    size,
    editors,
    change_sets: version - previous,
    added_lines: change.addedLines,
    removed_lines: change.removedLines,
    added_bytes: change.addedBytes,
    removed_bytes: change.removedBytes,
  }
}

const unknownVersion = async (
  log: VersionLog,
  workspace: string,
  { id, asked: shown }: FileOfVersions,
  version: number,
): Promise<ClawError> => {
  const end = MAX_VERSION
  const [[first], [last], [next]] = await Promise.all([
    log.abouts(workspace, id, 0, end, 1),
    log.abouts(workspace, id, end, 0, 1),
    log.abouts(workspace, id, version, end, 1),
  ])
  if (first === undefined || last === undefined) {
    return new ClawError(
      'unknown_version',
      `no version of ${shown} is kept`,
      'versions are kept of changes from now on',
    )
  }
  const range = `versions ${first.version} to ${last.version} are kept`
  if (next !== undefined && version > first.version) {
    return new ClawError(
      'unknown_version',
      `version ${version} of ${shown} is not kept by itself: it came together with ${next.version}; ${range}`,
      `ask for ${next.version}, or see file-log ${shellFlag('key', shown)}`,
    )
  }
  return new ClawError(
    'unknown_version',
    `version ${version} of ${shown} is not kept; ${range}`,
    `file-log ${shellFlag('key', shown)} shows them`,
  )
}
