import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { badConfig } from './errors.ts'

/** The record of an installation, in the host's folder of ClawLink. */
export const RECORD = 'install.json'

/** Files of one folder, or one file, as they were written. */
export interface RecordedItem {
  /** Absolute. */
  path: string
  /** SHA-256 by path inside; an empty path stands for a file itself. */
  files: Record<string, string>
}

export interface InstallRecord {
  by: typeof BY
  version: string
  items: RecordedItem[]
  /** Folders that were made for the items, outermost first. */
  made: string[]
  /** The shared file in which entries were made: its text before (null: there was none), and SHA-256 of it after. */
  config?: { path: string; before: string | null; after: string }
}

const BY = 'clawlink-agent hosts'
export const recordOf = (rest: Omit<InstallRecord, 'by'>): InstallRecord => ({ by: BY, ...rest })

const isText = (value: unknown): value is string => typeof value === 'string'
const isPath = (value: unknown): value is string => isText(value) && isAbsolute(value)

const isItem = (value: unknown): value is RecordedItem => {
  const { path, files } = (value ?? {}) as Partial<RecordedItem>
  if (!isPath(path) || typeof files !== 'object' || files === null) return false
  return Object.entries(files).every(
    ([name, hash]) => isText(hash) && !isAbsolute(name) && !name.split(/[\\/]/).includes('..'),
  )
}

const isRecord = (value: unknown): value is InstallRecord => {
  const { by, version, items, made, config } = (value ?? {}) as Partial<InstallRecord>
  if (by !== BY || !isText(version) || !Array.isArray(items) || !Array.isArray(made)) return false
  if (!items.every(isItem) || !made.every(isPath)) return false
  if (config === undefined) return true
  const isBefore = config.before === null || isText(config.before)
  return isPath(config.path) && isBefore && isText(config.after)
}

export const sha256 = (bytes: string | Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex')

/** The record in `dir`; null: there is none. Throws `host_config` for one that is damaged. */
export const readRecord = (dir: string): InstallRecord | null => {
  const path = join(dir, RECORD)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw error
  }
  try {
    const record = JSON.parse(text) as unknown
    if (isRecord(record)) return record
  } catch {
    // It is not JSON.
  }
  throw badConfig(path, 'is damaged')
}
