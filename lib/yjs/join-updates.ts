import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import {
  anything,
  HAS_KEY,
  HAS_ORIGIN,
  HAS_RIGHT_ORIGIN,
  KIND,
  SKIP,
  skipHead,
  skipStruct,
  TEXT,
} from './structs.ts'

/** Consecutive operations of one client. */
interface Section {
  structs: number
  clock: number
  /** The clock after them. */
  end: number
  /** The structs as bytes: the first `size` of these. */
  bytes: Uint8Array
  size: number
  /** The newest struct, if it is a text that the next one may go on. */
  text: Text | null
}

/** A struct of characters. */
interface Text {
  /** The place of its length in the section, and of its characters. */
  at: number
  from: number
  /** True if it is the value of a key. */
  isValue: boolean
  /** Its right origin; -1, -1: it has none. */
  right: number
  rightClock: number
}

interface Deletion {
  clock: number
  end: number
}

/** Bytes of a section at first (count); it doubles when it is full. */
const FIRST_BYTES = 1024
/** Longer runs of bytes are copied by the engine (count). */
const SHORT_BYTES = 64
const ASCII_END = 0x80

/**
 * Joins updates (Yjs, V1 encoding) into one with all their operations and deletions, in which each client's operations
 * follow each other; repeated ones are left out. Characters typed one after the other become one struct, as Yjs does
 * with them. Takes a fraction of the time of `Y.mergeUpdates`, as contents are not decoded. It copies what it keeps.
 * After `false` or an error from `add` or `addPacked` the result is undefined. Both throw on malformed bytes.
 */
export class UpdateJoiner {
  readonly #sections = new Map<number, Section>()
  readonly #deletions = new Map<number, Deletion[]>()
  /** The client of the last struct, and its section. */
  #client = -1
  #section: Section | null = null
  /** Bytes of the updates added (count). */
  bytes = 0

  /** False: its operations do not follow those before, or a repeated one goes on. */
  add(update: Uint8Array): boolean {
    const reader = decoding.createDecoder(update)
    this.bytes += update.length
    for (let clients = decoding.readVarUint(reader); clients > 0; clients--) {
      const structs = decoding.readVarUint(reader)
      const client = decoding.readVarUint(reader)
      if (!this.#addStructs(reader, structs, client, decoding.readVarUint(reader))) return false
    }
    this.#addDeletions(reader)
    return true
  }

  /** Adds what another one has packed, without a look at each operation. False: as for `add`. */
  addPacked(packed: Uint8Array): boolean {
    const reader = decoding.createDecoder(packed)
    this.bytes += packed.length
    for (let clients = decoding.readVarUint(reader); clients > 0; clients--) {
      const structs = decoding.readVarUint(reader)
      const client = decoding.readVarUint(reader)
      const clock = decoding.readVarUint(reader)
      const end = decoding.readVarUint(reader)
      const size = decoding.readVarUint(reader)
      if (size > reader.arr.length - reader.pos) throw new Error('a length points past the end')
      const section = this.#of(client, clock)
      if (clock !== section.end) {
        if (!this.#addStructs(reader, structs, client, clock)) return false
        continue
      }
      const { pos } = reader
      append(section, reader.arr, pos, pos + size)
      reader.pos += size
      section.text = null
      section.structs += structs
      section.end = end
    }
    this.#addDeletions(reader)
    return true
  }

  /** All of it as one update. */
  joined(): Uint8Array {
    return encoding.encode((to) => {
      const filled = this.#filled()
      encoding.writeVarUint(to, filled.length)
      for (const [client, { structs, clock, bytes, size }] of filled) {
        for (const number of [structs, client, clock]) encoding.writeVarUint(to, number)
        encoding.writeUint8Array(to, bytes.subarray(0, size))
      }
      writeDeletions(to, this.#deletions)
    })
  }

  /** All of it for `addPacked`: an update in which two numbers stand before the structs of each client, the clock after them and their bytes. */
  packed(): Uint8Array {
    return encoding.encode((to) => {
      const filled = this.#filled()
      encoding.writeVarUint(to, filled.length)
      for (const [client, { structs, clock, end, bytes, size }] of filled) {
        for (const number of [structs, client, clock, end]) encoding.writeVarUint(to, number)
        encoding.writeVarUint8Array(to, bytes.subarray(0, size))
      }
      writeDeletions(to, this.#deletions)
    })
  }

  /** The highest client id first, as Yjs writes them. */
  #filled(): [number, Section][] {
    return [...this.#sections].filter(([, { structs }]) => structs > 0).sort(([a], [b]) => b - a)
  }

  /** The section of a client, whose next operation is at `clock` if it is new here. */
  #of(client: number, clock: number): Section {
    if (this.#section !== null && this.#client === client) return this.#section
    let section = this.#sections.get(client)
    if (section === undefined) {
      const bytes = new Uint8Array(FIRST_BYTES)
      section = { structs: 0, clock, end: clock, bytes, size: 0, text: null }
      this.#sections.set(client, section)
    }
    this.#client = client
    this.#section = section
    return section
  }

  /** False: the structs do not go on where the section of their client ends. */
  #addStructs(reader: decoding.Decoder, structs: number, client: number, from: number): boolean {
    const section = this.#of(client, from)
    let [clock, left] = [from, structs]
    for (; left > 0 && clock < section.end; left--) clock += skipStruct(reader, anything)!
    if (left > 0 ? clock !== section.end : clock > section.end) return false
    for (; left > 0; left--) {
      const kind = reader.arr[reader.pos]! & KIND
      if (kind === SKIP) return false
      if (kind === TEXT) addText(section, reader, client)
      else addStruct(section, reader)
    }
    return true
  }

  #addDeletions(reader: decoding.Decoder): void {
    for (let clients = decoding.readVarUint(reader); clients > 0; clients--) {
      const client = decoding.readVarUint(reader)
      const list = this.#deletions.get(client) ?? []
      this.#deletions.set(client, list)
      for (let left = decoding.readVarUint(reader); left > 0; left--) {
        const clock = decoding.readVarUint(reader)
        list.push({ clock, end: clock + decoding.readVarUint(reader) })
      }
    }
  }
}

/** One update with all that these have; null: they do not follow each other (`UpdateJoiner`). Throws on malformed bytes. */
export const joinUpdates = (updates: readonly Uint8Array[]): Uint8Array | null => {
  const joiner = new UpdateJoiner()
  return updates.every((update) => joiner.add(update)) ? joiner.joined() : null
}

/** Appends `from` to `end` of some bytes to a section. */
const append = (section: Section, from: Uint8Array, start: number, end: number): void => {
  const size = section.size + end - start
  if (size > section.bytes.length) {
    const bytes = new Uint8Array(2 * size)
    bytes.set(section.bytes.subarray(0, section.size))
    section.bytes = bytes
  }
  const { bytes } = section
  if (end - start > SHORT_BYTES) bytes.set(from.subarray(start, end), section.size)
  else for (let i = start, at = section.size; i < end; i++) bytes[at++] = from[i]!
  section.size = size
}

const addStruct = (section: Section, reader: decoding.Decoder): void => {
  const from = reader.pos
  section.end += skipStruct(reader, anything)!
  section.structs++
  section.text = null
  append(section, reader.arr, from, reader.pos)
}

/** Adds a struct of characters, the next of `client`; one that goes on from the newest text becomes a part of it. */
const addText = (section: Section, reader: decoding.Decoder, client: number): void => {
  const { arr } = reader
  const from = reader.pos
  const info = decoding.readUint8(reader)
  let isNext = false
  let [right, rightClock] = [-1, -1]
  if ((info & (HAS_ORIGIN | HAS_RIGHT_ORIGIN)) === 0) skipHead(reader, info, anything)
  if (info & HAS_ORIGIN) {
    const of = decoding.readVarUint(reader)
    const at = decoding.readVarUint(reader)
    isNext = of === client && at === section.end - 1
  }
  if (info & HAS_RIGHT_ORIGIN) {
    right = decoding.readVarUint(reader)
    rightClock = decoding.readVarUint(reader)
  }
  const length = reader.pos
  const count = decoding.readVarUint(reader)
  const characters = reader.pos
  const units = skipCharacters(reader, count)
  const isValue = (info & HAS_KEY) !== 0
  section.end += units
  const { text } = section
  // Yjs would cut the joined text into just these two, should anything come between them.
  const goesOn = isNext && text !== null && !isValue && !text.isValue && text.right === right
  if (goesOn && text.rightClock === rightClock) {
    append(section, arr, characters, reader.pos)
    lengthen(section, text)
    return
  }
  const start = section.size
  append(section, arr, from, reader.pos)
  section.structs++
  const [lengthAt, charactersAt] = [start + length - from, start + characters - from]
  section.text = { at: lengthAt, from: charactersAt, isValue, right, rightClock }
}

/** Writes the length of a text anew, the section's last bytes. */
const lengthen = (section: Section, text: Text): void => {
  const length = section.size - text.from
  const more = sizeOf(length) - (text.from - text.at)
  if (more > 0) {
    // Room for a longer number, before the characters move there.
    append(section, NOTHING, 0, more)
    section.bytes.copyWithin(text.from + more, text.from, text.from + length)
    text.from += more
  }
  let rest = length
  for (let at = text.at; at < text.from; at++) {
    section.bytes[at] = (rest & 0x7f) | (at < text.from - 1 ? 0x80 : 0)
    rest >>>= 7
  }
}

const NOTHING = new Uint8Array(8)

/** Bytes of a number in lib0's encoding (count). */
const sizeOf = (number: number): number => {
  let size = 1
  for (let rest = number; rest >= 0x80; rest /= 0x80) size++
  return size
}

/** Skips `count` bytes of UTF-8. Returns their UTF-16 units. */
const skipCharacters = (reader: decoding.Decoder, count: number): number => {
  const { arr, pos } = reader
  const end = pos + count
  if (end > arr.length) throw new Error('a length points past the end')
  let at = pos
  while (at < end && arr[at]! < ASCII_END) at++
  reader.pos = end
  return at - pos + (at < end ? utf8.decode(arr.subarray(at, end)).length : 0)
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const writeDeletions = (to: encoding.Encoder, deletions: Map<number, Deletion[]>): void => {
  encoding.writeVarUint(to, deletions.size)
  for (const [client, list] of deletions) {
    const ranges = merged(list)
    encoding.writeVarUint(to, client)
    encoding.writeVarUint(to, ranges.length)
    for (const { clock, end } of ranges) {
      encoding.writeVarUint(to, clock)
      encoding.writeVarUint(to, end - clock)
    }
  }
}

/** Sorted ranges that do not touch. */
const merged = (list: Deletion[]): Deletion[] => {
  const ranges: Deletion[] = []
  for (const one of list.sort((a, b) => a.clock - b.clock)) {
    const last = ranges.at(-1)
    if (last === undefined || one.clock > last.end) ranges.push({ ...one })
    else last.end = Math.max(last.end, one.end)
  }
  return ranges
}
