import { readFileSync, rmSync } from 'node:fs'
import { writeLocal } from '../../lib/disk/local-write.ts'
import { badConfig } from './errors.ts'
import { type InstallRecord, sha256 } from './record.ts'
import { hasEntries, type TomlEntries, withEntries, withoutEntries } from './toml-entries.ts'

interface Shared {
  path: string
  entries: TomlEntries
}

/** The text of a host's own file; null: the file does not exist. Throws `host_config` for a file that is not UTF-8. */
const readConfig = (path: string): string | null => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return null
    if (code === 'EISDIR') throw badConfig(path, 'is a folder')
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') throw badConfig(path, 'is not UTF-8 text')
    throw error
  }
}

const writeConfig = (path: string, text: string | null): void => {
  if (text === null) rmSync(path, { force: true })
  else writeLocal(path, text)
}

/** The change that an installation makes in a shared file, all of it or nothing. */
export interface ConfigChange {
  record: NonNullable<InstallRecord['config']>
  isNeeded: boolean
  write: () => void
}

/**
 * Reads and checks the file, and writes nothing yet. `before`: the record of an earlier installation, which knows how
 * the file was without ClawLink. Throws `host_config`, `host_taken`.
 */
export const planConfig = (
  { path, entries }: Shared,
  before: InstallRecord['config'],
): ConfigChange => {
  const now = readConfig(path)
  const isOurs = before !== undefined && before.path === path
  if (isOurs && now !== null && hasEntries(path, now, entries))
    return { record: before, isNeeded: false, write: () => {} }
  const clean = isOurs && now !== null ? withoutEntries(path, now, entries) : now
  const after = withEntries(path, clean ?? '', entries)
  return {
    record: { path, before: clean, after: sha256(after) },
    isNeeded: true,
    write: () => writeConfig(path, after),
  }
}

/**
 * Takes the entries out: the very bytes of before where nobody wrote the file since, else the entries alone. Returns
 * what does it. Throws `host_config`.
 */
export const planConfigRemoval = (
  { path, entries }: Shared,
  recorded: NonNullable<InstallRecord['config']>,
): (() => void) => {
  const now = readConfig(path)
  if (now === null) return () => {}
  if (sha256(now) === recorded.after) return () => writeConfig(path, recorded.before)
  const left = withoutEntries(path, now, entries)
  if (left === now) return () => {}
  return () => writeConfig(path, left.trim() === '' && recorded.before === null ? null : left)
}

/** True if the entries are in the file. */
export const isConfigured = ({ path, entries }: Shared): boolean => {
  const now = readConfig(path)
  return now !== null && hasEntries(path, now, entries)
}
