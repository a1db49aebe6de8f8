import { hash } from 'node:crypto'

/** Bytes of a digest and of a head: SHA-256. */
export const DIGEST_BYTES = 32

/** A string of the bytes' SHA-256, a byte per character: a Buffer from `hash` costs twice the time, and its memory is off heap. */
const sha256 = (bytes: Uint8Array): string => hash('sha256', bytes, 'binary')

/** The SHA-256 of some bytes. */
export const digestOf = (bytes: Uint8Array): Buffer => Buffer.from(sha256(bytes), 'latin1')

/** The head of an empty chain with this name. Chains with other names have no head in common. */
export const startOf = (name: string): Buffer => digestOf(Buffer.from(name))

/**
 * The head after one more link: SHA-256(head ‖ digest). The digest stands for the content, so that a chain is checked
 * without it (Haber and Stornetta, "How to time-stamp a digital document", 1991).
 */
export const linked = (head: Uint8Array, digest: Uint8Array): Buffer => {
  both.set(head, 0)
  both.set(digest, DIGEST_BYTES)
  return digestOf(both)
}

const both = Buffer.alloc(2 * DIGEST_BYTES)

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

/** SHA-256 digests one after the other, in one piece of memory. */
export class DigestList {
  #bytes = Buffer.alloc(16 * DIGEST_BYTES)
  #count = 0

  get length(): number {
    return this.#count
  }

  /** Adds the digest of some bytes. */
  pushDigestOf(bytes: Uint8Array): void {
    const at = this.#count * DIGEST_BYTES
    if (at === this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(at)])
    this.#bytes.write(sha256(bytes), at, 'latin1')
    this.#count++
  }

  /** A copy of the digests from index `from` to `end - 1`, packed. */
  slice(from: number, end: number): Buffer {
    const within = this.#bytes.subarray(0, this.#count * DIGEST_BYTES)
    return Buffer.from(within.subarray(from * DIGEST_BYTES, end * DIGEST_BYTES))
  }

  /** Removes the first `count` digests. */
  shift(count: number): void {
    this.#bytes.copyWithin(0, count * DIGEST_BYTES, this.#count * DIGEST_BYTES)
    this.#count -= count
  }
}
