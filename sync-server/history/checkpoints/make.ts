import { MAX_VERSION } from '../../../protocol/limits.ts'
import { type CheckpointFile, filesNow } from '../../../workspace/files/checkpoint.ts'
import type { VersionLog } from '../../storage/version-log.ts'
import type { Room } from '../../sync/room.ts'
import type { FileHistory } from '../versions/history.ts'
import { readHead } from '../versions/record.ts'

/** Moments that are tried for one whose versions are all kept (count). */
const TRIES = 4

export interface MomentEnv {
  versions: VersionLog
  history: FileHistory
}

/**
 * The files of a room at one moment between two changes, on disk. All of their versions are kept, except of files whose
 * changes were never counted. In a room in which several changes of a file keep coming in one commit, that file has the
 * version of the commit's end.
 */
export const momentOf = async (
  { versions, history }: MomentEnv,
  room: Room,
): Promise<CheckpointFile[]> => {
  for (let tries = 1; ; tries++) {
    const files = await room.command(filesNow)
    await history.settled(room.name)
    const missing = await missingIn(versions, room.name, files)
    if (missing.size === 0) return files
    if (tries < TRIES) continue
    return files.map((file) => ({ ...file, version: missing.get(file) ?? file.version }))
  }
}

/** The files whose version is not kept by itself, each with the next one that is. */
const missingIn = async (
  log: VersionLog,
  workspace: string,
  files: readonly CheckpointFile[],
): Promise<Map<CheckpointFile, number>> => {
  const heads = await log.heads(workspace)
  const missing = new Map<CheckpointFile, number>()
  for (const file of files) {
    const head = heads.get(file.id)
    if (head === undefined || file.sha256 !== undefined) continue
    if (readHead(head).version <= file.version) continue
    const [next] = await log.abouts(workspace, file.id, file.version, MAX_VERSION, 1)
    if (next !== undefined && next.version !== file.version) missing.set(file, next.version)
  }
  return missing
}
