import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { PREFIX, proofText, type SecretKind } from '../../protocol/roles.ts'

export const newSecret = (kind: SecretKind): string =>
  `${PREFIX[kind]}${randomBytes(32).toString('base64url')}`

/** What is stored of a secret: of 256 random bits a plain hash tells nothing. */
export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** Shows whoever has the secret that this server has its hash: the nonce is theirs, new each time. */
export const proofOf = (hash: string, nonce: string): string =>
  createHmac('sha256', hash).update(proofText(nonce)).digest('hex')

/** Compares two hashes in constant time. */
export const isSame = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
