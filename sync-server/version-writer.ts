import type { FileState } from '../workspace/file-state.ts'
import { MAX_KEPT_VERSION_BYTES, MAX_KEPT_VERSIONS, MAX_VERSION_STEPS } from './limits.ts'
import type { TextCache } from './text-cache.ts'
import { MAX_VERSION, type NewVersion, type VersionLog } from './version-log.ts'
import { encodeJson, type Head, readAbout, readHead, recordOf } from './version-record.ts'
import { readContent } from './versions.ts'

/** A file's state, and when the server had it on disk (milliseconds since the epoch). */
export interface Taken {
  state: FileState
  at: number
}

/**
 * Stores the states, each of another file, as its file's newest version, all or nothing. A state that is no newer than
 * what is stored is passed over. What was stored before stays readable, but for what retention drops.
 */
export const writeVersions = async (
  log: VersionLog,
  workspace: string,
  taken: readonly Taken[],
  cache: TextCache,
): Promise<void> => {
  const versions: NewVersion[] = []
  const texts: FileState[] = []
  for (const { state, at } of taken) {
    const { fileId, version } = state
    if (!Number.isSafeInteger(version) || version < 1 || version > MAX_VERSION) continue
    const known = await log.head(workspace, fileId)
    const last = known === null ? null : readHead(known)
    if (last !== null && version <= last.version) continue
    const before = last === null ? null : await newestText(log, workspace, fileId, last, cache)
    const record = recordOf(state, at, last, before)
    const { drop, head } = await retained(log, workspace, fileId, record.head)
    const { content } = record
    const about = encodeJson(record.about)
    versions.push({ of: fileId, version, about, content, head: encodeJson(head), drop })
    texts.push(state)
  }
  if (versions.length > 0) await log.keep(workspace, versions)
  for (const { fileId, version, content } of texts) {
    cache.set(cacheKey(workspace, fileId), version, content)
  }
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
  // A content that cannot be read costs a whole record, and no more.
  return readContent(log, workspace, id, base, version).catch(() => null)
}

/** Which versions go, so that the limits hold: whole ones with all that are built on them, never the newest of those. */
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
  // One more than hang together, so that one such group is seen to its end.
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
