import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import type { TextEdit } from '../../../lib/merge/edits.ts'
import { applyDeltas, type TextDelta } from '../../../lib/merge/text-delta.ts'
import type { FileContentState } from '../../../workspace/files/file-state.ts'
import { MAX_VERSION_STEPS } from '../../config/limits.ts'

/** Metadata of one version. */
export interface About {
  /** The version before it that was kept; 0: there was none. */
  previous: number
  /** The version whose content is stored whole, and from which this one is reached by deltas. */
  base: number
  /** Agents whose change sets led here from `previous`, newest first. */
  editors: string[]
  /** Milliseconds since the epoch, by the server's clock. */
  at: number
  /** Null: no path led to it. */
  path: string | null
  /** UTF-8 bytes of the content. */
  size: number
  /** Of what is stored. */
  bytes: number
  /** From `previous` to here. */
  change: Omit<TextDelta, 'edits'>
}

/** Metadata of a file's versions as a whole. */
export interface Head {
  /** The newest. */
  version: number
  /** Number of kept versions, and bytes of their contents as stored. */
  count: number
  bytes: number
  /** From the newest base on: deltas, and their bytes. */
  base: number
  steps: number
  stepBytes: number
  /** Of `count` and `bytes`: older versions that are kept for checkpoints. Absent: none. */
  spared?: { count: number; bytes: number }
}

const FORMAT = 1
const utf8 = new TextEncoder()

export const encodeJson = (value: About | Head): Uint8Array => utf8.encode(JSON.stringify(value))
export const readAbout = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as About
export const readHead = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as Head

/** A content: 1 (format), 0, text; or 1, 1, count, (units kept since the last edit, units removed, inserted text)*. */
const encodeWhole = (text: string): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, FORMAT)
    encoding.writeVarUint(encoder, 0)
    encoding.writeVarString(encoder, text)
  })

const encodeDelta = (edits: readonly TextEdit[]): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, FORMAT)
    encoding.writeVarUint(encoder, 1)
    encoding.writeVarUint(encoder, edits.length)
    let done = 0
    for (const { index, remove, insert } of edits) {
      encoding.writeVarUint(encoder, index - done)
      encoding.writeVarUint(encoder, remove)
      encoding.writeVarString(encoder, insert)
      done = index + remove
    }
  })

/** The text that these contents, the first of them whole, come to. Throws on anything else. */
export const textOfContents = ([whole, ...deltas]: readonly Uint8Array[]): string => {
  const text = whole && readContent(whole)
  if (typeof text !== 'string') throw new Error('a version has no base')
  const edits = deltas.map(readContent).filter((content) => typeof content !== 'string')
  if (edits.length < deltas.length) throw new Error('a version has two bases')
  return applyDeltas(text, edits)
}

/** The text that one more content makes of the text before it, which a whole one has no need of. Throws on anything else. */
export const textAfter = (before: string | null, content: Uint8Array): string => {
  const read = readContent(content)
  if (typeof read === 'string') return read
  if (before === null) throw new Error('a version has no base')
  return applyDeltas(before, [read])
}

const readContent = (content: Uint8Array): string | TextEdit[] => {
  const decoder = decoding.createDecoder(content)
  const format = decoding.readVarUint(decoder)
  if (format !== FORMAT) throw new Error(`a version has format ${format}; this one reads 1`)
  return decoding.readVarUint(decoder) === 0 ? decoding.readVarString(decoder) : readEdits(decoder)
}

const readEdits = (decoder: decoding.Decoder): TextEdit[] => {
  const edits: TextEdit[] = []
  let done = 0
  for (let left = decoding.readVarUint(decoder); left > 0; left--) {
    const index = done + decoding.readVarUint(decoder)
    const remove = decoding.readVarUint(decoder)
    edits.push({ index, remove, insert: decoding.readVarString(decoder) })
    done = index + remove
  }
  return edits
}

/**
 * The record of a file's newest state. It is stored as a delta to the one before, or whole where the deltas since the
 * last whole one would outgrow it or be more than MAX_VERSION_STEPS: so reading a version takes at most that many,
 * and all that is stored is at most twice the deltas, plus one content in MAX_VERSION_STEPS versions.
 *
 * `before` is the content of `head.version`; null where it cannot be read, which costs a whole record. The delta is from it,
 * or from nothing.
 */
export const recordOf = (
  { version, path, content, editors }: FileContentState,
  at: number,
  head: Head | null,
  before: string | null,
  { edits, ...change }: TextDelta,
): { about: About; content: Uint8Array; head: Head } => {
  const size = Buffer.byteLength(content)
  const delta = head === null || before === null ? null : encodeDelta(edits)
  const isDelta =
    head !== null &&
    delta !== null &&
    head.steps < MAX_VERSION_STEPS &&
    head.stepBytes + delta.length <= size
  const stored = isDelta ? delta : encodeWhole(content)
  const base = isDelta ? head.base : version
  return {
    about: {
      previous: head?.version ?? 0,
      base,
      editors,
      at,
      path,
      size,
      bytes: stored.length,
      change,
    },
    content: stored,
    head: {
      version,
      count: (head?.count ?? 0) + 1,
      bytes: (head?.bytes ?? 0) + stored.length,
      base,
      steps: isDelta ? head.steps + 1 : 0,
      stepBytes: isDelta ? head.stepBytes + delta.length : 0,
      ...(head?.spared !== undefined && { spared: head.spared }),
    },
  }
}
