import * as decoding from 'lib0/decoding'

/**
 * Skips the structs of an update (Yjs, V1 encoding) without decoding them, so that structs which
 * Yjs cannot read or write back are handled, too. All functions throw on malformed bytes.
 */
export const GC = 0
export const SKIP = 10
export const DELETED = 1
export const JSON_VALUES = 2
export const TEXT = 4
export const EMBED = 5
export const MARK = 6
export const PLAIN_VALUES = 8
export const SUBDOCUMENT = 9
/** The bits of a struct's first byte that hold its kind. */
export const KIND = 0b1_1111
export const HAS_ORIGIN = 0b1000_0000
export const HAS_RIGHT_ORIGIN = 0b100_0000
export const HAS_KEY = 0b10_0000
const XML_ELEMENT = 3
const XML_HOOK = 5
/** Types of plain values (lib0). */
const ANY = {
  ...{ undefined: 127, null: 126, int: 125, float32: 124, float64: 123, bigint: 122 },
  ...{ false: 121, true: 120, text: 119, object: 118, array: 117, bytes: 116 },
}
/**
 * The most levels of arrays and objects in a plain value (count), because their readers recurse.
 */
const MOST_LEVELS = 10_000

export type Has = (client: number, clock: number) => boolean
export const anything: Has = () => true

/**
 * Skips a struct. Returns its operations (count), or null if `has` is false for one that it depends
 * on.
 */
export const skipStruct = (reader: decoding.Decoder, has: Has): number | null => {
  const info = decoding.readUint8(reader)
  const kind = info & KIND
  if (kind === GC) return decoding.readVarUint(reader)
  if (kind === SKIP) return skipGap(reader, has)
  const isReady = skipHead(reader, info, has)
  const length = skipContent(reader, kind)
  return isReady ? length : null
}

/** A gap in the clocks; no struct may depend on it. */
const skipGap = (reader: decoding.Decoder, has: Has): number | null => {
  const length = decoding.readVarUint(reader)
  return has === anything ? length : null
}

/**
 * Skips an item's position. Returns false if `has` is false for an operation that it depends on.
 * `info`: the item's first byte.
 */
export const skipHead = (reader: decoding.Decoder, info: number, has: Has): boolean => {
  let isReady = true
  const readId = (): void => {
    const [client, clock] = [decoding.readVarUint(reader), decoding.readVarUint(reader)]
    if (!has(client, clock)) isReady = false
  }
  if (info & HAS_ORIGIN) readId()
  if (info & HAS_RIGHT_ORIGIN) readId()
  if ((info & (HAS_ORIGIN | HAS_RIGHT_ORIGIN)) === 0) {
    if (decoding.readVarUint(reader) === 1) skipBytes(reader)
    else readId()
    if (info & HAS_KEY) skipBytes(reader)
  }
  return isReady
}

/** Skips bytes or text with a length prefix. */
export const skipBytes = (reader: decoding.Decoder): void => {
  skip(reader, decoding.readVarUint(reader))
}

const skip = (reader: decoding.Decoder, length: number): void => {
  if (length > reader.arr.length - reader.pos) throw new Error('a length points past the end')
  reader.pos += length
}

/** Skips an item's content. Returns its operations (count). */
export const skipContent = (
  reader: decoding.Decoder,
  kind: number,
  mostLevels = MOST_LEVELS,
): number => {
  switch (kind) {
    case DELETED:
      return decoding.readVarUint(reader)
    case JSON_VALUES:
      return each(reader, skipBytes)
    case 3: // binary
    case EMBED:
      skipBytes(reader)
      return 1
    case TEXT: // its length in UTF-16 code units
      return decoding.readVarString(reader).length
    case MARK:
      skipBytes(reader)
      skipBytes(reader)
      return 1
    case 7: {
      const type = decoding.readVarUint(reader)
      if (type === XML_ELEMENT || type === XML_HOOK) skipBytes(reader)
      return 1
    }
    case PLAIN_VALUES:
      return each(reader, () => skipPlain(reader, mostLevels))
    case SUBDOCUMENT:
      skipBytes(reader)
      skipPlain(reader, mostLevels)
      return 1
    default:
      throw new Error(`unknown content kind ${kind}`)
  }
}

export const each = (
  reader: decoding.Decoder,
  read: (reader: decoding.Decoder) => unknown,
): number => {
  const count = decoding.readVarUint(reader)
  for (let i = 0; i < count; i++) read(reader)
  return count
}

/**
 * Skips a plain value. Returns its levels of arrays and objects. Throws if there are more than
 * `most`.
 */
export const skipPlain = (reader: decoding.Decoder, most: number): number => {
  /** The rest of each level: twice the values left, plus 1 if they have keys. */
  const left: number[] = []
  let deepest = 0
  for (;;) {
    const type = decoding.readUint8(reader)
    switch (type) {
      case ANY.object:
      case ANY.array:
        left.push(2 * decoding.readVarUint(reader) + (type === ANY.object ? 1 : 0))
        deepest = Math.max(deepest, left.length)
        if (deepest > most) throw new Error(`a value is nested deeper than ${most} levels`)
        break
      case ANY.text:
      case ANY.bytes:
        skipBytes(reader)
        break
      case ANY.int:
        decoding.readVarInt(reader)
        break
      case ANY.float32:
        skip(reader, 4)
        break
      case ANY.float64:
      case ANY.bigint:
        skip(reader, 8)
        break
      default:
        // The other kinds have no payload; kinds outside the range are unknown.
        if (!(type >= ANY.true && type <= ANY.undefined)) {
          throw new Error('a value of no known kind')
        }
    }
    while (left.length > 0 && left.at(-1)! < 2) left.pop()
    const top = left.length - 1
    if (top < 0) return deepest
    left[top]! -= 2
    if (left[top]! & 1) skipBytes(reader)
  }
}
