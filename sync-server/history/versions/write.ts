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

/** The versions of a file that checkpoints name. */
export type PinnedOf = (workspace: string, file: string) => Promise<ReadonlySet<number>>

/** The ways in which states become versions. */
export interface Writing {
  delta: DeltaOf
  pinned: PinnedOf
  /** True once nothing may be stored any more; absent: never. */
  hasEnded?: () => boolean
}

const PLAIN: Writing = {
  delta: async (from, to) => textDelta(from, to),
  pinned: async () => new Set(),
}

/**
 * Stores states, oldest first, as the newest versions of their files, all or none. Skips a state that is not newer
 * than the stored one. Older versions stay readable unless retention drops them. Rejects with Unavailable if the log was read
 * anew meanwhile.
 */
export const writeVersions = async (
  log: VersionLog,
  workspace: string,
  taken: readonly Taken[],
  cache: TextCache,
  writing: Writing = PLAIN,
): Promise<void> => {
  const byFile = new Map<FileId, Taken[]>()
  for (const one of taken) {
    const { fileId } = one.state
    byFile.set(fileId, [...(byFile.get(fileId) ?? []), one])
  }
  const { era } = log
  const changes: NewVersions[] = []
  const newest: FileContentState[] = []
  for (const [id, states] of byFile) {
    const change = await newVersions(log, workspace, id, states, cache, writing)
    if (change === null) continue
    changes.push(change.versions)
    newest.push(change.newest)
  }
  if (writing.hasEnded?.()) return
  if (changes.length > 0) await log.keep(workspace, changes, era)
  if (writing.hasEnded?.()) return
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
  writing: Writing,
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
      await writing.delta(before ?? '', state.content),
    )
    versions.push({ version, about: encodeJson(about), content })
    newest = state
    head = next
  }
  if (newest === null || head === null) return null
  const kept = await retained(log, workspace, id, head, writing.pinned)
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

/** Whole versions with all deltas built on them: they are kept or dropped together. */
interface Group {
  versions: number[]
  bytes: number
}

const isOver = ({ count, bytes }: { count: number; bytes: number }): boolean =>
  count > MAX_KEPT_VERSIONS || bytes > MAX_KEPT_VERSION_BYTES

/**
 * The versions to drop to keep the limits, in groups; never the newest group. A group with a version that a checkpoint names
 * is spared: it counts in limits of its own, which are as large, and goes only beyond these.
 */
const retained = async (
  log: VersionLog,
  workspace: string,
  id: string,
  head: Head,
  pinnedOf: PinnedOf,
): Promise<{ drop: number[]; head: Head }> => {
  const before = head.spared ?? { count: 0, bytes: 0 }
  const rest = { count: head.count - before.count, bytes: head.bytes - before.bytes }
  if (!isOver(rest)) return { drop: [], head }
  const pinned = await pinnedOf(workspace, id)
  const groups = await oldGroups(log, workspace, id, head, pinned.size + before.count > 0)
  const left = { count: head.count, bytes: head.bytes }
  const spared: Group[] = []
  const room = { count: 0, bytes: 0 }
  const drop: number[] = []
  const dropGroup = ({ versions, bytes }: Group): void => {
    for (const version of versions) drop.push(version)
    left.count -= versions.length
    left.bytes -= bytes
  }
  for (const group of groups) {
    if (!isOver({ count: left.count - room.count, bytes: left.bytes - room.bytes })) break
    if (group.versions.some((version) => pinned.has(version))) {
      spared.push(group)
      room.count += group.versions.length
      room.bytes += group.bytes
    } else dropGroup(group)
  }
  while (isOver(room)) {
    const oldest = spared.shift()!
    room.count -= oldest.versions.length
    room.bytes -= oldest.bytes
    dropGroup(oldest)
  }
  const { spared: _, ...kept } = head
  return { drop, head: { ...kept, ...left, ...(room.count > 0 && { spared: room }) } }
}

/** The groups before the newest, oldest first: the oldest one at least, or `all` that there are. */
const oldGroups = async (
  log: VersionLog,
  workspace: string,
  id: string,
  head: Head,
  all: boolean,
): Promise<Group[]> => {
  // One more than a group has at most, so that the page holds one whole group.
  const page = all ? head.count : MAX_VERSION_STEPS + 2
  const found = await log.abouts(workspace, id, 0, head.base - 1, page)
  const groups: (Group & { base: number })[] = []
  for (const { version, about } of found) {
    const { base, bytes } = readAbout(about)
    const last = groups.at(-1)
    if (last?.base === base) {
      last.versions.push(version)
      last.bytes += bytes
    } else groups.push({ base, versions: [version], bytes })
  }
  // The last one of a full page may go on after it.
  if (!all && found.length === page) groups.pop()
  return groups
}
