import * as Y from 'yjs'
import { seeded } from './stats.ts'

/**
 * At the end of each update's text: three bytes that occur nowhere else in a stream of updates, then the writer's
 * number in two digits. A client that counts them knows how many updates arrived without decoding any, also when
 * a server merges several updates into one message.
 */
export const MARKER = Buffer.from('⁂')
const MARKER_DIGITS = 2
export const MARKER_SIZE = MARKER.length + MARKER_DIGITS

/** Inserted characters: with Yjs' own 20–30 bytes an update is 50 to 200 bytes long. */
const SHORTEST_TEXT = 25
const LONGEST_TEXT = 165

const LETTERS = 'abcdefghijklmnopqrstuvwxyz      '

/** Updates that go into one text before the writer begins the next: a file of some kilobytes. */
const UPDATES_PER_TEXT = 64

export interface Writer {
  /** Updates of one Yjs client, in the order of its clock, starting at 0. */
  updates: Uint8Array[]
  /** What each of them appends, and the name of the text it goes into. */
  words: { textName: string; appended: string }[]
}

/** What an agent that writes one file after another sends: real Yjs updates with a clientID of its own. */
export const writerUpdates = (index: number, count: number): Writer => {
  const random = seeded(index + 1)
  const doc = new Y.Doc()
  doc.clientID = 1_000_000_007 + index
  const updates: Uint8Array[] = []
  const words: Writer['words'] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (let i = 0; i < count; i++) {
    const textName = `${index}/${Math.floor(i / UPDATES_PER_TEXT)}`
    const text = doc.getText(textName)
    const length = SHORTEST_TEXT + random() * (LONGEST_TEXT - SHORTEST_TEXT)
    let appended = ''
    while (appended.length < length) appended += LETTERS[Math.floor(random() * LETTERS.length)]
    appended += `⁂${String(index).padStart(MARKER_DIGITS, '0')}`
    words.push({ textName, appended })
    text.insert(text.length, appended)
  }
  doc.destroy()
  return { updates, words }
}

/** Calls `found` with the writer of each marker in `bytes`; returns where a marker cut off by the end begins. */
export const scanMarkers = (bytes: Buffer, found: (writer: number) => void): number => {
  let at = bytes.indexOf(MARKER)
  while (at !== -1 && at + MARKER_SIZE <= bytes.length) {
    const [tens, ones] = [bytes[at + 3]! - 48, bytes[at + 4]! - 48]
    // A clock beyond 2^21 can be written with the marker's three bytes; what follows it is no digit.
    if (tens >= 0 && tens < 10 && ones >= 0 && ones < 10) found(tens * 10 + ones)
    at = bytes.indexOf(MARKER, at + MARKER.length)
  }
  if (at !== -1) return at
  const last = bytes.length - 1
  if (last >= 0 && bytes[last] === MARKER[0]) return last
  if (last >= 1 && bytes[last - 1] === MARKER[0] && bytes[last] === MARKER[1]) return last - 1
  return bytes.length
}

/** People who wrote the document of the cold-load benchmark; they take turns of this many words. */
const AUTHORS = 4
const TURN = 50
/** Words typed in a row before the caret goes elsewhere, on average; Yjs keeps such a row as one item. */
const TYPED_IN_A_ROW = 10
/** All words are this long, so that a place between two words is found without a search. */
const WORD_LENGTH = 5

export type Shape = 'typed' | 'scattered'

/**
 * The updates of a text in which `count` words were inserted one by one: `typed` in rows of some words, as people
 * do, or each `scattered` to a random place, of which Yjs can merge nothing.
 */
export const documentUpdates = (
  shape: Shape,
  count: number,
): { updates: Uint8Array[]; content: string } => {
  const random = seeded(count)
  const doc = new Y.Doc()
  const text = doc.getText(DOCUMENT_TEXT)
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  let caret = 0
  for (let i = 0; i < count; i++) {
    if (i % TURN === 0) doc.clientID = 2_000_000_011 + Math.floor(random() * AUTHORS)
    if (shape === 'scattered' || random() < 1 / TYPED_IN_A_ROW) {
      caret = Math.floor(random() * (i + 1)) * WORD_LENGTH
    }
    const letters = Math.floor(random() * 36 ** 4).toString(36)
    text.insert(caret, letters.padStart(WORD_LENGTH - 1, 'x').padEnd(WORD_LENGTH))
    caret += WORD_LENGTH
  }
  const content = text.toString()
  doc.destroy()
  return { updates, content }
}

/** Name of the Y.Text that `documentUpdates` writes, and of the room that it is in. */
export const DOCUMENT_TEXT = 'text'
export const DOCUMENT_ROOM = 'cold'
