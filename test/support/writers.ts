import * as Y from 'yjs'
import { seeded } from '../../bench/stats.ts'
import { appendText, replaceLines, replaceText } from '../../workspace/file-edit.ts'
import { putFile, readFile } from '../../workspace/files.ts'
import type { AgentId, FileId } from '../../workspace/ids.ts'
import { textOf } from '../../workspace/schema.ts'

/**
 * Many writers change one file at once, each in its own way, and sync with each other at random. Every so often one
 * inserts a line of its own, a marker: what the merge is good for is counted in markers.
 */

const KEY = 'shared.md'
/** Lines of the file at the start begin so; nobody changes or removes any other. */
const BASE = 'base'
/** Lines of the file at the start have other words: a marker that shares half of a line reads as that line, edited. */
const BASE_WORDS = ['語彙', '👨‍🌾 👋🏿', 'ö', '𝒴', 'other', 'سلام', '[]', '🇫🇷']
const WORDS = ['漢字', '👩‍👩‍👧 👍🏽', 'é', '𝒳', 'plain', 'مرحبا', '\t', '{ }', '🇩🇪']

export type Start = 'text' | 'empty' | 'no line end' | 'CRLF' | '1 MB line'
export const STARTS: readonly Start[] = ['text', 'empty', 'no line end', 'CRLF', '1 MB line']

const startText = (start: Start, random: () => number): string => {
  const lines = Array.from(
    { length: 30 },
    (_, i) => `${BASE} ${i} ${baseWord(random)} ${baseWord(random)}`,
  )
  if (start === 'empty') return ''
  if (start === 'CRLF') return lines.map((line) => `${line}\r\n`).join('')
  if (start === 'no line end') return lines.join('\n')
  if (start === '1 MB line') lines[15] = `${BASE} ${'x漢'.repeat(262_144)}`
  return lines.map((line) => `${line}\n`).join('')
}

const baseWord = (random: () => number): string => BASE_WORDS[pick(random, BASE_WORDS.length)]!
const word = (random: () => number): string => WORDS[Math.floor(random() * WORDS.length)]!

/** What a writer of a kind does in one step; it says which markers it has finished. */
interface Writer {
  doc: Y.Doc
  step: () => string[]
  /** It is in the middle of a line. */
  isTyping?: () => boolean
}

interface Context {
  doc: Y.Doc
  by: AgentId
  random: () => number
  /** A new marker line, without its end. */
  marker: () => string
}

const pick = (random: () => number, below: number): number => Math.floor(random() * below)
const eolOf = (text: string): string => (text.includes('\r\n') ? '\r\n' : '\n')

/** A local copy of the text changed as people do: a marker line somewhere; now and then a base line edited or gone. */
const editCopy = (text: string, random: () => number, marker: string | null): string => {
  const eol = eolOf(text)
  const lines = text.split(eol)
  if (marker !== null) {
    const at = pick(random, lines.length)
    if (text === '') return `${marker}${eol}`
    lines.splice(at, 0, marker)
  }
  const at = pick(random, lines.length)
  const number = /^base (\d+) /.exec(lines[at]!)?.[1]
  if (number !== undefined && lines[at]!.length < 1_000 && random() < 0.3) {
    // What is edited by one while another removes the line stays as a fragment beside the next: docs/files.md.
    if (Number(number) % 2 === 0) lines[at] = `${lines[at]} ${baseWord(random)}`
    else lines.splice(at, 1)
  }
  return lines.join(eol)
}

/** `file-get`, some edits of the local copy, `file-put`. */
const putter = ({ doc, by, random, marker }: Context): Writer => {
  let base: string | null = null
  let copy = ''
  let open: string[] = []
  const step = (): string[] => {
    if (base === null) {
      base = readFile(doc, KEY).content
      copy = base
      open = []
      return []
    }
    if (random() < 0.6) {
      const line = random() < 0.7 ? marker() : null
      if (line !== null) open.push(line)
      copy = editCopy(copy, random, line)
      return []
    }
    putFile(doc, { key: KEY, content: copy, base, by, now: 1 })
    const done = open
    // Sometimes it goes on with the copy it has, as a mirror does with what it wrote.
    const merged = readFile(doc, KEY).content
    const goesOn = random()
    base = goesOn < 0.4 ? null : goesOn < 0.7 ? copy : merged
    if (base !== null) copy = base
    open = []
    return done
  }
  return { doc, step }
}

/** `file-edit` by text and by lines, `file-append`. */
const editor = ({ doc, by, random, marker }: Context): Writer => ({
  doc,
  step: () => {
    const { content } = readFile(doc, KEY)
    const line = marker()
    const put = (next: string): string[] => {
      putFile(doc, { key: KEY, content: next, base: content, by, now: 1 })
      return [line]
    }
    const way = random()
    const lines = content.split(eolOf(content))
    const at = pick(random, lines.length)
    const old = lines[at]!
    if (way < 0.4 || !old.startsWith(BASE) || old.length > 1_000)
      return put(appendText(content, line))
    if (way < 0.7) return put(replaceLines(content, at + 1, at + 1, `${old}\n${line}`))
    const [find] = old.split(' ', 2)
    const { content: next } = replaceText(content, find!, find!, true)
    return put(appendText(next, line))
  },
})

/** Types character by character into the Y.Text, as a person with an editor does. */
const typist = ({ doc, random, marker }: Context): Writer => {
  let rest: string[] = []
  let line = ''
  let at: Y.RelativePosition | null = null
  const text = textOf(doc, KEY as string as FileId)
  const step = (): string[] => {
    if (at === null) {
      const content = text.toJSON()
      line = marker()
      rest = [...line]
      const starts = [0]
      for (let end = content.indexOf('\n'); end !== -1; end = content.indexOf('\n', end + 1)) {
        starts.push(end + 1)
      }
      // A new line first, as the Enter key makes it, and then what is in it.
      const start = starts[pick(random, starts.length)]!
      text.insert(start, eolOf(content))
      at = Y.createRelativePositionFromTypeIndex(text, start, -1)
    }
    for (const char of rest.splice(0, 1 + pick(random, 6))) {
      const index = Y.createAbsolutePositionFromRelativePosition(at, doc)!.index
      text.insert(index, char)
      at = Y.createRelativePositionFromTypeIndex(text, index + char.length, -1)
    }
    if (rest.length > 0) return []
    at = null
    return [line]
  }
  return { doc, step, isTyping: () => at !== null }
}

/** Whole contents, the last one wins: what most shared folders do with the same script. */
class LastWriterWins {
  #newest = { at: 0, by: 0, content: '' }
  readonly #seen: { at: number; by: number; content: string }[]
  constructor(content: string, writers: number) {
    this.#newest.content = content
    this.#seen = Array.from({ length: writers }, () => this.#newest)
  }
  sync(writer: number): void {
    this.#seen[writer] = this.#newest
  }
  write(writer: number, at: number, random: () => number, marker: string): void {
    const content = editCopy(this.#seen[writer]!.content, random, marker)
    this.#seen[writer] = { at, by: writer, content }
    this.#newest = this.#seen[writer]!
  }
  get content(): string {
    return this.#newest.content
  }
}

export interface Outcome {
  markers: number
  lost: number
  doubled: number
  /** Markers that are there but share their line with what somebody else wrote. */
  joined: number
  /** U+FFFD or half a character in it. */
  broken: boolean
  equal: boolean
  /** Markers that the same script loses where the last writer wins. */
  lostByLastWriter: number
}

/** One run: `writers` of all kinds, `steps` each, in an order and with syncs that the seed decides. */
export const runWriters = (seed: number, start: Start, writers: number, steps: number): Outcome => {
  const random = seeded(seed)
  const docs = Array.from({ length: writers }, (_, i) => {
    const doc = new Y.Doc()
    doc.clientID = 1 + i + seed * 100
    return doc
  })
  const send = (from: Y.Doc, to: Y.Doc) =>
    Y.applyUpdate(to, Y.encodeStateAsUpdate(from, Y.encodeStateVector(to)))
  const content = startText(start, random)
  const by = (i: number) => `a-${i}` as AgentId
  putFile(docs[0]!, { key: KEY, content, base: null, by: by(0), now: 0 })
  for (const doc of docs) if (doc !== docs[0]) send(docs[0]!, doc)

  let count = 0
  const kinds = [putter, editor, typist]
  const all = docs.map((doc, i) =>
    kinds[i % kinds.length]!({
      doc,
      by: by(i),
      random,
      marker: () => `⟦${i}-${count++}⟧ ${word(random)}`,
    }),
  )
  const last = new LastWriterWins(content, writers)
  const expected: string[] = []
  const told: string[] = []
  for (let n = 0; n < steps * writers; n++) {
    const i = pick(random, writers)
    const done = all[i]!.step()
    expected.push(...done)
    for (const line of done) {
      last.write(i, n, random, line)
      told.push(line)
    }
    if (random() < 0.3) {
      const [from, to] = [pick(random, writers), pick(random, writers)]
      if (from !== to) send(docs[from]!, docs[to]!)
      last.sync(to)
    }
  }
  for (const writer of all) while (writer.isTyping?.()) expected.push(...writer.step())
  for (const from of docs) for (const to of docs) if (from !== to) send(from, to)
  for (const from of docs) for (const to of docs) if (from !== to) send(from, to)

  const texts = docs.map((doc) => readFile(doc, KEY).content)
  const times = expected.map((line) => texts[0]!.split(line).length - 1)
  const lines = new Set(texts[0]!.split(/\r?\n/))
  const kept = new Set(last.content.split(/\r?\n/))
  return {
    markers: expected.length,
    lost: times.filter((count) => count === 0).length,
    doubled: times.filter((count) => count > 1).length,
    joined: expected.filter((line) => !lines.has(line)).length,
    broken: /\ufffd|\p{Surrogate}/u.test(texts[0]!),
    equal: texts.every((text) => text === texts[0]),
    lostByLastWriter: told.filter((line) => !kept.has(line)).length,
  }
}
