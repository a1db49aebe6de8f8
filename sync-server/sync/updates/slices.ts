import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { anything, skipStruct } from '../../../lib/yjs/structs.ts'
import { CLOSE, WireError } from '../../../protocol/frames.ts'

/** Structs or ranges of deletions per slice (count): a millisecond of work. */
const SLICE = 200
/** Structs skipped per step (count). */
const WALK = 10_000
/**
 * An update of at most this many structs and deletions is applied at once (count); one change of a
 * file makes no more.
 */
const WHOLE = 5_000
/**
 * A shorter update has at most `WHOLE` structs and deletions (bytes): each takes at least 2 bytes.
 */
export const WHOLE_BYTES = 2 * WHOLE

/** The remaining structs of one client. */
interface Section {
  client: number
  clock: number
  left: number
  at: number
}

type Known = (client: number) => number

/**
 * A readable message for an update that Yjs cannot read; Yjs' own error may only name a line of
 * code.
 */
export const faultIn = (update: Uint8Array): string => {
  try {
    for (const _ of slicesOf(update, () => 0));
    return 'it is no Yjs update in V1 encoding'
  } catch (error) {
    return (error as Error).message
  }
}

/**
 * Cuts a large update into small ones, so that other work can run between two of them. Each slice
 * can be applied if `known` returns the clocks of the document with all earlier slices. Yields a
 * slice, or null after some work without a slice. Returns 'done', or 'gap' if the rest depends on
 * unknown operations. Throws on malformed bytes, and on more than `mostNew` unknown Yjs client ids.
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
    // One pass takes from each client once, so that a slice lists a client once.
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

/**
 * Structs of some clients, as far as they depend on known structs or on earlier ones of the slice.
 */
class Slice {
  structs = 0
  readonly #known: Known
  readonly #parts: { client: number; clock: number; taken: number; bytes: Uint8Array }[] = []
  /** Clocks after the slice. */
  readonly #ends = new Map<number, number>()

  constructor(known: Known) {
    this.#known = known
  }

  /** Takes as many of a client's remaining structs as fit. */
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
