import type { LineRange, TextEdit } from '../../lib/merge/edits.ts'
import { byteLength } from '../../lib/text/bytes.ts'
import type { FileKey } from '../../protocol/ids.ts'

/** A version of a file that an agent read, or lines of it. */
export interface ReadFile {
  file_key: string
  version: number
  /** Lines of that version; absent: all of it. */
  from_line?: number | undefined
  to_line?: number | undefined
}

/** A file of which others changed what an agent had read. */
export interface StaleFile {
  file_key: FileKey
  read_version: number
  now_version: number
  /** Lines of the file as it is now; none where they are not known: a file that is not text, or whose old text is gone. */
  lines: LineRange[]
}

/** Files, and lines of each, that a result says (count). */
const MAX_STALE_FILES = 8
const MAX_STALE_LINES = 8
/** All of them as JSON (bytes): readers of an earlier version accept 1,024 bytes of fields that they do not know, by a coarser count. */
const MAX_STALE_BYTES = 700

/**
 * The lines of `after` in which others changed what was read of `before`. `edits` turn one into the other; `isOwn` tells by
 * their index the ones whose text the reader wrote itself. A removal is at the line that follows it.
 */
export const staleLines = (
  before: string,
  after: string,
  edits: readonly TextEdit[],
  read: LineRange | null,
  isOwn: (edit: number) => boolean,
): LineRange[] => {
  const [was, is] = [startsOf(before), startsOf(after)]
  const from = read === null ? 0 : startOf(was, read.from_line, before)
  const to = read === null ? before.length + 1 : startOf(was, read.to_line + 1, before)
  const found: LineRange[] = []
  let shift = 0
  for (const [i, { index, remove, insert }] of edits.entries()) {
    const at = index + shift
    shift += insert.length - remove
    const isWithin = index < to && (remove > 0 ? index + remove > from : index > from)
    const isRead = read === null || isWithin
    if (!isRead || isOwn(i)) continue
    const from_line = lineAt(is, at)
    const to_line = lineAt(is, at + Math.max(0, insert.length - 1))
    const last = found.at(-1)
    if (last !== undefined && from_line <= last.to_line + 1) last.to_line = to_line
    else found.push({ from_line, to_line })
  }
  return found
}

/** The ranges of `after` that the edits inserted, half-open. */
export const insertedBy = (edits: readonly TextEdit[]): [number, number][] => {
  let shift = 0
  return edits.map(({ index, remove, insert }) => {
    const at = index + shift
    shift += insert.length - remove
    return [at, at + insert.length]
  })
}

/** As many of them as a result may say. */
export const boundedStale = (files: readonly StaleFile[]): StaleFile[] => {
  const kept: StaleFile[] = []
  let bytes = 2
  for (const { lines, ...file } of files.slice(0, MAX_STALE_FILES)) {
    const one = { ...file, lines: lines.slice(0, MAX_STALE_LINES) }
    bytes += byteLength(JSON.stringify(one)) + 1
    if (bytes > MAX_STALE_BYTES) break
    kept.push(one)
  }
  return kept
}

/** `read at version 3, now 5, lines 4-6, 9`. */
export const staleText = ({
  lines,
  read_version,
  now_version,
}: Omit<StaleFile, 'file_key'>): string => {
  const shown = lines.map(({ from_line, to_line }) =>
    from_line === to_line ? `${from_line}` : `${from_line}-${to_line}`,
  )
  const where = shown.length === 0 ? '' : `, lines ${shown.join(', ')}`
  return `read at version ${read_version}, now ${now_version}${where}`
}

/** Tells the line (1-based) of an offset of a text. */
export const lineIndex = (text: string): ((offset: number) => number) => {
  const starts = startsOf(text)
  return (offset) => lineAt(starts, offset)
}

/** Offsets at which lines begin. */
const startsOf = (text: string): number[] => {
  const starts = [0]
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) {
    starts.push(end + 1)
  }
  return starts
}

const startOf = (starts: readonly number[], line: number, text: string): number =>
  starts[line - 1] ?? text.length + 1

const lineAt = (starts: readonly number[], offset: number): number => {
  let [low, high] = [0, starts.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (starts[middle]! <= offset) low = middle + 1
    else high = middle
  }
  return low
}
