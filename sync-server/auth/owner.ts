import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { replaceOwn } from '../../lib/disk/own-file.ts'
import { isSecret, runDirsOf, runFileOf } from '../../protocol/roles.ts'
import { newSecret } from './stored/secrets.ts'

/** The content of `DATA/owner.json`. A reader of it owns the server. */
export interface OwnerFile {
  token: string
  /** The URL and process of the server that uses this data; absent: none does. */
  url?: string
  /** … and for other machines. */
  reach?: string
  pid?: number
}

/** In the data folder, mode 0600. */
export const OWNER_FILE = 'owner.json'

const pathIn = (data: string): string => join(data, OWNER_FILE)

/** null: there is none. */
export const readOwner = (data: string): OwnerFile | null => {
  try {
    const file = JSON.parse(readFileSync(pathIn(data), 'utf8')) as Partial<OwnerFile>
    return isSecret('owner', file.token ?? '') ? (file as OwnerFile) : null
  } catch {
    return null
  }
}

export const saveOwner = (data: string, owner: OwnerFile): Promise<void> =>
  replaceOwn(pathIn(data), owner)

/** Reads the owner's file, or makes it. */
export const ownerOf = async (data: string): Promise<OwnerFile> => {
  const known = readOwner(data)
  if (known !== null) return known
  const owner = { token: newSecret('owner') }
  await saveOwner(data, owner)
  return owner
}

/** The user's folders for running servers, only those that no other user can write to. */
const ownRunDirs = (): string[] => {
  const uid = process.getuid?.() ?? -1
  return runDirsOf(process.env, tmpdir(), uid).filter((dir) => {
    try {
      mkdirSync(dir, { recursive: true, mode: 0o700 })
      const { uid: owner, mode } = statSync(dir)
      // On Windows a user's folder for temporary files is that user's alone.
      return process.platform === 'win32' || (owner === uid && (mode & 0o077) === 0)
    } catch {
      return false
    }
  })
}

/** Writes an invite for this user's programs. Resolves to a function that removes it. */
export const inviteSameUser = async (port: number, invite: string): Promise<() => void> => {
  const paths: string[] = []
  for (const dir of ownRunDirs()) {
    const path = runFileOf(dir, port)
    await replaceOwn(path, { token: invite, pid: process.pid, proves: true })
    paths.push(path)
  }
  return () => {
    for (const path of paths) {
      try {
        const { pid } = JSON.parse(readFileSync(path, 'utf8')) as { pid?: number }
        if (pid === process.pid) rmSync(path)
      } catch {
        // It is gone.
      }
    }
  }
}
