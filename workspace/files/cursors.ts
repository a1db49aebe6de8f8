import * as Y from 'yjs'
import { diffTokens } from '../../lib/merge/diff.ts'
import type { LineRange } from '../../lib/merge/edits.ts'
import type { AgentId, FileId, FileKey } from '../../protocol/ids.ts'
import type { FileCursor, Intent, Presence } from '../agents/presence.ts'
import { textOf } from '../document/schema.ts'
import { indexAt, offsetAt, placeAt } from './text-index.ts'
import { keysByFileId } from './tree.ts'

/** An agent in a file and its lines there: 1-based, inclusive, as the file is now. */
export interface Editing extends LineRange {
  agent_id: AgentId
  name: string
  file_key: FileKey
}

/**
 * An announced change of lines in a file. It locks nothing: agents who put the same lines are told.
 */
export interface Intended extends Editing {
  note: string
  /** ISO time at which it is forgotten. */
  until: string
}

/** A position in a file that moves along with the text around it. */
export const cursorOver = (
  doc: Y.Doc,
  file: FileId,
  { from_line, to_line }: LineRange,
): FileCursor => {
  const text = textOf(doc, file)
  const content = text.toJSON()
  const at = (offset: number): unknown => placeAt(text, indexAt(text, offset))
  const start = startOf(content, from_line)
  const end = startOf(content, to_line + 1)
  return {
    file,
    anchor: at(start),
    head: at(end > start && content[end - 1] === '\n' ? end - 1 : end),
  }
}

/** Offset at which a line begins; the end of the text where it has fewer lines. */
const startOf = (content: string, line: number): number => {
  let at = 0
  for (let n = 1; n < line; n++) {
    const end = content.indexOf('\n', at)
    if (end === -1) return content.length
    at = end + 1
  }
  return at
}

/**
 * Index of an untrusted relative position in this text; null: it belongs to another text or is
 * malformed.
 */
export const indexOf = (doc: Y.Doc, text: Y.Text, name: string, json: unknown): number | null => {
  try {
    const position = Y.createRelativePositionFromJSON(json)
    // Looking up a root by its name would create it.
    if (position.tname !== null && position.tname !== name) return null
    const found = Y.createAbsolutePositionFromRelativePosition(position, doc)
    return found === null || found.type !== text ? null : found.index
  } catch {
    return null
  }
}

const placeOf = (
  doc: Y.Doc,
  { agent }: Presence,
  cursor: FileCursor,
  keys: ReadonlyMap<string, FileKey>,
  contents: Map<string, string>,
): Editing | null => {
  const { file } = cursor
  const file_key = keys.get(file)
  if (file_key === undefined) return null
  const text = textOf(doc, file)
  const [a, b] = [cursor.anchor, cursor.head].map((json) =>
    indexOf(doc, text, `file:${file}`, json),
  )
  if (a === null || b === null || a === undefined || b === undefined) return null
  const content = contents.get(file) ?? text.toJSON()
  contents.set(file, content)
  const lineAt = (index: number) => content.slice(0, offsetAt(text, index)).split('\n').length
  const [from_line, to_line] = [lineAt(Math.min(a, b)), lineAt(Math.max(a, b))]
  return { agent_id: agent.id, name: agent.name, file_key, from_line, to_line }
}

/**
 * Cursors and announced changes by path and line. Awareness states are untrusted: those that fit
 * nothing are left out.
 */
export const whoIsIn = (
  doc: Y.Doc,
  presences: Iterable<Presence>,
  now: number,
): { editing: Editing[]; intents: Intended[] } => {
  const editing: Editing[] = []
  const intents: Intended[] = []
  const keys = keysByFileId(doc)
  const contents = new Map<string, string>()
  for (const presence of presences) {
    const { cursor } = presence
    const place = cursor && placeOf(doc, presence, cursor, keys, contents)
    if (place) editing.push(place)
    for (const intent of presence.intents ?? []) {
      if (!isIntent(intent) || intent.until <= now) continue
      const place = placeOf(doc, presence, intent, keys, contents)
      const until = new Date(Math.min(intent.until, 8.64e15)).toISOString()
      if (place) intents.push({ ...place, note: intent.note, until })
    }
  }
  const order = (a: Editing, b: Editing): number =>
    a.file_key === b.file_key ? a.from_line - b.from_line : a.file_key < b.file_key ? -1 : 1
  return { editing: editing.sort(order), intents: intents.sort(order) }
}

const isIntent = (intent: unknown): intent is Intent => {
  const { note, until } = (intent ?? {}) as Partial<Intent>
  return typeof note === 'string' && typeof until === 'number'
}

/**
 * The lines of `after` that lines of `before` became; removed lines become the place where they
 * were.
 */
export const mapLines = (
  before: string,
  after: string,
  { from_line, to_line }: LineRange,
): LineRange => {
  const hunks = diffTokens(before.split('\n'), after.split('\n'))
  const map = (line: number, isEnd: boolean): number => {
    let shift = 0
    for (const { a0, a1, b0, b1 } of hunks) {
      if (line <= a0) break
      if (line <= a1) return Math.max(1, isEnd ? b1 : b0 + 1)
      shift = b1 - a1
    }
    return line + shift
  }
  const first = map(from_line, false)
  return { from_line: first, to_line: Math.max(first, map(to_line, true)) }
}

/** Tells whether two ranges of lines overlap. */
export const overlap = (these: readonly LineRange[], { from_line, to_line }: LineRange): boolean =>
  these.some((lines) => lines.from_line <= to_line && from_line <= lines.to_line)
