import { createHash, createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeOwn } from '../../lib/disk/own-file.ts'
import { randomToken } from '../../lib/random.ts'
import { ClawError } from '../../protocol/errors.ts'
import { type ServerProof, secretId, serverIdOf, serverText } from '../../protocol/roles.ts'
import { getProof, serverInfo } from './api.ts'
import { hmacOf } from './proof.ts'

/** The servers that a profile knows: the id behind each address, and the folder of each replica. */
interface Table {
  addresses: { [base: string]: string }
  /** By server id, `#` and workspace: of those that were named otherwise before servers had ids. */
  replicas: { [place: string]: string }
}

const pathIn = (dir: string): string => join(dir, 'servers.json')

export const readTable = (dir: string): Table => {
  try {
    const { addresses = {}, replicas = {} } = JSON.parse(
      readFileSync(pathIn(dir), 'utf8'),
    ) as Partial<Table>
    return { addresses, replicas }
  } catch {
    return { addresses: {}, replicas: {} }
  }
}

/** Whole at any moment; of two processes at once the last one's change stands, and the other's is found out again. */
export const changeTable = (dir: string, change: (table: Table) => void): void => {
  const table = readTable(dir)
  change(table)
  writeOwn(pathIn(dir), table)
}

/** The server at an address, and the secrets that it proved to know. */
export interface Proven {
  id: string
  knows: boolean
}

/** An error of a server that does not know how to prove who it is; anything else is an error for whoever asked. */
const CANNOT: ReadonlySet<string> = new Set(['usage', 'unknown_route', 'unauthorized'])

/**
 * Has the server at `base` prove which one it is, and, without showing it, that it knows `secret`. null: it has no id, as
 * before servers had one. Throws `unreachable`, `not_clawlink`, `unproven` where what it says is wrong.
 */
export const whoIs = async (base: string, secret?: string): Promise<Proven | null> => {
  if (secret !== undefined) {
    const known = await ask(base, secret)
    if (known !== null) return known
  }
  return ask(base)
}

const ask = async (base: string, secret?: string): Promise<Proven | null> => {
  const nonce = randomToken()
  const hash = secret === undefined ? null : createHash('sha256').update(secret).digest('hex')
  try {
    const { proof, server } = await getProof({ base }, nonce, hash === null ? null : secretId(hash))
    if (server === undefined) return null
    if (!isRight(server, nonce))
      throw new ClawError(
        'unproven',
        `what answers at ${base} claims to be a server that it is not`,
        'check --relay',
      )
    return { id: server.id, knows: hash !== null && proof === hmacOf(hash, nonce) }
  } catch (error) {
    if (!(error instanceof ClawError && CANNOT.has(error.code))) throw error
    // Names a wrong path in the address.
    if (new URL(base).pathname !== '/') await serverInfo({ base })
    return null
  }
}

const isRight = ({ id, key, signature }: ServerProof, nonce: string): boolean => {
  try {
    const der = Buffer.from(key, 'base64url')
    const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' })
    return (
      publicKey.asymmetricKeyType === 'ed25519' &&
      id === serverIdOf(createHash('sha256').update(der).digest('hex')) &&
      verify(null, Buffer.from(serverText(nonce)), publicKey, Buffer.from(signature, 'base64url'))
    )
  } catch {
    return false
  }
}
