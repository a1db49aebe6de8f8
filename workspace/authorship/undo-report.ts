import type { LineRange } from '../../lib/merge/edits.ts'
import type { FileKey } from '../../protocol/ids.ts'
import type { Overlap } from './undo-overlaps.ts'

/** The undo of changes in one file, as every face shows it. */
export interface UndoneFile {
  file_key: FileKey
  /** After the undo; in a dry run the present one. */
  version: number
  /** UTF-16 units that it takes out and puts back, and deleted ones that nobody keeps any more. */
  removed: number
  restored: number
  lost: number
  /** Lines of the file afterwards where it changes something. */
  lines: LineRange[]
  overlaps: Overlap[]
  /** In a dry run: the unified diff; null: the answer is full. */
  diff?: string | null
}

export interface UndoReport {
  /** The id of the undo, for undoing it; null: it changed nothing. */
  undo: string | null
  dry_run: boolean
  /** The files in which there is something to undo. */
  files: UndoneFile[]
}
