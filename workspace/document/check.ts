import * as Y from 'yjs'
import { structsByClient } from '../../lib/yjs/internals.ts'
import { contentProblem } from './contents.ts'
import { TypePlaces } from './places.ts'

/** A fault against the grammar in a document, and the Yjs operations that hold it. */
export interface GrammarProblem {
  /** Name of its root. */
  root: string
  /** The place in words: root / key / field. */
  path: string
  client: number
  clock: number
  /** Operations (count). */
  length: number
  code: 'invalid'
  reason: string
}

/**
 * All faults against the grammar in a document, by client and clock. Deleted operations are not
 * checked.
 */
export const checkDocument = (doc: Y.Doc): GrammarProblem[] => {
  const places = new TypePlaces(doc)
  const problems: GrammarProblem[] = []
  for (const [client, structs] of structsByClient(doc)) {
    for (const struct of structs) {
      if (!(struct instanceof Y.Item) || struct.deleted) continue
      const { parent, parentSub, content, length } = struct
      if (!(parent instanceof Y.AbstractType)) continue
      if (problemAt(places, parent, parentSub, content) === null) continue
      const parts = partsOf(content)
      for (const [i, part] of parts.entries()) {
        const broken = problemAt(places, parent, parentSub, part)
        if (broken === null) continue
        const of = { client, clock: struct.id.clock + i, length: length / parts.length }
        problems.push({ ...broken, ...of, code: 'invalid' })
      }
    }
  }
  return problems
}

/**
 * Each value by itself: Yjs joins values that one client writes in a row into one item, and valid
 * ones may stay.
 */
const partsOf = (content: Y.Item['content']): Y.Item['content'][] => {
  if (content instanceof Y.ContentAny) return content.arr.map((one) => new Y.ContentAny([one]))
  if (content instanceof Y.ContentJSON) return content.arr.map((one) => new Y.ContentJSON([one]))
  return [content]
}

const problemAt = (
  places: TypePlaces,
  parent: Y.AbstractType<unknown>,
  key: string | null,
  content: Y.Item['content'],
): Pick<GrammarProblem, 'root' | 'path' | 'reason'> | null => {
  try {
    const place = places.of(parent)
    const broken = contentProblem(place, key, content)
    return broken && { root: place.root, ...broken }
  } catch (error) {
    // It is nested too deep to have a place.
    return { root: '', path: '', reason: (error as Error).message }
  }
}
