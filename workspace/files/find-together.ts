import type * as Y from 'yjs'
import { newEffort } from '../../lib/merge/diff.ts'
import type { LineRange } from '../../lib/merge/edits.ts'
import { textDelta } from '../../lib/merge/text-delta.ts'
import type { AgentId, FileId } from '../../protocol/ids.ts'
import { textOf } from '../document/schema.ts'
import { authorsOf } from './authors.ts'
import { insertedBy, lineIndex } from './stale.ts'
import { type LookTogether, lookTogether, withoutLines } from './together.ts'

/** Longer texts (UTF-16 units) are not compared again: a put takes its turn among others. */
const MAX_UNITS = 256 * 1024
/** Token comparisons for it (count): about 5 ms. */
const STEPS = 250_000

/** Two changes that merged cleanly, with the agent whose change the other one is. */
export interface TogetherWith extends LookTogether {
  by: AgentId
}

/** A change that was merged into what others had written since its base. */
export interface Merged {
  key: string
  fileId: FileId
  base: string
  by: AgentId
  /** Lines of the text as it is now that the change made, and those that are reported as conflicts. */
  lines: readonly LineRange[]
  conflicts: readonly LineRange[]
}

/**
 * The changes of others since the base of a change that should be looked at together with it; at most 4. Others are known by
 * what they inserted: who only removed lines is not found. Of a line that was changed in part, its first author counts too.
 */
export const findTogether = (doc: Y.Doc, merged: Merged): TogetherWith[] => {
  const { key, fileId, base, by, lines, conflicts } = merged
  const text = textOf(doc, fileId).toJSON()
  if (text.length + base.length > MAX_UNITS) return []
  const { edits } = textDelta(base, text, newEffort(STEPS))
  const ranges = insertedBy(edits).filter(([from, to]) => to > from)
  const authors = authorsOf(
    doc,
    fileId,
    ranges.map((range) => [range]),
  )
  const lineAt = lineIndex(text)
  const found: TogetherWith[] = []
  for (const [i, [from, to]] of ranges.entries()) {
    const [other] = authors[i]!.filter((author) => author !== by)
    if (other === undefined) continue
    const all = { from_line: lineAt(from), to_line: lineAt(to - 1) }
    const theirs = withoutLines([all], [...lines, ...conflicts])
    for (const pair of lookTogether(key, text, lines, theirs)) {
      // One of each neighbour and symbol is enough.
      if (found.some((one) => one.by === other && one.symbol === pair.symbol)) continue
      found.push({ ...pair, by: other })
    }
    if (found.length >= 4) return found.slice(0, 4)
  }
  return found
}
