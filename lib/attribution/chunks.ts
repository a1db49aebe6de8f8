import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import type { NameTable } from './names.ts'
import type { DeletedText, DeleteRun, InsertRun } from './runs.ts'

/**
 * Runs of one Yjs client id as bytes, in the order of their commits. Each run: head, (clock), seconds, (task, via, by).
 * Head: length × 4, + 1 if the clock does not follow the last run's end, + 2 if task, via or by differ from the last
 * run's. Clock and seconds are differences to the last run. A typical insertion takes 2 bytes, a deletion 3 to 4.
 */
const FORMAT = 1
const JUMPS = 1
const CHANGES = 2
const SECOND_MS = 1_000
/** Later times have no ISO text. */
const LAST_SECOND = 8.64e12

export const encodeRuns = (
  runs: readonly (InsertRun | DeleteRun)[],
  names: NameTable,
): Uint8Array =>
  encoding.encode((to) => {
    encoding.writeVarUint(to, FORMAT)
    let [end, second, names_] = [0, 0, '0,0,0']
    for (const run of runs) {
      const numbers = [run.task, run.via, (run as DeleteRun).by ?? null].map((name) =>
        names.numberOf(name),
      )
      const isJump = run.clock !== end
      const isChange = numbers.join() !== names_
      encoding.writeVarUint(to, run.length * 4 + (isJump ? JUMPS : 0) + (isChange ? CHANGES : 0))
      if (isJump) encoding.writeVarInt(to, run.clock - end)
      const at = Math.floor(run.at / SECOND_MS)
      encoding.writeVarInt(to, at - second)
      if (isChange) for (const number of numbers) encoding.writeVarUint(to, number)
      ;[end, second, names_] = [run.clock + run.length, at, numbers.join()]
    }
  })

/** Reads insertions of `client`. Throws on malformed bytes. */
export const decodeInserts = (value: Uint8Array, client: number, names: NameTable): InsertRun[] => {
  const runs: InsertRun[] = []
  readRuns(value, names, (clock, length, at, { task, via }) =>
    runs.push({ client, clock, length, at, task, via }),
  )
  return runs
}

/** Reads deletions of `client`. Throws on malformed bytes. */
export const decodeDeletes = (value: Uint8Array, client: number, names: NameTable): DeleteRun[] => {
  const runs: DeleteRun[] = []
  readRuns(value, names, (clock, length, at, { task, via, by }) =>
    runs.push({ client, clock, length, at, task, via, by }),
  )
  return runs
}

type Said = Pick<DeleteRun, 'task' | 'via' | 'by'>

const readRuns = (
  value: Uint8Array,
  names: NameTable,
  take: (clock: number, length: number, at: number, said: Said) => void,
): void => {
  const from = decoding.createDecoder(value)
  readFormat(from)
  let [end, second] = [0, 0]
  let said: Said = { task: null, via: null, by: null }
  const name = () => names.nameOf(decoding.readVarUint(from))
  while (decoding.hasContent(from)) {
    const head = decoding.readVarUint(from)
    const length = Math.floor(head / 4)
    const clock = end + (head & JUMPS ? decoding.readVarInt(from) : 0)
    second += decoding.readVarInt(from)
    if (head & CHANGES) said = { task: name(), via: name(), by: name() }
    const isRange = length > 0 && clock >= 0 && Number.isSafeInteger(clock + length)
    if (!isRange || second < 0 || second > LAST_SECOND) {
      throw new Error('a run of operations is out of range')
    }
    take(clock, length, second * SECOND_MS, said)
    end = clock + length
  }
}

type Piece = Omit<DeletedText, 'root'>

/** Deleted texts of one root, in the order of their commits. */
export const encodeTexts = (texts: readonly Piece[]): Uint8Array =>
  encoding.encode((to) => {
    encoding.writeVarUint(to, FORMAT)
    for (const { client, clock, text } of texts) {
      encoding.writeVarUint(to, client)
      encoding.writeVarUint(to, clock)
      encoding.writeVarString(to, text)
    }
  })

/** Throws on malformed bytes. */
export const decodeTexts = (value: Uint8Array): Piece[] => {
  const from = decoding.createDecoder(value)
  readFormat(from)
  const texts: Piece[] = []
  while (decoding.hasContent(from)) {
    const [client, clock] = [decoding.readVarUint(from), decoding.readVarUint(from)]
    texts.push({ client, clock, text: decoding.readVarString(from) })
  }
  return texts
}

const readFormat = (from: decoding.Decoder): void => {
  const format = decoding.readVarUint(from)
  if (format !== FORMAT)
    throw new Error(`an attribution has format ${format}; this version reads 1`)
}
