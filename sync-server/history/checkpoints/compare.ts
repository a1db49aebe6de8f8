import { byteLength } from '../../../lib/text/bytes.ts'
import { shellFlag } from '../../../lib/text/quote.ts'
import { ClawError } from '../../../protocol/errors.ts'
import type { FileKey } from '../../../protocol/ids.ts'
import { textOf } from '../../../workspace/document/schema.ts'
import {
  type CheckpointFile,
  type FileChange,
  type FileChangeKind,
  pathOf,
} from '../../../workspace/files/checkpoint.ts'
import { versionOf } from '../../../workspace/files/edit-counts.ts'
import { COMPARE_MS, MAX_DIFFS_BYTES } from '../../config/limits.ts'
import type { VersionLog } from '../../storage/version-log.ts'
import type { Room } from '../../sync/room.ts'
import { readVersion } from '../versions/read.ts'

/** A changed file as every face shows it. */
export interface FileDiff {
  /** The path after the change, or the last one of a removed file. */
  file_key: FileKey
  change: FileChangeKind
  /** The path before, where it was another. */
  was?: FileKey
  /** Null: the file was not there. */
  from_version: number | null
  to_version: number | null
  added_lines?: number
  removed_lines?: number
  /** In the unified format; null: `why` says why there is none. */
  diff: string | null
  why?: string
}

export interface CompareEnv {
  versions: VersionLog
  /** The unified diff of two texts with these names. */
  unified: (texts: [from: string, to: string, before: string, after: string]) => Promise<string>
}

export const notText = (path: string, sha256: string): ClawError =>
  new ClawError(
    'not_text',
    `${path} was not text at that checkpoint`,
    `its bytes: file-get ${shellFlag('key', path)} --sha256 ${sha256.slice(0, 12)} --output PATH`,
  )

/** The text of a file of a checkpoint. Throws `unknown_version` where it is not kept, `not_text`. */
export const textOfFile = async (
  log: VersionLog,
  workspace: string,
  { id, path, version, sha256 }: CheckpointFile,
): Promise<string> => {
  if (sha256 !== undefined) throw notText(path, sha256)
  const file = { id, file_key: path, asked: path }
  return (await readVersion(log, workspace, file, version)).content
}

/**
 * The diffs of changes; a change whose two texts are equal is left out. After MAX_DIFFS_BYTES or COMPARE_MS the rest is
 * listed without a diff, and `more` is true. `isNow`: the later side is the document as it is.
 */
export const compare = async (
  env: CompareEnv,
  room: Room,
  changes: readonly FileChange[],
  isNow: boolean,
): Promise<{ files: FileDiff[]; more: boolean }> => {
  const until = performance.now() + COMPARE_MS
  const files: FileDiff[] = []
  let bytes = 0
  let more = false
  for (const change of changes) {
    more ||= bytes >= MAX_DIFFS_BYTES || performance.now() >= until
    const one = more ? listed(change, 'the answer is full') : await diffOf(env, room, change, isNow)
    if (one === null) continue
    bytes += one.diff === null ? 0 : byteLength(one.diff)
    if (one.diff !== null && byteLength(one.diff) > MAX_DIFFS_BYTES) {
      files.push({ ...one, diff: null, why: 'the diff is too long' })
    } else files.push(one)
  }
  return { files, more }
}

const listed = (change: FileChange, why: string): FileDiff => ({
  ...headOf(change),
  diff: null,
  why,
})

const headOf = (change: FileChange): Omit<FileDiff, 'diff'> => {
  const { from, to } = change
  return {
    file_key: pathOf(change),
    change: change.change,
    ...(from !== null && to !== null && from.path !== to.path && { was: from.path }),
    from_version: from?.version ?? null,
    to_version: to?.version ?? null,
  }
}

/** Null: nothing differs that a reader could see. */
const diffOf = async (
  { versions, unified }: CompareEnv,
  room: Room,
  change: FileChange,
  isNow: boolean,
): Promise<FileDiff | null> => {
  const { from, to } = change
  if (from?.sha256 !== undefined || to?.sha256 !== undefined) {
    if (from?.sha256 !== to?.sha256) return listed(change, 'it is not text')
    return from?.path === to?.path ? null : { ...headOf(change), change: 'moved', diff: '' }
  }
  try {
    const textAt = (file: CheckpointFile | null): Promise<string> =>
      file === null ? Promise.resolve('') : textOfFile(versions, room.name, file)
    const now = isNow && to !== null ? await presentOf(room, to) : null
    const before = await textAt(from)
    const after = now === null ? await textAt(to) : now.text
    if (before === after && from !== null && to !== null) {
      return from.path === to.path ? null : { ...headOf(change), change: 'moved', diff: '' }
    }
    const head = { ...headOf(change), ...(now !== null && { to_version: now.version }) }
    const names = [nameOf(from, null), nameOf(to, now?.version ?? null)] as const
    const diff = await unified([before, after, ...names])
    return { ...head, ...countLines(diff), diff }
  } catch (error) {
    if (!(error instanceof ClawError)) throw error
    return listed(change, error.message)
  }
}

const presentOf = (
  room: Room,
  { id }: CheckpointFile,
): Promise<{ text: string; version: number }> =>
  room.command((doc) => ({ text: textOf(doc, id).toJSON(), version: versionOf(doc, id) }))

const nameOf = (file: CheckpointFile | null, now: number | null): string =>
  file === null ? '/dev/null' : `${file.path} version ${now ?? file.version}`

const countLines = (diff: string): { added_lines: number; removed_lines: number } => {
  let [added, removed] = [0, 0]
  // After the two lines of the head.
  for (const line of diff.split('\n').slice(2)) {
    if (line.startsWith('+')) added++
    else if (line.startsWith('-')) removed++
  }
  return { added_lines: added, removed_lines: removed }
}
