import { random } from '../protocol/fresh-ids.ts'
import type { RandomBytes } from '../protocol/ids.ts'

/** Bytes of a secret or a nonce: 256 bits cannot be guessed. */
const TOKEN_BYTES = 32

const bytesOf = (count: number, source: RandomBytes): Buffer =>
  Buffer.from(source(new Uint8Array(count)))

/** A random text for secrets and nonces: 256 bits in base64url, 43 characters. */
export const randomToken = (source: RandomBytes = random): string =>
  bytesOf(TOKEN_BYTES, source).toString('base64url')

/** Random bytes in hex, for names that must not meet another process' name. */
export const randomHex = (bytes: number, source: RandomBytes = random): string =>
  bytesOf(bytes, source).toString('hex')

/** A random number from 0 to 1, without 1, in 32 bits: for backoff, not for secrets. */
export const randomFraction = (source: RandomBytes = random): number =>
  randomUint32(source) / 2 ** 32

/** A random whole number of 32 bits, the range of Yjs' client ids. */
export const randomUint32 = (source: RandomBytes = random): number =>
  new DataView(source(new Uint8Array(4)).buffer).getUint32(0, true)
