import { crc32 } from 'node:zlib'
import { Corruption } from './corruption.ts'

export const SEAL_BYTES = 4

/** Puts a value's CRC-32 in front of it. */
export const seal = (value: Uint8Array): Uint8Array => {
  // From Buffer's pool: an ArrayBuffer of its own costs more than the checksum.
  const sealed = Buffer.allocUnsafe(SEAL_BYTES + value.length)
  sealed.writeUInt32LE(crc32(value), 0)
  sealed.set(value, SEAL_BYTES)
  return sealed
}

/** Returns the value; null if its checksum is wrong. */
export const unsealed = (sealed: Uint8Array): Uint8Array | null => {
  if (sealed.length < SEAL_BYTES) return null
  const value = sealed.subarray(SEAL_BYTES)
  const { buffer, byteOffset } = sealed
  return new DataView(buffer, byteOffset).getUint32(0, true) === crc32(value) ? value : null
}

/**
 * The encoding of every value. `level` does not verify LevelDB's own checksums on reads, so without
 * this a bit flipped on disk would be returned as written. Reading a damaged value fails with
 * `level`'s error, whose cause is Corruption.
 */
export const sealedValues = {
  name: 'sealed',
  format: 'view' as const,
  encode: seal,
  decode: (sealed: Uint8Array): Uint8Array => {
    const value = unsealed(sealed)
    if (value === null) throw new Corruption('a record', 'its checksum is wrong')
    return value
  },
}
