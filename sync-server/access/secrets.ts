import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { PREFIX, type SecretKind } from '../../workspace/access.ts'

export const newSecret = (kind: SecretKind): string =>
  `${PREFIX[kind]}${randomBytes(32).toString('base64url')}`

/** What is stored of a secret: of 256 random bits a plain hash tells nothing. */
export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** Compares two hashes in constant time. */
export const isSame = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
