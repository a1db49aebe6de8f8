import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import {
  anything,
  DELETED,
  EMBED,
  each,
  GC,
  JSON_VALUES,
  KIND,
  MARK,
  PLAIN_VALUES,
  SKIP,
  SUBDOCUMENT,
  skipBytes,
  skipContent,
  skipHead,
  skipPlain,
} from '../../lib/yjs/structs.ts'

/**
 * Levels of arrays and objects in a value (count). Yjs reads JSON of any depth, but writes it by recursion, which fails
 * at about 4,500 levels, earlier on a deeper stack. It also reads plain values by recursion.
 */
const MOST_LEVELS = 1_000

/** Operations removed from an update, with their content as bytes (yjs, V1 encoding). */
export interface Poison {
  client: number
  clock: number
  /** Operations (count). */
  length: number
  bytes: Uint8Array
  reason: string
}

/**
 * Removes operations that Yjs cannot read, or cannot write again, from a stored update. Each is replaced by a deleted
 * operation, so that later operations still fit and replicas that have it delete it. Throws on bytes that are not an
 * update.
 */
export const disarm = (update: Uint8Array): { update: Uint8Array; taken: Poison[] } => {
  const reader = decoding.createDecoder(update)
  const to = encoding.createEncoder()
  const taken: Poison[] = []
  let copied = 0
  const copyUpTo = (at: number): void => {
    encoding.writeUint8Array(to, update.subarray(copied, at))
    copied = at
  }
  each(reader, () => {
    let left = decoding.readVarUint(reader)
    const client = decoding.readVarUint(reader)
    let clock = decoding.readVarUint(reader)
    for (; left > 0; left--) {
      const at = reader.pos
      const info = decoding.readUint8(reader)
      const kind = info & KIND
      if (kind === GC || kind === SKIP) {
        clock += decoding.readVarUint(reader)
        continue
      }
      skipHead(reader, info, anything)
      const from = reader.pos
      const length = skipContent(reader, kind, Number.POSITIVE_INFINITY)
      const bytes = update.subarray(from, reader.pos)
      const reason = poisonIn(bytes, kind)
      if (reason !== null) {
        taken.push({ client, clock, length, bytes: bytes.slice(), reason })
        copyUpTo(at)
        encoding.writeUint8(to, (info & ~KIND) | DELETED)
        copied = at + 1
        copyUpTo(from)
        encoding.writeVarUint(to, length)
        copied = reader.pos
      }
      clock += length
    }
  })
  if (taken.length === 0) return { update, taken }
  copyUpTo(update.length)
  return { update: encoding.toUint8Array(to), taken }
}

/** The reason why Yjs cannot read an item's content or write it again; null: it can do both. */
const poisonIn = (bytes: Uint8Array, kind: number): string | null => {
  const reader = decoding.createDecoder(bytes)
  switch (kind) {
    case JSON_VALUES:
      return first(reader, jsonProblem)
    case EMBED:
      return jsonProblem(reader)
    case MARK:
      skipBytes(reader)
      return jsonProblem(reader)
    case PLAIN_VALUES:
      return first(reader, plainProblem)
    case SUBDOCUMENT:
      skipBytes(reader)
      return plainProblem(reader)
    default:
      return null
  }
}

const first = (
  reader: decoding.Decoder,
  problem: (reader: decoding.Decoder) => string | null,
): string | null => {
  let found: string | null = null
  each(reader, () => {
    const one = problem(reader)
    found ??= one
  })
  return found
}

const TOO_DEEP = `a value is nested deeper than ${MOST_LEVELS} levels, and cannot be written again`

const plainProblem = (reader: decoding.Decoder): string | null =>
  skipPlain(reader, Number.POSITIVE_INFINITY) > MOST_LEVELS ? TOO_DEEP : null

const jsonProblem = (reader: decoding.Decoder): string | null => {
  const text = decoding.readVarString(reader)
  // Yjs' own, for what JSON leaves out.
  if (text === 'undefined') return null
  if (levelsOf(text) > MOST_LEVELS) return TOO_DEEP
  try {
    JSON.parse(text)
    return null
  } catch {
    return 'a value is not JSON'
  }
}

/** Levels of arrays and objects in JSON (count). */
const levelsOf = (json: string): number => {
  let [level, deepest] = [0, 0]
  let isText = false
  for (let i = 0; i < json.length; i++) {
    const sign = json[i]
    if (isText) {
      if (sign === '\\') i++
      else if (sign === '"') isText = false
    } else if (sign === '"') isText = true
    else if (sign === '[' || sign === '{') deepest = Math.max(deepest, ++level)
    else if (sign === ']' || sign === '}') level--
  }
  return deepest
}
