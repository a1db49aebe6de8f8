import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { CLOSE, WireError } from './wire.ts'

/** Structs, or ranges of deletions, that are taken in at a time (count): a millisecond of work. */
const SLICE = 200
/** Structs that are only walked over at a time (count). */
const WALK = 10_000
/** What has no more structs and deletions is taken in at once (count): nobody makes more of them in one change of a file. */
const WHOLE = 5_000
/** An update that is no longer has no more (bytes): a struct takes 2 bytes at least, and so does a deletion. */
export const WHOLE_BYTES = 2 * WHOLE
/** Kinds of structs and contents in the first byte of one (yjs, V1 encoding). */
const GC = 0
const SKIP = 10
const KIND = 0b1_1111
const HAS_ORIGIN = 0b1000_0000
const HAS_RIGHT_ORIGIN = 0b100_0000
const HAS_KEY = 0b10_0000
const XML_ELEMENT = 3
const XML_HOOK = 5

/** The structs of one client that are still to come. */
interface Section {
  client: number
  clock: number
  left: number
  at: number
}

type Known = (client: number) => number

/** What is wrong with an update that Yjs cannot read, in words: its own error may be one of a line of code. */
export const faultIn = (update: Uint8Array): string => {
  try {
    for (const _ of slicesOf(update, () => 0));
    return 'it is no Yjs update in V1 encoding'
  } catch (error) {
    return (error as Error).message
  }
}

/**
 * Cuts a large update into small ones, each of which can be applied where `known` has the clocks of what is there and of
 * the slices before it: so that between two of them others have their turn. Yields a slice, or null where some work was
 * done and there is none yet; returns whether that was all of it, or builds on something that is not there. Throws on bytes
 * that are no update, and where it has more than `mostNew` Yjs client ids that are not known.
 */
export function* slicesOf(
  update: Uint8Array,
  known: Known,
  mostNew = Number.POSITIVE_INFINITY,
): Generator<Uint8Array | null, 'done' | 'gap'> {
  const reader = decoding.createDecoder(update)
  const sections: Section[] = []
  const clients = decoding.readVarUint(reader)
  let walked = 0
  let fresh = 0
  for (let i = 0; i < clients; i++) {
    const left = decoding.readVarUint(reader)
    const [client, clock] = [decoding.readVarUint(reader), decoding.readVarUint(reader)]
    if (known(client) === 0 && ++fresh > mostNew) {
      throw new WireError(CLOSE.tooLarge, `more than ${mostNew} new Yjs client ids`)
    }
    sections.push({ client, clock, left, at: reader.pos })
    for (let j = 0; j < left; j++) {
      if (++walked % WALK === 0) yield null
      skipStruct(reader, anything)
    }
  }
  const deletions = reader.pos
  if (walked + (update.length - deletions) / 2 <= WHOLE) {
    yield update
    return 'done'
  }
  for (let hasGoneOn = true; hasGoneOn && sections.length > 0; ) {
    hasGoneOn = false
    let left = 0
    // Within one pass each client is taken from once, so that a slice has it once.
    for (let parts = new Slice(known), i = 0; i < sections.length; i++) {
      const section = sections[i]!
      parts.take(update, section)
      if (section.left > 0) sections[left++] = section
      if (parts.structs < SLICE && i < sections.length - 1) continue
      if (parts.structs > 0) {
        hasGoneOn = true
        yield parts.encode()
      }
      parts = new Slice(known)
    }
    sections.length = left
  }
  if (sections.length > 0) return 'gap'
  return yield* sliceDeletions(update, deletions, known)
}

/** What some clients have to add, as far as it builds on what is there or in it. */
class Slice {
  structs = 0
  readonly #known: Known
  readonly #parts: { client: number; clock: number; taken: number; bytes: Uint8Array }[] = []
  /** Clocks after it. */
  readonly #ends = new Map<number, number>()

  constructor(known: Known) {
    this.#known = known
  }

  /** Takes what fits of the structs that are still to come of a client. */
  take(update: Uint8Array, section: Section): void {
    const { client, clock, at } = section
    if (clock > this.#known(client)) return
    const reader = decoding.createDecoder(update)
    reader.pos = at
    const has = (of: number, clock: number): boolean =>
      clock < Math.max(this.#ends.get(of) ?? 0, this.#known(of))
    let taken = 0
    while (this.structs < SLICE && section.left > 0) {
      const length = skipStruct(reader, has)
      if (length === null) break
      section.clock += length
      section.at = reader.pos
      section.left--
      this.structs++
      taken++
      this.#ends.set(client, section.clock)
    }
    if (taken > 0) {
      this.#parts.push({ client, clock, taken, bytes: update.subarray(at, section.at) })
    }
  }

  encode(): Uint8Array {
    return encoding.encode((to) => {
      encoding.writeVarUint(to, this.#parts.length)
      for (const { client, clock, taken, bytes } of this.#parts.sort(
        (a, b) => b.client - a.client, // the order that Yjs merges in
      )) {
        for (const number of [taken, client, clock]) encoding.writeVarUint(to, number)
        encoding.writeUint8Array(to, bytes)
      }
      encoding.writeVarUint(to, 0)
    })
  }
}

function* sliceDeletions(
  update: Uint8Array,
  at: number,
  known: Known,
): Generator<Uint8Array, 'done' | 'gap'> {
  const reader = decoding.createDecoder(update)
  reader.pos = at
  for (let clients = decoding.readVarUint(reader); clients > 0; clients--) {
    const client = decoding.readVarUint(reader)
    let left = decoding.readVarUint(reader)
    while (left > 0) {
      const taken = Math.min(left, SLICE)
      const from = reader.pos
      for (let i = 0; i < taken; i++) {
        if (decoding.readVarUint(reader) + decoding.readVarUint(reader) > known(client))
          return 'gap'
      }
      left -= taken
      yield encoding.encode((to) => {
        for (const number of [0, 1, client, taken]) encoding.writeVarUint(to, number)
        encoding.writeUint8Array(to, update.subarray(from, reader.pos))
      })
    }
  }
  return 'done'
}

type Has = (client: number, clock: number) => boolean
const anything: Has = () => true

/** Reads over a struct; returns how many operations it is, or null where `has` lacks what it builds on. */
const skipStruct = (reader: decoding.Decoder, has: Has): number | null => {
  const info = decoding.readUint8(reader)
  const kind = info & KIND
  if (kind === GC) return decoding.readVarUint(reader)
  if (kind === SKIP) return skipGap(reader, has)
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
  const length = skipContent(reader, kind)
  return isReady ? length : null
}

/** A hole in the clocks: nobody may build on one. */
const skipGap = (reader: decoding.Decoder, has: Has): number | null => {
  const length = decoding.readVarUint(reader)
  return has === anything ? length : null
}

/** Bytes or text with their length in front. */
const skipBytes = (reader: decoding.Decoder): void => {
  const length = decoding.readVarUint(reader)
  if (length > reader.arr.length - reader.pos) throw new Error('a length points past the end')
  reader.pos += length
}

const skipAny = (reader: decoding.Decoder): void => {
  try {
    decoding.readAny(reader)
  } catch {
    throw new Error('a value of no known kind')
  }
}

const skipContent = (reader: decoding.Decoder, kind: number): number => {
  switch (kind) {
    case 1: // deleted
      return decoding.readVarUint(reader)
    case 2: // JSON
      return each(reader, skipBytes)
    case 3: // binary
    case 5: // embed
      skipBytes(reader)
      return 1
    case 4: // text: as long as it is in UTF-16
      return decoding.readVarString(reader).length
    case 6: // format
      skipBytes(reader)
      skipBytes(reader)
      return 1
    case 7: {
      const type = decoding.readVarUint(reader)
      if (type === XML_ELEMENT || type === XML_HOOK) skipBytes(reader)
      return 1
    }
    case 8: // plain values
      return each(reader, skipAny)
    case 9: // another document
      skipBytes(reader)
      skipAny(reader)
      return 1
    default:
      throw new Error(`unknown content kind ${kind}`)
  }
}

const each = (reader: decoding.Decoder, skip: (reader: decoding.Decoder) => unknown): number => {
  const count = decoding.readVarUint(reader)
  for (let i = 0; i < count; i++) skip(reader)
  return count
}
