import { type TextDelta, textDelta } from '../../../lib/merge/text-delta.ts'
import type { FileId } from '../../../protocol/ids.ts'
import { MAX_VERSION } from '../../../protocol/limits.ts'
import type { FileContentState } from '../../../workspace/files/file-state.ts'
import {
  MAX_KEPT_VERSION_BYTES,
  MAX_KEPT_VERSIONS,
  MAX_VERSION_STEPS,
} from '../../config/limits.ts'
import type { NewVersions, StoredVersion, VersionLog } from '../../storage/version-log.ts'
import type { TextCache } from './cache.ts'
import { readContent } from './read.ts'
import { encodeJson, type Head, readAbout, readHead, recordOf } from './record.ts'

/** A file's state, and when the server had it on disk (milliseconds since the epoch). */
export interface Taken {
  state: FileContentState
  at: number
}

export type DeltaOf = (from: string, to: string) => Promise<TextDelta>

/**
 * Stores states, oldest first, as the newest versions of their files, all or none. Skips a state that is not newer
 * than the stored one. Older versions stay readable unless retention drops them.
 */
export const writeVersions = async (
  log: VersionLog,
  workspace: string,
  taken: readonly Taken[],
  cache: TextCache,
  deltaOf: DeltaOf = async (from, to) => textDelta(from, to),
): Promise<void> => {
  const byFile = new Map<FileId, Taken[]>()
  for (const one of taken) {
    const { fileId } = one.state
    byFile.set(fileId, [...(byFile.get(fileId) ?? []), one])
  }
  const changes: NewVersions[] = []
  const newest: FileContentState[] = []
  for (const [id, states] of byFile) {
    const change = await newVersions(log, workspace, id, states, cache, deltaOf)
    if (change === null) continue
    changes.push(change.versions)
    newest.push(change.newest)
  }
  if (changes.length > 0) await log.keep(workspace, changes)
  for (const { fileId, version, content } of newest) {
    cache.set(cacheKey(workspace, fileId), version, content)
  }
}

const newVersions = async (
  log: VersionLog,
  workspace: string,
  id: FileId,
  states: readonly Taken[],
  cache: TextCache,
  deltaOf: DeltaOf,
): Promise<{ versions: NewVersions; newest: FileContentState } | null> => {
  const known = await log.head(workspace, id)
  let head = known === null ? null : readHead(known)
  const versions: StoredVersion[] = []
  let newest: FileContentState | null = null
  for (const { state, at } of states) {
    const { version } = state
    if (!Number.isSafeInteger(version) || version < 1 || version > MAX_VERSION) continue
    if (head !== null && version <= head.version) continue
    const before = newest?.content ?? (head && (await newestText(log, workspace, id, head, cache)))
    const {
      about,
      content,
      head: next,
    } = recordOf(
      ...([state, at, head, before] as const),
      await deltaOf(before ?? '', state.content),
    )
    versions.push({ version, about: encodeJson(about), content })
    newest = state
    head = next
  }
  if (newest === null || head === null) return null
  const kept = await retained(log, workspace, id, head)
  const change = { of: id, versions, head: encodeJson(kept.head), drop: kept.drop }
  return { versions: change, newest }
}

const cacheKey = (workspace: string, id: string): string => `${workspace}:${id}`

const newestText = async (
  log: VersionLog,
  workspace: string,
  id: string,
  { base, version }: Head,
  cache: TextCache,
): Promise<string | null> => {
  const known = cache.get(cacheKey(workspace, id), version)
  if (known !== null) return known
  // If the content cannot be read, the next version is stored whole.
  return readContent(log, workspace, id, base, version).catch(() => null)
}

/** The versions to drop to keep the limits: whole ones with all deltas built on them, except the newest such group. */
const retained = async (
  log: VersionLog,
  workspace: string,
  id: string,
  head: Head,
): Promise<{ drop: number[]; head: Head }> => {
  const drop: number[] = []
  let { count, bytes } = head
  const isOver = () => count > MAX_KEPT_VERSIONS || bytes > MAX_KEPT_VERSION_BYTES
  if (!isOver()) return { drop, head }
  // One more than a group has at most, so that the page holds one whole group.
  const page = MAX_VERSION_STEPS + 2
  const found = await log.abouts(workspace, id, 0, head.base - 1, page)
  const oldest = found.map(({ version, about }) => ({ version, about: readAbout(about) }))
  const cut = found.length === page ? oldest.at(-1)!.about.base : head.base
  for (const { version, about } of oldest) {
    if (about.base === cut || (about.base === version && !isOver())) break
    drop.push(version)
    count--
    bytes -= about.bytes
  }
  return { drop, head: { ...head, count, bytes } }
}
