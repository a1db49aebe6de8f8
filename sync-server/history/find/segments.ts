import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { tokensOf } from '../../../lib/text/search.ts'
import { Corruption } from '../../storage/integrity/corruption.ts'
import { type Op, seqDigits, seqOf } from '../../storage/integrity/level-keys.ts'

/**
 * The search index of an archive. Blocks of BLOCK entries, in the order of the archive; each block has one record per
 * segment, that is, for all tokens with the same first two characters:
 *   `q:<place>:<segment>:<block>`   per token: the token, and the distances between the places of its entries
 *   `q:<place>`                     1 (format), number of indexed blocks
 * All records of a block and the new number are one atomic write, and archived entries never change: so the index is that
 * of the first blocks at any time, and the entries after them are searched one by one.
 */
const FORMAT = 1

/** Entries in a block (count). */
export const BLOCK = 1_024

/** Begins tokens that are not words: authors, topics, readers. No word has this character. */
export const MARK = '\u0001'
export const tokenOfAuthor = (agent: string): string => `${MARK}f${agent}${MARK}`
export const tokenOfTopic = (topic: string): string => `${MARK}t${topic}${MARK}`
/** An entry that everybody may read. */
export const PUBLIC = `${MARK}p`
/** An entry that only its two agents may read. */
export const tokenOfReader = (agent: string): string => `${MARK}r${agent}${MARK}`

/** An entry with more words than MAX_WORDS: every query may match it. */
export const ANY = `${MARK}*`
const MAX_WORDS = 2_000

/** Of a token that is not a word: what stands in the key (UTF-16 units). */
const MARK_LENGTH = 24

/** Scripts without spaces stand behind this one: their words are searched by one character, too. */
const FIRST_UNSPACED = '\u0e00'

/** First characters of the tokens in one record: two of words; authors, topics and readers have records of their own. */
const segmentOf = (token: string): string => {
  if (token.startsWith(MARK)) return token.slice(0, MARK_LENGTH)
  const [first = '', second = ''] = token
  return first > FIRST_UNSPACED ? first : first + second
}

/** True if the index can tell where a token with this beginning is. */
export const isIndexed = (beginning: string): boolean =>
  beginning.length > 1 || beginning > FIRST_UNSPACED

export const endKey = (place: string): string => `q:${place}`
const segmentKey = (place: string, segment: string, block: number): string =>
  `q:${place}:${segment}:${seqDigits(block)}`

const encodeEnd = (blocks: number): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, FORMAT)
    encoding.writeVarUint(encoder, blocks)
  })

/** Blocks that are indexed; 0 for a value that cannot be read: the index is made again. */
export const decodeEnd = (value: Uint8Array | undefined): number => {
  if (value === undefined) return 0
  try {
    const decoder = decoding.createDecoder(value)
    return decoding.readVarUint(decoder) === FORMAT ? decoding.readVarUint(decoder) : 0
  } catch {
    return 0
  }
}

/** An entry of the archive as it is indexed. */
export interface Indexed {
  text: string
  /** Other tokens to find it by. */
  marks: readonly string[]
}

/** The segments of a block, by name. `entries`: in the order of the archive; null: one that cannot be read. */
export const segmentsOf = (entries: readonly (Indexed | null)[]): [string, Uint8Array][] => {
  const segments = new Map<string, Map<string, number[]>>()
  for (const [at, entry] of entries.entries()) {
    if (entry === null) continue
    for (const word of tokensFor(entry)) {
      const name = segmentOf(word)
      const segment = segments.get(name) ?? new Map<string, number[]>()
      segments.set(name, segment)
      const places = segment.get(word)
      if (places === undefined) segment.set(word, [at])
      else places.push(at)
    }
  }
  return [...segments].map(([name, words]) => [name, encodeSegment(words)])
}

const tokensFor = ({ text, marks }: Indexed): Iterable<string> => {
  const words = tokensOf(text)
  return [...(words.size > MAX_WORDS ? [ANY] : words), ...marks]
}

/** The records of a block, and the number of indexed blocks. */
export const blockOps = (
  place: string,
  block: number,
  segments: readonly [string, Uint8Array][],
): Op[] => [
  ...segments.map(
    ([name, value]): Op => ({ type: 'put', key: segmentKey(place, name, block), value }),
  ),
  { type: 'put', key: endKey(place), value: encodeEnd(block + 1) },
]

export const noBlocks = (place: string): Op => ({
  ...{ type: 'put', key: endKey(place), value: encodeEnd(0) },
})

const UTF8 = new TextEncoder()

const encodeSegment = (words: ReadonlyMap<string, readonly number[]>): Uint8Array =>
  encoding.encode((encoder) => {
    for (const [word, places] of words) {
      encoding.writeVarUint8Array(encoder, UTF8.encode(word))
      const distances = encoding.encode((list) => {
        let before = 0
        for (const at of places) {
          encoding.writeVarUint(list, at - before)
          before = at
        }
      })
      encoding.writeVarUint8Array(encoder, distances)
    }
  })

/** The keys of the records of blocks, as `rangeOf` has those of a range. */
export const keysOf = (place: string, beginning: string, blocks: readonly number[]): string[] => {
  const segment = segmentOf(beginning)
  return blocks.map((block) => segmentKey(place, segment, block))
}

/** The keys of the records of blocks `from` to `to` that may have tokens with a beginning. */
export const rangeOf = (place: string, beginning: string, from: number, to: number) => {
  const segment = segmentOf(beginning)
  return { gte: segmentKey(place, segment, from), lte: segmentKey(place, segment, to) }
}

export const blockIn = (key: string): number => seqOf(key)

/** The entries of consecutive blocks, a bit each. */
export type Places = Uint32Array
const WORDS = BLOCK / 32
export const newPlaces = (blocks: number): Places => new Uint32Array(blocks * WORDS)

const readVarUint = (bytes: Uint8Array, at: { i: number }): number => {
  let value = 0
  for (let unit = 1; ; unit *= 128) {
    const byte = bytes[at.i++]
    if (byte === undefined) throw new Corruption('the search index', 'a record ends too early')
    value += (byte & 127) * unit
    if (byte < 128) return value
  }
}

/** Adds the places in the `nth` block of all tokens with a beginning (UTF-8) to `found`. Throws Corruption. */
export const addPlaces = (
  value: Uint8Array,
  beginning: Uint8Array,
  found: Places,
  nth: number,
): void => {
  const at = { i: 0 }
  while (at.i < value.length) {
    const length = readVarUint(value, at)
    const isWanted = length >= beginning.length && beginsWith(value, at.i, beginning)
    at.i += length
    const bytes = readVarUint(value, at)
    const end = at.i + bytes
    if (end > value.length) throw new Corruption('the search index', 'a record ends too early')
    if (isWanted) addDistances(value, at, end, found, nth)
    at.i = end
  }
}

const beginsWith = (bytes: Uint8Array, from: number, beginning: Uint8Array): boolean => {
  // The first two characters are those of the record.
  for (let i = beginning.length - 1; i >= 0; i--) {
    if (bytes[from + i] !== beginning[i]) return false
  }
  return true
}

const addDistances = (
  bytes: Uint8Array,
  at: { i: number },
  end: number,
  found: Places,
  nth: number,
): void => {
  const first = nth * WORDS
  let place = 0
  while (at.i < end) {
    place += readVarUint(bytes, at)
    if (place >= BLOCK) throw new Corruption('the search index', 'a place is in no block')
    found[first + (place >> 5)]! |= 1 << (place & 31)
  }
}

/** Places (count). */
export const countOf = (places: Places): number => {
  let count = 0
  for (let i = 0; i < places.length; i++) {
    for (let bits = places[i]!; bits !== 0; bits &= bits - 1) count++
  }
  return count
}

/** Adds the other places. */
export const addAll = (places: Places, others: Places): void => {
  for (let i = 0; i < places.length; i++) places[i]! |= others[i]!
}

/** Keeps the places that both have. */
export const keepBoth = (places: Places, others: Places): void => {
  for (let i = 0; i < places.length; i++) places[i]! &= others[i]!
}

/** The blocks with places, from 0. */
export const blocksIn = (places: Places): number[] => {
  const found: number[] = []
  for (let i = 0; i < places.length; i++) {
    if (places[i] === 0) continue
    const block = Math.floor(i / WORDS)
    found.push(block)
    i = (block + 1) * WORDS - 1
  }
  return found
}

/** The places, counted from the first block on, the last one first. */
export const placesIn = (places: Places): number[] => {
  const found: number[] = []
  for (let i = places.length - 1; i >= 0; i--) {
    if (places[i] === 0) continue
    for (let bit = 31; bit >= 0; bit--) if ((places[i]! >>> bit) & 1) found.push(i * 32 + bit)
  }
  return found
}
