import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { writeAtomic } from '../../../lib/disk/atomic-write.ts'
import type { Limits } from '../../config/quotas.ts'

/** The newest backup, as the data folder remembers it. */
export const LAST_BACKUP_FILE = 'last-backup.json'

/** A limit counts as near from this part of it on. */
const NEAR = 0.8

export interface LastBackup {
  /** ISO time. */
  at: string
  dir: string
  bytes: number
}

export interface WorkspaceStatus {
  workspace: string
  /** The host's name for it; the same as `workspace` unless it was renamed. */
  called: string
  /** Agents that are here now; null: the server is stopped, or another node has the workspace. */
  online: { agent_id: string; name: string }[] | null
  connections: number
  /** Agents that joined and were not revoked (count). */
  agents: number
  /** Tasks that have not ended (count); null: the workspace is not in memory. */
  open_tasks: number | null
  /** Bytes of its records, about; null: the store cannot tell. */
  disk_bytes: number | null
  blob_bytes: number
}

export interface NearLimit {
  limit: string
  is: number
  most: number
}

/** The state of a server, for its host. */
export interface ServerStatus {
  running: boolean
  version: string
  url: string | null
  pid: number | null
  /** Seconds since its start; null: it is stopped. */
  uptime_seconds: number | null
  /** As `/health` says it; `stopped`. */
  status: string
  reason?: string
  connections: number
  /** Bytes that wait for peers: unread answers, unfinished messages. */
  held_bytes: number
  workspaces: WorkspaceStatus[]
  removed: { workspace: string; at: string }[]
  disk: { data_bytes: number; free_bytes: number | null }
  last_backup: LastBackup | null
  limits_near: NearLimit[]
}

/** The limits of which at least 80 % are used; those nearest first. */
export const nearLimits = (
  used: Partial<Record<keyof Limits, number>>,
  limits: Limits,
): NearLimit[] =>
  Object.entries(used)
    .map(([limit, is]) => ({ limit, is, most: limits[limit as keyof Limits] }))
    .filter(({ is, most }) => is >= NEAR * most)
    .sort((one, two) => two.is / two.most - one.is / one.most)

/** Bytes of the files in a folder, without those of its folders. */
export const filesSize = async (dir: string): Promise<number> => {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => [])
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map(({ name }) =>
      stat(join(dir, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    )
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

/** Remembers a finished backup in the data folder, except one that is within it. */
export const noteBackup = async (
  data: string,
  dir: string,
  { at, bytes, blob_bytes }: { at: string; bytes: number; blob_bytes: number },
): Promise<void> => {
  // `verify` and `export` make one in a folder of their own there, which goes again.
  if (!relative(data, dir).startsWith('..')) return
  const note: LastBackup = { at, dir, bytes: bytes + blob_bytes }
  await writeAtomic(join(data, LAST_BACKUP_FILE), `${JSON.stringify(note)}\n`, { mode: 0o600 })
}

/** null: none is known. */
export const readLastBackup = async (data: string): Promise<LastBackup | null> => {
  try {
    const read = JSON.parse(await readFile(join(data, LAST_BACKUP_FILE), 'utf8')) as LastBackup
    return Number.isNaN(Date.parse(read.at)) ? null : read
  } catch {
    return null // there is none, or it is damaged; the backups themselves are where they were put
  }
}
