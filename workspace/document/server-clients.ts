import type * as Y from 'yjs'
import { itemBefore, itemsByKey } from '../../lib/yjs/internals.ts'
import { metaOf, serverClientOf } from './schema.ts'

/** All Yjs client ids under which the server ever wrote: a restore gives it another, and `meta` is the server's alone. */
export const serverClientsOf = (doc: Y.Doc): Set<number> => {
  const clients = new Set([serverClientOf(doc)])
  for (const newest of itemsByKey(metaOf(doc)).values()) {
    for (let item: Y.Item | null = newest; item !== null; item = itemBefore(item)) {
      clients.add(item.id.client)
    }
  }
  return clients
}
