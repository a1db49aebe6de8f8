import * as Y from 'yjs'
import { byteLength } from '../../lib/text/bytes.ts'
import type { FileId } from '../../protocol/ids.ts'
import type { FileCursor } from '../../workspace/agents/presence.ts'
import { textOf } from '../../workspace/document/schema.ts'
import { hasOthers, indexedString, OBJECT, placeAt } from '../../workspace/files/text-index.ts'
import { Lines } from './lines.ts'
import type { Range } from './search.ts'

/** A UTF-16 unit is at most this long in UTF-8 (bytes). */
const UNIT_BYTES = 3

/** Typing without so long a pause (milliseconds) is taken back as one. */
const UNDO_MS = 700

export interface TextChange {
  from: number
  to: number
  insert: string
}

type Delta = { retain?: number | undefined; delete?: number | undefined; insert?: unknown }[]

/**
 * A file's text with what one editor has in it. `anchor` and `head`, the caret, are offsets that every change moves along,
 * as Yjs moves relative positions, at the cost of the change instead of a walk through the text; to others they go as
 * relative positions. `top` is the first character on the screen and moves the same way.
 */
export class SharedText {
  readonly lines: Lines
  anchor = 0
  head = 0
  top = 0
  /** Counts the changes of the text. */
  version = 0
  readonly #doc: Y.Doc
  readonly #id: FileId
  readonly #text: Y.Text
  readonly #undo: Y.UndoManager
  readonly #onChange: (isOwn: boolean) => void
  /** At least the size of the text in UTF-8 (bytes): a count of a large text at each key takes too long. */
  #atMostBytes: number
  /** True if the text holds values that are not text. */
  #hasOthers: boolean

  constructor(doc: Y.Doc, id: FileId, onChange: (isOwn: boolean) => void) {
    this.#doc = doc
    this.#id = id
    this.#text = textOf(doc, id)
    this.#onChange = onChange
    this.lines = new Lines(indexedString(this.#text))
    this.#atMostBytes = UNIT_BYTES * this.lines.length
    this.#hasOthers = hasOthers(this.#text)
    this.#undo = new Y.UndoManager(this.#text, {
      trackedOrigins: new Set([this]),
      captureTimeout: UNDO_MS,
    })
    this.#text.observe(this.#onText)
  }

  /** The selection; empty if there is only the caret. */
  get selection(): Range {
    return [Math.min(this.anchor, this.head), Math.max(this.anchor, this.head)]
  }

  /** The caret and the selection as others are shown them. */
  get cursor(): FileCursor {
    const [anchor, head] = [this.anchor, this.head].map((index) => placeAt(this.#text, index))
    return { file: this.#id, anchor, head }
  }

  /** Sets the caret; what is typed from now on is taken back by itself. */
  select(anchor: number, head: number): void {
    if (anchor === this.anchor && head === this.head) return
    this.#undo.stopCapturing()
    this.anchor = anchor
    this.head = head
  }

  /** Changes, in order and apart, as one edit of mine; the caret goes after the last. `begin` is in the same transaction. */
  edit(changes: readonly TextChange[], begin?: () => void): void {
    this.#doc.transact(() => {
      begin?.()
      for (const { from, to, insert } of changes.toReversed()) {
        if (to > from) this.#text.delete(from, to - from)
        if (insert !== '') this.#text.insert(from, insert)
      }
    }, this)
    const shift = changes.slice(0, -1).reduce((sum, c) => sum + c.insert.length - c.to + c.from, 0)
    const last = changes.at(-1)
    if (last !== undefined) this.head = last.from + shift + last.insert.length
    this.anchor = this.head
  }

  /**
   * The size of the text in UTF-8 after `changes` (bytes); 0 where that is below `limit` without a count, or the changes
   * make the text no larger.
   */
  bytesAfter(changes: readonly TextChange[], limit: number): number {
    const added = changes.reduce((sum, { insert }) => sum + byteLength(insert), 0)
    if (this.#atMostBytes + added <= limit) return 0
    const removed = changes.reduce(
      (sum, { from, to }) => sum + byteLength(this.lines.slice(from, to)),
      0,
    )
    if (added <= removed) return 0
    this.#atMostBytes = byteLength(this.lines.slice(0, this.lines.length))
    return this.#atMostBytes + added - removed
  }

  /** Starts a new undo step. */
  part(): void {
    this.#undo.stopCapturing()
  }

  /** Takes back my last edit, or does it again; false where there is none. Of others' edits nothing changes. */
  undo(): boolean {
    return this.#undo.undo() !== null
  }

  redo(): boolean {
    return this.#undo.redo() !== null
  }

  close(): void {
    this.#text.unobserve(this.#onText)
    this.#undo.destroy()
  }

  #onText = (event: Y.YTextEvent, { origin }: Y.Transaction): void => {
    const delta: Delta = event.delta
    const isUndo = origin === this.#undo
    const last = this.#follow(delta)
    // Yjs tells of characters, embeds and types only, and counts no others in what it retains.
    const { length } = this.#text
    this.#hasOthers ||= this.lines.length !== length
    if (this.#hasOthers) {
      this.lines.replace(0, this.lines.length, indexedString(this.#text))
      for (const place of ['anchor', 'head', 'top'] as const) {
        this[place] = Math.min(this[place], length)
      }
    }
    this.version++
    if (isUndo) {
      this.head = last
      this.anchor = last
    }
    this.#onChange(isUndo || origin === this)
  }

  /** Applies a change to the lines and the places; returns where its last part ends. */
  #follow(delta: Delta): number {
    let [at, last] = [0, 0]
    for (let i = 0; i < delta.length; i++) {
      const { retain = 0, insert } = delta[i]!
      at += retain
      // A replacement arrives as two parts, in either order.
      const next = delta[i + 1]
      let removed = delta[i]!.delete ?? 0
      let text = insert === undefined ? '' : asText(insert)
      if (next !== undefined && removed > 0 && next.insert !== undefined) {
        text = asText(next.insert)
        i++
      } else if (next?.delete !== undefined && text !== '') {
        removed = next.delete
        i++
      }
      if (removed === 0 && text === '') continue
      this.lines.replace(at, removed, text)
      this.#atMostBytes += UNIT_BYTES * text.length
      this.#move(at, removed, text.length)
      at += text.length
      last = at
    }
    return last
  }

  #move(at: number, removed: number, inserted: number): void {
    const moved = (place: number, goesAlong: boolean): number => {
      if (place < at || (place === at && !(goesAlong && removed === 0))) return place
      return place < at + removed ? at : place - removed + inserted
    }
    // Text that others insert at the ends of a selection stays outside.
    const [from, to] = this.selection
    const [movedFrom, movedTo] = [moved(from, to > from), moved(to, false)]
    const isBackwards = this.head < this.anchor
    this.anchor = isBackwards ? Math.max(movedFrom, movedTo) : movedFrom
    this.head = isBackwards ? movedFrom : Math.max(movedFrom, movedTo)
    this.top = moved(this.top, false)
  }
}

/** A part of a text as the lines have it: as long as Yjs counts it. */
const asText = (insert: unknown): string => (typeof insert === 'string' ? insert : OBJECT)
