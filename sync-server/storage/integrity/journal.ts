import { crc32c, masked } from './crc32c.ts'

/** LevelDB's journals, `<number>.log` and `MANIFEST-<number>`: blocks of this many bytes … */
const BLOCK_BYTES = 32 * 1024
/** … of fragments: masked CRC-32C (4), length (2), kind (1), bytes; a block's last bytes may be too few for one. */
const HEADER_BYTES = 7
const FULL = 1
const FIRST = 2
const MIDDLE = 3
const LAST = 4

interface Fragment {
  at: number
  kind: number
  bytes: Uint8Array
}

export interface Journal {
  records: Uint8Array[]
  /**
   * Offset of an unreadable part with a readable one after it; null for none. A partial write at
   * the end of a journal is normal after a crash.
   */
  brokenAt: number | null
}

/** Reads a journal like LevelDB, but reports the damage that LevelDB skips silently. */
export const readJournal = (file: Uint8Array): Journal => {
  const records: Uint8Array[] = []
  let open: Uint8Array[] | null = null
  let firstBad: number | null = null
  let brokenAt: number | null = null
  for (const found of fragmentsOf(file)) {
    if (typeof found === 'number') {
      firstBad ??= found
      open = null
      continue
    }
    if (firstBad !== null) brokenAt ??= firstBad
    const { kind, bytes, at } = found
    const continues = kind === MIDDLE || kind === LAST
    // A record that continues without a beginning, or begins inside another.
    if (continues ? open === null : open !== null) brokenAt ??= at
    if (kind === FULL) records.push(bytes)
    open = kind === FIRST ? [bytes] : continues ? [...(open ?? []), bytes] : null
    if (kind === LAST) {
      records.push(Buffer.concat(open!))
      open = null
    }
  }
  return { records, brokenAt }
}

/** Fragments, and the offsets of unreadable ones. */
const fragmentsOf = function* (file: Uint8Array): Generator<Fragment | number> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  for (let block = 0; block < file.length; block += BLOCK_BYTES) {
    const end = Math.min(block + BLOCK_BYTES, file.length)
    for (let at = block; at + HEADER_BYTES <= end; ) {
      const length = view.getUint16(at + 4, true)
      const kind = file[at + 6]!
      const next = at + HEADER_BYTES + length
      if (next > end || kind < FULL || kind > LAST) {
        yield at
        break
      }
      const isWhole = masked(crc32c(file.subarray(at + 6, next))) === view.getUint32(at, true)
      yield isWhole ? { at, kind, bytes: file.subarray(at + HEADER_BYTES, next) } : at
      at = next
    }
  }
}
