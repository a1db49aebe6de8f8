import * as Y from 'yjs'
import { byteLength } from '../../lib/text/bytes.ts'
import {
  MAX_MARK_BYTES,
  MAX_OTHER_NAME_BYTES,
  MAX_OTHER_VALUE_BYTES,
} from '../../protocol/limits.ts'
import type { TypeShape } from './grammar.ts'
import { entryAt, type TypePlace } from './places.ts'
import { jsonProblem } from './values.ts'

const MAX_MARK_NAME_BYTES = 128
/** Levels of a mark's value: a link's address, a colour, or an object of such. */
const MAX_MARK_DEPTH = 4

type Content = Y.Item['content']

/** The kinds of content in words, by Yjs' number for them (V1 encoding). */
const KINDS = [
  '',
  'deleted',
  'JSON',
  'binary',
  'text',
  'an embed',
  'a mark',
  'a type',
  'values',
  'a subdocument',
]

/** A fault against the grammar: its place ("agents / a-1 / name") and its description. */
export interface Broken {
  path: string
  reason: string
}

/** The fault of an item's content at its place; null: it has none. */
export const contentProblem = (
  place: TypePlace,
  key: string | null,
  content: Content,
): Broken | null => {
  if (content instanceof Y.ContentDeleted) return null
  const problem = place.nameProblem ?? keyProblem(place, key) ?? heldProblem(place, key, content)
  return problem === null ? null : { path: pathOf(place, key), reason: problem }
}

/** The place in words. */
export const pathOf = ({ root, under, depth }: TypePlace, key: string | null): string =>
  [root, depth > 0 ? under : null, key]
    .filter((part) => part !== null)
    .map((part) => JSON.stringify(part.slice(0, 80)).slice(1, -1))
    .join(' / ')

const keyProblem = ({ rule }: TypePlace, key: string | null): string | null => {
  if (rule.shape === 'any') {
    return key !== null && byteLength(key) > MAX_OTHER_NAME_BYTES
      ? `the key is over the limit of ${MAX_OTHER_NAME_BYTES} bytes`
      : null
  }
  if (rule.shape === 'map') {
    if (key === null) return 'it is a map, and this has no key'
    const problem = rule.key?.problem(key) ?? null
    return problem === null ? null : `the key ${problem}`
  }
  return key === null ? null : `it is a ${rule.shape}, and this has a key`
}

const heldProblem = ({ rule }: TypePlace, key: string | null, content: Content): string | null => {
  if (rule.shape === 'text') return textProblem(content)
  if (rule.shape === 'any') return otherProblem(content)
  const entry = entryAt(rule, key)
  if (content instanceof Y.ContentAny || content instanceof Y.ContentJSON) {
    if (entry?.value === undefined) return 'a plain value cannot stand there'
    for (const value of content.getContent()) {
      const problem = entry.value.problem(value)
      if (problem !== null) return problem
    }
    return null
  }
  if (content instanceof Y.ContentType && entry?.type !== undefined) {
    return isOfShape(content.type, entry.type.shape) ? null : `it takes a ${entry.type.shape} only`
  }
  return `${KINDS[content.getRef()] ?? 'this'} cannot stand there`
}

const isOfShape = (type: unknown, shape: TypeShape): boolean =>
  shape === 'any' || type instanceof { map: Y.Map, list: Y.Array, text: Y.Text }[shape]

/**
 * A text holds characters, and marks as editors write them. Yjs counts any other content as a
 * character; a reader sees none.
 */
const textProblem = (content: Content): string | null => {
  if (content instanceof Y.ContentString) return null
  if (content instanceof Y.ContentFormat) return markProblem(content)
  return `a text takes text and marks, not ${KINDS[content.getRef()] ?? 'this'}`
}

const markProblem = ({ key, value }: Y.ContentFormat): string | null => {
  if (byteLength(key) > MAX_MARK_NAME_BYTES) return 'a mark has too long a name'
  const problem = jsonProblem(value, MAX_MARK_BYTES, { depth: MAX_MARK_DEPTH })
  return problem === null ? null : `a mark ${problem}`
}

/** The values of roots of other programs: bounded, and nothing that JSON fails on. */
const otherProblem = (content: Content): string | null => {
  if (content instanceof Y.ContentFormat) return markProblem(content)
  if (content instanceof Y.ContentBinary) {
    return content.content.length > MAX_OTHER_VALUE_BYTES ? tooLong : null
  }
  if (content instanceof Y.ContentDoc) {
    const { guid } = content.doc
    return byteLength(guid) > MAX_OTHER_NAME_BYTES
      ? tooLong
      : jsonProblem(content.opts, MAX_MARK_BYTES, { loose: true })
  }
  if (content instanceof Y.ContentType && content.type instanceof Y.XmlElement) {
    return byteLength(content.type.nodeName) > MAX_OTHER_NAME_BYTES ? tooLong : null
  }
  if (content instanceof Y.ContentEmbed) return valueProblem(content.embed)
  if (content instanceof Y.ContentAny || content instanceof Y.ContentJSON) {
    for (const value of content.getContent()) {
      const problem = valueProblem(value)
      if (problem !== null) return problem
    }
  }
  return null
}

const tooLong = `it is over the limit of ${MAX_OTHER_VALUE_BYTES} bytes`
const valueProblem = (value: unknown): string | null =>
  jsonProblem(value, MAX_OTHER_VALUE_BYTES, { loose: true })
