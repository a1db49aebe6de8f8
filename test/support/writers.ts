import * as Y from 'yjs'
import type { AgentId, FileId } from '../../protocol/ids.ts'
import { textOf } from '../../workspace/document/schema.ts'
import { appendText, replaceLines, replaceText } from '../../workspace/files/file-edit.ts'
import { readFile } from '../../workspace/files/file-info.ts'
import { putFile } from '../../workspace/files/put-file.ts'

/** Writers that change one file, each in its own way. Every so often one inserts a line of its own, a marker. */

export const KEY = 'shared.md'
/** Lines of the file at the start begin so; nobody changes or removes any other. */
export const BASE = 'base'
/** Lines of the file at the start have other words: a marker that shares half of a line reads as that line, edited. */
const BASE_WORDS = ['語彙', '👨‍🌾 👋🏿', 'ö', '𝒴', 'other', 'سلام', '[]', '🇫🇷']
const WORDS = ['漢字', '👩‍👩‍👧 👍🏽', 'é', '𝒳', 'plain', 'مرحبا', '\t', '{ }', '🇩🇪']

export const baseWord = (random: () => number): string =>
  BASE_WORDS[pick(random, BASE_WORDS.length)]!
export const word = (random: () => number): string => WORDS[Math.floor(random() * WORDS.length)]!

/** What a writer of a kind does in one step; it says which markers it has finished, and so are to stay. */
export interface Writer {
  doc: Y.Doc
  step: () => string[] | Promise<string[]>
  /** It is in the middle of a line. */
  isTyping?: () => boolean
}

export interface Context {
  doc: Y.Doc
  by: AgentId
  random: () => number
  /** A new marker line, without its end. */
  marker: () => string
}

export const pick = (random: () => number, below: number): number => Math.floor(random() * below)
export const eolOf = (text: string): string => (text.includes('\r\n') ? '\r\n' : '\n')

/** A local copy of the text changed as people do: a marker line somewhere; now and then a base line edited or gone. */
export const editCopy = (text: string, random: () => number, marker: string | null): string => {
  const eol = eolOf(text)
  const lines = text.split(eol)
  if (marker !== null) {
    const at = pick(random, lines.length)
    if (text === '') return `${marker}${eol}`
    lines.splice(at, 0, marker)
  }
  const at = pick(random, lines.length)
  const number = /^base (\d+) /.exec(lines[at]!)?.[1]
  // A line in which somebody is typing a marker stays: what is added at its end would stand inside the marker.
  const isTyped = lines[at]!.includes('⟦')
  if (number !== undefined && lines[at]!.length < 1_000 && random() < 0.3 && !isTyped) {
    // What is edited by one while another removes the line stays as a fragment beside the next: docs/files.md.
    if (Number(number) % 2 === 0) lines[at] = `${lines[at]} ${baseWord(random)}`
    else lines.splice(at, 1)
  }
  return lines.join(eol)
}

/** `file-get`, some edits of the local copy, `file-put`. */
export const putter = ({ doc, by, random, marker }: Context): Writer => {
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
export const editor = ({ doc, by, random, marker }: Context): Writer => ({
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
export const typist = ({ doc, random, marker }: Context): Writer => {
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
