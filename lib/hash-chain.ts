import { hash } from 'node:crypto'

/** Bytes of a digest and of a head: SHA-256. */
export const DIGEST_BYTES = 32

/** The SHA-256 of some bytes. */
export const digestOf = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer')

/** The head of an empty chain with this name. Chains with other names have no head in common. */
export const startOf = (name: string): Buffer => digestOf(Buffer.from(name))

/**
 * The head after one more link: SHA-256(head ‖ digest). The digest stands for the content, so that a chain is checked
 * without it (Haber and Stornetta, "How to time-stamp a digital document", 1991).
 */
export const linked = (head: Uint8Array, digest: Uint8Array): Buffer => {
  const both = Buffer.allocUnsafe(2 * DIGEST_BYTES)
  both.set(head, 0)
  both.set(digest, DIGEST_BYTES)
  return digestOf(both)
}

/** The head after links with these digests, in order. */
export const linkedAll = (head: Uint8Array, digests: Iterable<Uint8Array>): Uint8Array => {
  let last = head
  for (const digest of digests) last = linked(last, digest)
  return last
}

/** The digests that were packed one after the other; bytes after the last whole one are left out. */
export const unpackDigests = function* (packed: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at + DIGEST_BYTES <= packed.length; at += DIGEST_BYTES) {
    yield packed.subarray(at, at + DIGEST_BYTES)
  }
}
