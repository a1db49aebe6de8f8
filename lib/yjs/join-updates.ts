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
  /** The structs as bytes. */
  parts: Uint8Array[]
  /** The newest struct, if it is a text that the next one may go on; it is not in `parts` yet. */
  text: Text | null
}

/** A struct of characters. */
interface Text {
  /** All of it as it came, and what stands before its characters. */
  struct: Uint8Array
  head: Uint8Array
  /** UTF-8, and its length. */
  words: Uint8Array[]
  bytes: number
  /** UTF-16 units. */
  units: number
  /** True if its origin is its client's operation before it. */
  isNext: boolean
  /** True if it is the value of a key. */
  isValue: boolean
  right: { client: number; clock: number } | null
}

interface Deletion {
  clock: number
  end: number
}

/**
 * One update (Yjs, V1 encoding) with all operations and deletions of `updates`, in which each client's operations follow
 * each other; repeated ones are left out. Null: they do not follow each other, or a repeated one goes on. Characters
 * typed one after the other become one struct, as Yjs does with them. Takes a fraction of the time of `Y.mergeUpdates`,
 * as contents are not decoded. Throws on malformed bytes.
 */
export const joinUpdates = (updates: readonly Uint8Array[]): Uint8Array | null => {
  const sections = new Map<number, Section>()
  const deletions = new Map<number, Deletion[]>()
  for (const update of updates) {
    const reader = decoding.createDecoder(update)
    if (!addStructs(reader, sections)) return null
    addDeletions(reader, deletions)
  }
  return encoding.encode((to) => {
    writeSections(to, sections)
    writeDeletions(to, deletions)
  })
}

/** False: the structs do not go on where the section of their client ends. */
const addStructs = (reader: decoding.Decoder, sections: Map<number, Section>): boolean => {
  for (let clients = decoding.readVarUint(reader); clients > 0; clients--) {
    let structs = decoding.readVarUint(reader)
    const client = decoding.readVarUint(reader)
    let clock = decoding.readVarUint(reader)
    const section = sections.get(client) ?? newSection(clock)
    sections.set(client, section)
    for (; structs > 0 && clock < section.end; structs--) {
      clock += skipStruct(reader, anything)!
    }
    if (structs > 0 ? clock !== section.end : clock > section.end) return false
    for (; structs > 0; structs--) {
      const kind = reader.arr[reader.pos]! & KIND
      if (kind === SKIP) return false
      if (kind === TEXT) addText(section, readText(reader, client, section.end))
      else addStruct(section, reader)
    }
  }
  return true
}

const newSection = (clock: number): Section => ({
  ...{ structs: 0, clock, end: clock, parts: [], text: null },
})

const addStruct = (section: Section, reader: decoding.Decoder): void => {
  endText(section)
  const from = reader.pos
  section.end += skipStruct(reader, anything)!
  section.structs++
  section.parts.push(reader.arr.subarray(from, reader.pos))
}

/** Reads a struct of characters whose first operation is `clock` of `client`. */
const readText = (reader: decoding.Decoder, client: number, clock: number): Text => {
  const { arr } = reader
  const from = reader.pos
  const info = decoding.readUint8(reader)
  let isNext = false
  let right: Text['right'] = null
  if ((info & (HAS_ORIGIN | HAS_RIGHT_ORIGIN)) === 0) skipHead(reader, info, anything)
  if (info & HAS_ORIGIN) {
    const [of, at] = [decoding.readVarUint(reader), decoding.readVarUint(reader)]
    isNext = of === client && at === clock - 1
  }
  if (info & HAS_RIGHT_ORIGIN) {
    right = { client: decoding.readVarUint(reader), clock: decoding.readVarUint(reader) }
  }
  const head = arr.subarray(from, reader.pos)
  const content = reader.pos
  const bytes = decoding.readVarUint(reader)
  const words = [arr.subarray(reader.pos, reader.pos + bytes)]
  reader.pos = content
  const units = decoding.readVarString(reader).length
  const struct = arr.subarray(from, reader.pos)
  const isValue = (info & HAS_KEY) !== 0
  return { struct, head, words, bytes, units, isNext, isValue, right }
}

/** Yjs would cut the joined text into just these two, should anything come between them. */
const goesOn = (before: Text, { isNext, isValue, right }: Text): boolean =>
  isNext &&
  !isValue &&
  !before.isValue &&
  before.right?.client === right?.client &&
  before.right?.clock === right?.clock

const addText = (section: Section, text: Text): void => {
  const before = section.text
  section.end += text.units
  if (before !== null && goesOn(before, text)) {
    before.words.push(text.words[0]!)
    before.bytes += text.bytes
    return
  }
  endText(section)
  section.structs++
  section.text = text
}

/** Puts the open text of a section to its structs. */
const endText = (section: Section): void => {
  const { text, parts } = section
  if (text === null) return
  section.text = null
  if (text.words.length === 1) parts.push(text.struct)
  else {
    const length = encoding.encode((to) => encoding.writeVarUint(to, text.bytes))
    parts.push(text.head, length, ...text.words)
  }
}

const addDeletions = (reader: decoding.Decoder, deletions: Map<number, Deletion[]>): void => {
  for (let clients = decoding.readVarUint(reader); clients > 0; clients--) {
    const client = decoding.readVarUint(reader)
    const list = deletions.get(client) ?? []
    deletions.set(client, list)
    for (let left = decoding.readVarUint(reader); left > 0; left--) {
      const clock = decoding.readVarUint(reader)
      list.push({ clock, end: clock + decoding.readVarUint(reader) })
    }
  }
}

/** The highest client id first, as Yjs writes them. */
const writeSections = (to: encoding.Encoder, sections: Map<number, Section>): void => {
  for (const section of sections.values()) endText(section)
  const filled = [...sections].filter(([, { structs }]) => structs > 0).sort(([a], [b]) => b - a)
  encoding.writeVarUint(to, filled.length)
  for (const [client, { structs, clock, parts }] of filled) {
    for (const number of [structs, client, clock]) encoding.writeVarUint(to, number)
    for (const part of parts) encoding.writeUint8Array(to, part)
  }
}

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
    if (last === undefined || one.clock > last.end) ranges.push(one)
    else last.end = Math.max(last.end, one.end)
  }
  return ranges
}
