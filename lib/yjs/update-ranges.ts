import * as decoding from 'lib0/decoding'
import { anything, KIND, SKIP, skipStruct } from './structs.ts'

interface Range {
  client: number
  clock: number
  length: number
}

/**
 * The operations that an update (Yjs, V1 encoding) holds and deletes, without decoding their contents. Consecutive
 * operations of a client are one range. Throws on malformed bytes.
 */
export const rangesIn = (update: Uint8Array): { inserts: Range[]; deletes: Range[] } => {
  const reader = decoding.createDecoder(update)
  return { inserts: readStructs(reader), deletes: readDeletions(reader) }
}

const readStructs = (reader: decoding.Decoder): Range[] => {
  const found: Range[] = []
  for (let clients = decoding.readVarUint(reader); clients > 0; clients--) {
    const structs = decoding.readVarUint(reader)
    const client = decoding.readVarUint(reader)
    let clock = decoding.readVarUint(reader)
    let from = clock
    for (let i = 0; i < structs; i++) {
      const isGap = (reader.arr[reader.pos]! & KIND) === SKIP
      if (isGap) add(found, { client, clock: from, length: clock - from })
      clock += skipStruct(reader, anything)!
      if (isGap) from = clock
    }
    add(found, { client, clock: from, length: clock - from })
  }
  return found
}

const readDeletions = (reader: decoding.Decoder): Range[] => {
  const found: Range[] = []
  for (let clients = decoding.readVarUint(reader); clients > 0; clients--) {
    const client = decoding.readVarUint(reader)
    for (let left = decoding.readVarUint(reader); left > 0; left--) {
      const clock = decoding.readVarUint(reader)
      add(found, { client, clock, length: decoding.readVarUint(reader) })
    }
  }
  return found
}

const add = (found: Range[], range: Range): void => {
  if (range.length > 0) found.push(range)
}
