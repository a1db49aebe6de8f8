import * as Y from 'yjs'
import { spanOf } from '../cursors.ts'
import { authorsIn, type FileConflict } from '../files.ts'
import type { FileId, FileKey } from '../ids.ts'
import type { Lines } from '../merge.ts'
import type { Cursor } from '../presence.ts'
import { editsOf, type Json, textOf } from '../schema.ts'
import { isEditCount } from '../shape.ts'
import { keysOf } from '../tree.ts'
import type { Replica } from './replica.ts'

/** Lines of a file that this replica changed and that others changed at the same time, neither knowing. */
export interface Overlap extends FileConflict {
  file_key: FileKey
}

interface Kept {
  /** Places of changes that the server has not confirmed yet. */
  open: Cursor[]
  found: Overlap[]
}

const RECORD = 'overlaps'

/**
 * Finds what a merge by lines cannot see: changes of the same lines that were under way at the same time, so that the
 * document merged them by characters. The server puts all changes into one order, and of two at the same time the
 * second's author gets the first before its own is confirmed: so exactly one of them sees it here. What is open, and
 * what was found, survives a restart.
 */
export class Overlaps {
  readonly #replica: Replica
  #open: Cursor[]
  #found: Overlap[]

  constructor(replica: Replica) {
    this.#replica = replica
    const kept = replica.record<Json>(RECORD) as unknown as Kept | undefined
    this.#open = kept?.open ?? []
    this.#found = kept?.found ?? []
    // A root that nobody has asked for has no events of its type.
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
  watch(file: FileId, lines: readonly Lines[]): void {
    this.#open.push(...lines.map((one) => spanOf(this.#replica.doc, file, one)))
    this.#keep()
  }

  /** What others changed at the same time. Call it when the server has confirmed everything: nothing is open then. */
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
      keys ??= keysOf(doc)
      const key = keys.get(file)
      if (key === undefined) continue
      const content = text.toJSON()
      const changes = rangesOf(event.delta as Delta)
      for (const cursor of this.#open) {
        if (cursor.file !== file) continue
        const mine = rangeOf(doc, cursor)
        if (mine === null) continue
        const hit = changes.filter((range) => shareLine(content, mine, range))
        if (hit.length === 0) continue
        const [from, to] = [Math.min(mine[0], hit[0]![0]), Math.max(mine[1], hit.at(-1)![1])]
        const [from_line, to_line] = [
          lineAt(content, from),
          lineAt(content, Math.max(from, to - 1)),
        ]
        const inserted = authorsIn(doc, file, hit)
        const by = (inserted.length > 0 ? inserted : editors(doc, file, changedParentTypes)).join(
          ', ',
        )
        this.#found.push({ file_key: key, from_line, to_line, by })
      }
    }
    if (this.#found.length > 0) this.#keep()
  }
}

/** Who counted a change set of the file in this transaction. */
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

type Delta = { retain?: number; insert?: string; delete?: number }[]
type Range = [number, number]

/** The ranges of the new text that a delta inserted; a deletion is an empty one. */
const rangesOf = (delta: Delta): Range[] => {
  const ranges: Range[] = []
  let at = 0
  for (const { retain = 0, insert = '', delete: removed = 0 } of delta) {
    if (insert !== '') ranges.push([at, at + insert.length])
    else if (removed > 0) ranges.push([at, at])
    at += retain + insert.length
  }
  return ranges
}

const rangeOf = (doc: Y.Doc, { anchor, head }: Cursor): Range | null => {
  const [from, to] = [anchor, head].map((json) => {
    const position = Y.createRelativePositionFromJSON(json)
    return Y.createAbsolutePositionFromRelativePosition(position, doc)?.index
  })
  return from === undefined || to === undefined ? null : [from, Math.max(from, to)]
}

const lineAt = (content: string, offset: number): number =>
  content.slice(0, offset).split('\n').length

/** Whether two ranges are parts of one line; whole lines next to each other are not. */
const shareLine = (content: string, a: Range, b: Range): boolean => {
  const [first, second] = a[0] <= b[0] ? [a, b] : [b, a]
  if (second[0] < first[1]) return true
  return !content.slice(Math.max(0, first[1] - 1), second[0]).includes('\n')
}
