import { crc32 } from 'node:zlib'
import { SEAL_BYTES } from '../integrity/checksummed.ts'
import { isNew } from '../integrity/db.ts'
import type { Op, Put } from '../integrity/level-keys.ts'
import { PIECE_BYTES } from './statements.ts'

/** A batch as the parameters of a statement. */
export interface Rows {
  /** Keys and values, one after the other: sent as one binary parameter. */
  bytes: Buffer
  /** Of each row: where its key is (from 1 on) and how long, its piece, how many there are, where its value is and how long. */
  places: readonly [number[], number[], number[], number[], number[], number[]]
  /** Rows that have to be new (count); they come first. */
  fresh: number
  /** Keys of which pieces go: where the key is and how long, and the first piece that goes. */
  gone: readonly [number[], number[], number[]]
}

/** Of operations on the same key the last one counts. `isSealed`: the values have their checksums already. */
export const rowsOf = (ops: readonly Op[], isSealed: boolean): Rows => {
  const last = ops.length === 1 ? ops : [...new Map(ops.map((op) => [op.key, op])).values()]
  const puts = last.filter((op): op is Put => op.type === 'put')
  const first = puts.filter(({ key }) => isNew(key))
  const others = puts.filter(({ key }) => !isNew(key))
  const removed = last.filter(({ type }) => type === 'del')
  const seal = isSealed ? 0 : SEAL_BYTES
  const bytes = Buffer.allocUnsafe(
    last.reduce(
      (sum, op) =>
        sum + Buffer.byteLength(op.key) + (op.type === 'put' ? seal + op.value.length : 0),
      0,
    ),
  )
  let at = 0
  const writeKey = (key: string): [place: number, length: number] => {
    const place = at
    at += bytes.write(key, at)
    return [place + 1, at - place]
  }
  const places: Rows['places'] = [[], [], [], [], [], []]
  const gone: Rows['gone'] = [[], [], []]
  const add = <T extends readonly number[][]>(columns: T, ...row: number[]): void => {
    for (const [i, column] of columns.entries()) column.push(row[i]!)
  }
  let fresh = 0
  for (const [i, { key, value }] of [...first, ...others].entries()) {
    const [place, length] = writeKey(key)
    const start = at
    if (!isSealed) at = bytes.writeUInt32LE(crc32(value), at)
    bytes.set(value, at)
    at += value.length
    const pieces = Math.max(1, Math.ceil((at - start) / PIECE_BYTES))
    for (let n = 0; n < pieces; n++) {
      const from = start + n * PIECE_BYTES
      add(places, place, length, n, pieces, from + 1, Math.min(PIECE_BYTES, at - from))
    }
    if (i < first.length) fresh += pieces
    else add(gone, place, length, pieces)
  }
  for (const { key } of removed) add(gone, ...writeKey(key), 0)
  return { bytes, places, fresh, gone }
}
