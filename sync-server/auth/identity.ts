import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
} from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { replaceOwn } from '../../lib/disk/own-file.ts'
import { ClawError } from '../../protocol/errors.ts'
import { type ServerProof, serverIdOf, serverText } from '../../protocol/roles.ts'

/** In the data folder (mode 0600) and in backups: a restored server keeps its identity. */
const KEY_FILE = 'server-key.json'

/** Signs a client's nonce with the server's key. */
export type Identity = (nonce: string) => ServerProof

/** Reads the server's Ed25519 key, or makes one. Throws `data_unusable` for a damaged file. */
export const identityIn = async (data: string): Promise<Identity> =>
  identityOf(await serverKeyIn(data))

/** The key as PEM; made unless it exists. Throws `data_unusable` for a damaged file. */
export const serverKeyIn = async (data: string): Promise<string> => {
  const path = join(data, KEY_FILE)
  return readKey(path) ?? (await makeKey(path))
}

/** Keeps the key that all nodes of a cluster share. Throws `data_unusable` if the folder is another server's. */
export const keepServerKey = async (data: string, key: string): Promise<void> => {
  const path = join(data, KEY_FILE)
  const known = readKey(path)
  if (known === key) return
  if (known === null) return replaceOwn(path, { key })
  throw new ClawError(
    'data_unusable',
    `${path} is not the key of this cluster: the folder belongs to another server`,
    'give the node a data folder of its own with --data',
  )
}

export const identityOf = (pem: string): Identity => {
  const secret = createPrivateKey(pem)
  const key = createPublicKey(secret).export({ type: 'spki', format: 'der' })
  const id = serverIdOf(createHash('sha256').update(key).digest('hex'))
  return (nonce) => {
    const signature = sign(null, Buffer.from(serverText(nonce)), secret).toString('base64url')
    return { id, key: key.toString('base64url'), signature }
  }
}

const readKey = (path: string): string | null => {
  try {
    const { key } = JSON.parse(readFileSync(path, 'utf8')) as { key: string }
    createPrivateKey(key)
    return key
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new ClawError(
      'data_unusable',
      `${path} holds no key: ${(cause as Error).message}`,
      'restore it from a backup: without it agents reject this server as another one',
    )
  }
}

const makeKey = async (path: string): Promise<string> => {
  const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
  await replaceOwn(path, { key })
  return key.toString()
}
