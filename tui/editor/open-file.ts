import * as Y from 'yjs'
import { isBinary } from '../../workspace/blobs.ts'
import { countEdit } from '../../workspace/files.ts'
import type { FileId, FileKey } from '../../workspace/ids.ts'
import { MAX_FILE_BYTES } from '../../workspace/limits.ts'
import type { Attached } from '../../workspace/link/attach.ts'
import { filesOf, textOf } from '../../workspace/schema.ts'
import { findFile, keysOf } from '../../workspace/tree.ts'
import { Bursts, type Later } from './bursts.ts'
import { changeLines, contentOf, type Delta } from './delta.ts'
import { Lines } from './lines.ts'

/** What is typed within this time (milliseconds) is undone as one. */
const UNDO_MS = 600

/** What became of the file: `text` can be edited; of the others there is only what was there last. */
export type Fate = 'text' | 'missing' | 'binary' | 'removed'

export interface Watcher {
  /** The text has changed; `isOwn`: by this editor. */
  changed: (delta: Delta, isOwn: boolean) => void
  /** Path or fate are others. */
  renamed: () => void
}

/** A shared file that is open: its text by lines, kept by its changes, and one's own edits of it, which can be undone. */
export class OpenFile {
  /** Where it is now: it follows a rename. */
  path: FileKey
  fate: Fate
  readonly lines: Lines
  readonly id: FileId | null
  readonly #attached: Attached
  readonly #text: Y.Text | null
  readonly #undo: Y.UndoManager | null
  readonly #bursts: Bursts
  readonly #ends: (() => void)[] = []

  constructor(
    attached: Attached,
    path: FileKey,
    watcher: Watcher,
    { now, later }: { now: () => number; later: Later },
  ) {
    const { doc } = attached
    const leaf = findFile(doc, path)
    this.#attached = attached
    this.path = path
    this.id = leaf?.entry.fileId ?? null
    this.fate = leaf === null ? 'missing' : isBinary(leaf.entry) ? 'binary' : 'text'
    this.#text = this.fate === 'text' ? textOf(doc, this.id!) : null
    this.lines = new Lines(this.#text === null ? '' : contentOf(this.#text))
    this.#bursts = new Bursts(() => this.#count(now()), now, later)
    this.#undo =
      this.#text === null
        ? null
        : new Y.UndoManager(this.#text, {
            trackedOrigins: new Set([this]),
            captureTimeout: UNDO_MS,
          })
    const onText = (event: Y.YTextEvent, { origin }: Y.Transaction): void => {
      const delta = event.delta as Delta
      changeLines(this.lines, delta)
      watcher.changed(delta, origin === this || origin === this.#undo)
    }
    const onFiles = (): void => {
      if (this.#follow()) watcher.renamed()
    }
    this.#text?.observe(onText)
    filesOf(doc).observe(onFiles)
    this.#ends.push(
      () => this.#text?.unobserve(onText),
      () => filesOf(doc).unobserve(onFiles),
    )
  }

  get canEdit(): boolean {
    return this.fate === 'text' && this.#attached.me !== null
  }

  /** Why nothing can be typed; '': it can. */
  get why(): string {
    if (this.#attached.me === null) return 'register first'
    return {
      text: '',
      missing: `there is no file ${this.path}`,
      binary: `${this.path} is not text; clawlink-agent file-get --output saves it`,
      removed: `${this.path} was removed: what was there last, to read and copy`,
    }[this.fate]
  }

  /** Puts `insert` in the place of what is between two offsets. Returns why not, or ''. */
  replace(from: number, to: number, insert: string): string {
    const { why } = this
    if (why !== '') return why
    const text = insert.replace(/\p{Surrogate}|\0/gu, '\ufffd')
    if (this.lines.length - (to - from) + text.length > MAX_FILE_BYTES) {
      return `a file has at most ${MAX_FILE_BYTES} bytes: put it into several`
    }
    this.#attached.doc.transact(() => {
      if (to > from) this.#text!.delete(from, to - from)
      if (text !== '') this.#text!.insert(from, text)
    }, this)
    this.#bursts.edited()
    return ''
  }

  /** Takes back the last own edit, or does it again; others' stay. Returns whether there was one. */
  undo(isBack: boolean): boolean {
    if (!this.canEdit || this.#undo === null) return false
    const done = isBack ? this.#undo.undo() : this.#undo.redo()
    if (done !== null) this.#bursts.edited()
    return done !== null
  }

  /** What is typed from here on is undone by itself. */
  part(): void {
    this.#undo?.stopCapturing()
  }

  /** A place of the text that moves along with it, as awareness has it. */
  placeAt(offset: number): unknown {
    return Y.relativePositionToJSON(
      Y.createRelativePositionFromTypeIndex(this.#text!, offset, -1),
    ) as unknown
  }

  close(): void {
    this.#bursts.end()
    this.#undo?.destroy()
    for (const end of this.#ends.splice(0)) end()
  }

  /** What is not counted yet is one change set: a version of the file. */
  #count(at: number): void {
    const { doc, me } = this.#attached
    if (me !== null && this.id !== null) {
      doc.transact(() => countEdit(doc, this.id!, me, at), this)
    }
  }

  #follow(): boolean {
    if (this.id === null || this.fate === 'binary') return false
    const path = keysOf(this.#attached.doc).get(this.id)
    const fate = path === undefined ? 'removed' : 'text'
    if (fate === this.fate && (path ?? this.path) === this.path) return false
    this.fate = fate
    this.path = path ?? this.path
    return true
  }
}
