import { crc32 } from 'node:zlib'
import { Corruption } from './corruption.ts'

const SEAL_BYTES = 4

/** A value with the CRC-32 of it in front. */
export const seal = (value: Uint8Array): Uint8Array => {
  const sealed = new Uint8Array(SEAL_BYTES + value.length)
  new DataView(sealed.buffer).setUint32(0, crc32(value), true)
  sealed.set(value, SEAL_BYTES)
  return sealed
}

/** The value; null where it is not what was sealed. */
export const unsealed = (sealed: Uint8Array): Uint8Array | null => {
  if (sealed.length < SEAL_BYTES) return null
  const value = sealed.subarray(SEAL_BYTES)
  const { buffer, byteOffset } = sealed
  return new DataView(buffer, byteOffset).getUint32(0, true) === crc32(value) ? value : null
}

/**
 * How every value is stored. LevelDB as `level` has it checks no sums of what it reads from its tables: a bit that flipped
 * on disk would be handed out as if it had been written. Reading such a value throws Corruption, as the cause of the
 * error that `level` makes of it.
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
