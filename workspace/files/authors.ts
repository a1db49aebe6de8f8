import type * as Y from 'yjs'
import type { AgentId, FileId } from '../../protocol/ids.ts'
import { textOf } from '../document/schema.ts'
import { partsOf } from './text-index.ts'
import { editCounts } from './tree.ts'

/** Ids of the agents that wrote the characters in these half-open ranges of a text. */
export const authorsIn = (doc: Y.Doc, id: FileId, ranges: readonly [number, number][]): AgentId[] =>
  authorsOf(doc, id, [ranges])[0]!

/**
 * The same for several places, with one walk through the text; ranges of different places may
 * overlap.
 */
export const authorsOf = (
  doc: Y.Doc,
  id: FileId,
  places: readonly (readonly [number, number][])[],
): AgentId[][] => {
  const found = places.map(() => new Set<AgentId>())
  const ranges = places
    .flatMap((place, i) => place.map(([from, to]) => ({ from, to, authors: found[i]! })))
    .sort((a, b) => a.from - b.from)
  const edits = new Map(editCounts(doc, id))
  let open: typeof ranges = []
  let next = 0
  for (const { item, offset, units } of partsOf(textOf(doc, id))) {
    if (next === ranges.length && open.length === 0) break
    while (next < ranges.length && ranges[next]!.from < offset + units) open.push(ranges[next++]!)
    if (open.length > 0 && units > 0) {
      open = open.filter(({ to }) => to > offset)
      const author = edits.get(String(item.id.client))?.agent
      if (author !== undefined) for (const { authors } of open) authors.add(author)
    }
  }
  return found.map((authors) => [...authors].sort())
}
