import * as Y from 'yjs'
import { contentProblem } from './contents.ts'
import { Places } from './places.ts'

/** Something in a document that breaks its grammar, and the Yjs operations that hold it. */
export interface Problem {
  /** Name of the root it stands in. */
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

/** All that breaks the grammar in a document, by client and clock. What was deleted is not looked at. */
export const checkDocument = (doc: Y.Doc): Problem[] => {
  const places = new Places(doc)
  const problems: Problem[] = []
  for (const [client, structs] of doc.store.clients) {
    for (const struct of structs) {
      if (!(struct instanceof Y.Item) || struct.deleted) continue
      const { parent, parentSub, content, length } = struct
      if (!(parent instanceof Y.AbstractType)) continue
      const place = places.of(parent)
      const broken = contentProblem(place, parentSub, content)
      if (broken === null) continue
      const { clock } = struct.id
      problems.push({ root: place.root, ...broken, client, clock, length, code: 'invalid' })
    }
  }
  return problems
}
