import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Context } from 'hono'
import { ClawError } from '../../workspace/errors.ts'
import { makeDir } from '../disk.ts'

/** In the data folder, for who may read that only (0600): what commands need to ask the server that is running. */
export const OWNER_FILE = 'owner.json'

export interface Owner {
  token: string
  /** Of the server that uses the folder, or used it last; null: none ever listened. */
  url: string | null
}

/** Null where there is none that can be read. */
export const readOwner = async (data: string): Promise<Owner | null> => {
  try {
    const owner = JSON.parse(await readFile(join(data, OWNER_FILE), 'utf8')) as Partial<Owner>
    if (typeof owner.token !== 'string') return null
    return { token: owner.token, url: typeof owner.url === 'string' ? owner.url : null }
  } catch {
    return null
  }
}

/** The owner's token, made where there is none, with where the server is now. */
export const writeOwner = async (data: string, url: string): Promise<Owner> => {
  await makeDir(data)
  const known = await readOwner(data)
  const owner: Owner = { token: known?.token ?? randomBytes(32).toString('base64url'), url }
  const path = join(data, OWNER_FILE)
  await writeFile(`${path}.new`, `${JSON.stringify(owner)}\n`, { mode: 0o600 })
  await rename(`${path}.new`, path)
  return owner
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Lets a request pass that has the owner's token as its bearer. Throws `not_allowed`. */
export const ownerOnly = (c: Context, owner: Owner | null): void => {
  const token = /^Bearer (\S+)$/.exec(c.req.header('authorization') ?? '')?.[1]
  const isOwner =
    owner !== null && token !== undefined && timingSafeEqual(digest(token), digest(owner.token))
  if (isOwner) return
  throw new ClawError(
    'not_allowed',
    'this is for the owner of the server',
    `its token is in ${OWNER_FILE} in the data folder; clawlink-sync's commands use it by themselves`,
  )
}

/** Where a server that listens there is reached from this machine. */
export const localUrl = (host: string, port: number): string => {
  const address = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${address.includes(':') && !address.startsWith('[') ? `[${address}]` : address}:${port}`
}
