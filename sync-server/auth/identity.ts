import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
} from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ClawError } from '../../protocol/errors.ts'
import { type ServerProof, serverIdOf, serverText } from '../../protocol/roles.ts'
import { writeOwn } from './owner.ts'

/** In the data folder (0600), and in backups: a restored server is the same server. */
const KEY_FILE = 'server-key.json'

/** Says who this server is: a signature over the nonce of whoever asks. */
export type Identity = (nonce: string) => ServerProof

/** The server's own Ed25519 key, made where there is none. Throws `data_unusable` for one that is no key. */
export const identityIn = async (data: string): Promise<Identity> => {
  const path = join(data, KEY_FILE)
  const pem = readKey(path) ?? (await makeKey(data, path))
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
      'put it back from a backup; without it agents take this for another server',
    )
  }
}

const makeKey = async (data: string, path: string): Promise<string> => {
  const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
  await writeOwn(data, path, { key })
  return key.toString()
}
