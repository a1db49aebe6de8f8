import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { randomToken } from '../../../lib/random.ts'
import { PREFIX, proofText, type SecretKind } from '../../../protocol/roles.ts'

export const newSecret = (kind: SecretKind): string => `${PREFIX[kind]}${randomToken()}`

/** 32 bytes that follow from a secret and a text, and tell nothing of either. */
export const derivedBytes = (secret: string, of: string): Buffer =>
  createHmac('sha256', secret).update(`clawlink-derive ${of}`).digest()

/** A secret that follows from another and a random text: the same again for who has both. */
export const derivedSecret = (kind: SecretKind, secret: string, of: string): string =>
  `${PREFIX[kind]}${derivedBytes(secret, `${kind} ${of}`).toString('base64url')}`

/** The stored form of a secret. A plain hash of 256 random bits reveals nothing. */
export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** Proves to a client that the server knows the secret with this hash. The client picks a new nonce each time. */
export const proofOf = (hash: string, nonce: string): string =>
  createHmac('sha256', hash).update(proofText(nonce)).digest('hex')

/** Compares two hashes in constant time. */
export const isSame = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
