import type * as Y from 'yjs'
import type { LineRange } from '../../lib/merge/edits.ts'
import type { AgentId, FileId, FileKey } from '../../protocol/ids.ts'
import { editsOf, type Json, textOf } from '../../workspace/document/schema.ts'
import { isEditCount } from '../../workspace/document/shape.ts'
import { authorsIn } from '../../workspace/files/authors.ts'
import {
  type EditSpan,
  rangesOfLines,
  rangesOfSpans,
  spansOver,
  type TextRange,
} from '../../workspace/files/edit-ranges.ts'
import type { TogetherWith } from '../../workspace/files/find-together.ts'
import type { FileConflict } from '../../workspace/files/put-file.ts'
import { lineIndex } from '../../workspace/files/stale.ts'
import { offsetsOf } from '../../workspace/files/text-index.ts'
import { lookTogether } from '../../workspace/files/together.ts'
import { keysByFileId } from '../../workspace/files/tree.ts'
import type { Replica } from './replica.ts'

/** Lines of a file that this replica changed and that others changed at the same time, neither knowing. */
export interface Overlap extends FileConflict {
  file_key: FileKey
  /** The lines are not the same ones, only close: those of the other, and the symbol that has both. */
  together?: { others: LineRange; symbol: string | null }
}

/** Overlaps of the same lines, and changes that are only close to each other. */
export const splitOverlaps = (
  found: readonly Overlap[],
): { conflicts: Overlap[]; together: (TogetherWith & { file_key: FileKey })[] } => ({
  conflicts: found.filter(({ together }) => together === undefined),
  together: found.flatMap(({ file_key, from_line, to_line, by, together }) =>
    together === undefined
      ? []
      : { file_key, by: by as AgentId, lines: { from_line, to_line }, ...together },
  ),
})

/** Changes of a file that the server has not confirmed yet. */
interface Open {
  file: FileId
  spans: EditSpan[]
}

interface Kept {
  open: Open[]
  found: Overlap[]
}

const RECORD = 'overlaps'

/**
 * Finds what a merge by lines cannot see: changes of the same lines that were under way at the same time, so that the
 * document merged them by characters. The server puts all changes into one order, and of two at the same time the
 * second's author gets the first before its own is confirmed: so exactly one of them sees it here. What is open, and
 * what was found, survives a restart.
 */
export class EditConflicts {
  readonly #replica: Replica
  #open: Open[]
  #found: Overlap[]

  constructor(replica: Replica) {
    this.#replica = replica
    const kept = replica.record<Json>(RECORD) as unknown as Kept | undefined
    this.#open = kept?.open ?? []
    this.#found = kept?.found ?? []
    // A root that has not been requested has no events of its type.
    for (const { file } of this.#open) {
      textOf(replica.doc, file)
      editsOf(replica.doc, file)
    }
    replica.doc.on('afterTransaction', (transaction: Y.Transaction) => this.#look(transaction))
  }

  get isEmpty(): boolean {
    return this.#open.length + this.#found.length === 0
  }

  /** Watches lines that were changed just now, until `take`. */
  watch(file: FileId, lines: readonly LineRange[]): void {
    const text = textOf(this.#replica.doc, file)
    const spans = spansOver(text, rangesOfLines(text.toJSON(), lines))
    if (spans.length === 0) return
    this.#open.push({ file, spans })
    this.#keep()
  }

  /** Concurrent changes of others. Call it after a barrier, when no own change is unconfirmed. */
  take(): Overlap[] {
    const found = this.#found
    if (this.isEmpty) return found
    this.#open = []
    this.#found = []
    this.#keep()
    return found
  }

  #keep(): void {
    const kept: Kept = { open: this.#open, found: this.#found }
    this.#replica.keepRecord(RECORD, kept as unknown as Json)
  }

  #look({ local, changedParentTypes }: Y.Transaction): void {
    if (local || this.#open.length === 0) return
    const { doc } = this.#replica
    let keys: Map<string, FileKey> | null = null
    for (const file of new Set(this.#open.map(({ file }) => file))) {
      const text = textOf(doc, file)
      const [event] = changedParentTypes.get(text as never) ?? []
      if (event === undefined) continue
      keys ??= keysByFileId(doc)
      const key = keys.get(file)
      if (key === undefined) continue
      const content = text.toJSON()
      const theirs = rangesOf(text, event.delta)
      const spans = this.#open.flatMap((open) => (open.file === file ? open.spans : []))
      for (const [from, to] of rangesOfSpans(text, spans)) {
        const hit = theirs.filter((range) => shareLine(content, [from, to], range))
        if (hit.length === 0) {
          this.#found.push(...closeTo(doc, file, { key, content, own: [from, to], theirs }))
          continue
        }
        const end = Math.max(to, hit.at(-1)![1])
        const from_line = lineAt(content, Math.min(from, hit[0]![0]))
        const to_line = Math.max(from_line, lineAt(content, end - 1))
        const inserted = authorsIn(doc, file, hit)
        const by = inserted.length > 0 ? inserted : editors(doc, file, changedParentTypes)
        this.#found.push({ file_key: key, from_line, to_line, by: by.join(', ') })
      }
    }
    if (this.#found.length > 0) this.#keep()
  }
}

/** Changes of others that are not in the same line, but close. */
const closeTo = (
  doc: Y.Doc,
  file: FileId,
  {
    key,
    content,
    own,
    theirs,
  }: { key: FileKey; content: string; own: TextRange; theirs: readonly TextRange[] },
): Overlap[] => {
  const inserted = theirs.filter(([from, to]) => to > from)
  const line = lineIndex(content)
  const linesOf = ([from, to]: TextRange): LineRange => ({
    from_line: line(from),
    to_line: line(Math.max(from, to - 1)),
  })
  const [pair] = lookTogether(key, content, [linesOf(own)], inserted.map(linesOf))
  if (pair === undefined) return []
  const [by] = authorsIn(doc, file, inserted)
  if (by === undefined) return []
  const { others, symbol } = pair
  return [{ file_key: key, ...pair.lines, by, together: { others, symbol } }]
}

/** The Yjs clients that counted a change set of the file in this transaction. */
const editors = (
  doc: Y.Doc,
  file: FileId,
  changed: Y.Transaction['changedParentTypes'],
): string[] => {
  const edits = editsOf(doc, file)
  const [event] = (changed.get(edits as never) ?? []) as unknown as Y.YMapEvent<unknown>[]
  const counts = [...(event?.keysChanged ?? [])].map((client) => edits.get(String(client)))
  return [...new Set(counts.filter(isEditCount).map(({ agent }) => agent))].sort()
}

/** The ranges of the new text's string that a delta inserted; a deletion is an empty one. */
const rangesOf = (text: Y.Text, delta: Y.YTextEvent['delta']): TextRange[] => {
  const ranges: TextRange[] = []
  let at = 0
  for (const { retain = 0, insert, delete: removed = 0 } of delta) {
    const inserted = insert === undefined ? 0 : typeof insert === 'string' ? insert.length : 1
    if (inserted > 0 || removed > 0) ranges.push([at, at + inserted])
    at += retain + inserted
  }
  const offset = offsetsOf(text)
  return ranges.map(([from, to]) => [offset(from), offset(to)])
}

const lineAt = (content: string, offset: number): number =>
  content.slice(0, offset).split('\n').length

/** True if two ranges are parts of one line; adjacent whole lines are not. */
const shareLine = (content: string, a: TextRange, b: TextRange): boolean => {
  const [first, second] = a[0] <= b[0] ? [a, b] : [b, a]
  if (second[0] < first[1]) return true
  return !content.slice(Math.max(0, first[1] - 1), second[0]).includes('\n')
}
