import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeLocal } from '../../lib/disk/local-write.ts'

/** A workspace that the next link opens again. */
export interface Remembered {
  /** Folder of the profile. */
  profile: string
  server: string
  workspace: string
}

const fileOf = (home: string): string => join(home, 'link-places.json')

/** The workspaces that the last link of this home had open; empty after `down`. */
export const readRemembered = (home: string): Remembered[] => {
  try {
    return JSON.parse(readFileSync(fileOf(home), 'utf8')) as Remembered[]
  } catch {
    return [] // the first link of this home, or the last one stopped for good
  }
}

export const writeRemembered = (home: string, workspaces: readonly Remembered[]): void =>
  writeLocal(fileOf(home), `${JSON.stringify(workspaces)}\n`, 0o600)

export const forgetRemembered = (home: string): void => rmSync(fileOf(home), { force: true })
