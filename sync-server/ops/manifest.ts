import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { ClawError } from '../../protocol/errors.ts'
import { isBlobName } from '../../protocol/ids.ts'
import { isWorkspaceName } from '../../workspace/document/schema.ts'
import { FORMAT } from '../storage/integrity/format.ts'

export const MANIFEST_FILE = 'manifest.json'
export const RECORDS_FILE = 'records'

/** Version of what a backup consists of. */
const BACKUP_FORMAT = 1

const count = z.number().int().min(0)
const sha256 = z.string().refine(isBlobName, 'not a SHA-256')

const Manifest = z.object({
  clawlinkBackup: count,
  /** Of clawlink-sync. */
  version: z.string(),
  /** Of the database: store/format.ts. */
  format: count,
  /** When it was begun, ISO. */
  at: z.string(),
  workspaces: z.array(z.string()),
  records: z.object({ records: count, bytes: count, sha256 }),
  blobs: z.array(
    z.object({
      workspace: z.string().refine(isWorkspaceName, 'not a workspace name'),
      sha256,
      size: count,
    }),
  ),
  /** Other files of the data folder. */
  files: z.array(
    z.object({ name: z.string().regex(/^[\w-][\w.-]*$/), sha256, mode: count.max(0o777) }),
  ),
})

export type Manifest = z.infer<typeof Manifest>

export const newManifest = (known: Omit<Manifest, 'clawlinkBackup' | 'format'>): Manifest => ({
  clawlinkBackup: BACKUP_FORMAT,
  format: FORMAT,
  ...known,
})

/** The manifest of a backup, which is written last. Throws `bad_backup`, `data_newer`. */
export const readManifest = async (backup: string): Promise<Manifest> => {
  const bad = (what: string, hint: string) => new ClawError('bad_backup', what, hint)
  let text: string
  try {
    text = await readFile(join(backup, MANIFEST_FILE), 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw bad(
      `${backup} is not a finished backup: ${MANIFEST_FILE} cannot be read (${code})`,
      'give a folder that "clawlink-sync backup" made',
    )
  }
  try {
    const manifest = Manifest.parse(JSON.parse(text))
    if (manifest.clawlinkBackup <= BACKUP_FORMAT && manifest.format <= FORMAT) return manifest
    throw new ClawError(
      'data_newer',
      `${backup} was made by a newer version, ${manifest.version}`,
      'restore it with that version',
    )
  } catch (error) {
    if (error instanceof ClawError) throw error
    throw bad(`${join(backup, MANIFEST_FILE)} is damaged`, 'take another backup')
  }
}

/** A backup in numbers, for the operator. */
export const summaryOf = ({ at, version, workspaces, records, blobs }: Manifest) => ({
  at,
  version,
  workspaces: workspaces.length,
  records: records.records,
  bytes: records.bytes,
  blobs: blobs.length,
  blob_bytes: blobs.reduce((sum, { size }) => sum + size, 0),
})

export type BackupSummary = ReturnType<typeof summaryOf>
