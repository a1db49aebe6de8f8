import { createHash } from 'node:crypto'
import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import { itemOf, type Struct, structsByClient } from '../../../lib/yjs/internals.ts'

/**
 * A digest of a document's operations, hex: equal for documents with the same operations, however they were cut into
 * items, and however much of the deleted ones Yjs has dropped.
 */
export const documentDigest = (doc: Y.Doc): string => {
  const hash = createHash('sha256')
  const roots = new Map<unknown, string>([...doc.share].map(([name, type]) => [type, name]))
  const clients = structsByClient(doc)
  for (const client of [...clients.keys()].sort((a, b) => a - b)) {
    hash.update(`client ${client}\n`)
    let deleted = 0
    for (const struct of clients.get(client)!) {
      if (struct.deleted) {
        deleted += struct.length
        continue
      }
      if (deleted > 0) hash.update(`deleted ${deleted}\n`)
      deleted = 0
      describe(struct, roots, (part) => hash.update(part))
    }
    if (deleted > 0) hash.update(`deleted ${deleted}\n`)
  }
  return hash.digest('hex')
}

/** A live struct: place, neighbours of its first operation, and content. */
const describe = (
  struct: Struct,
  roots: ReadonlyMap<unknown, string>,
  tell: (part: string | Uint8Array) => void,
): void => {
  if (!(struct instanceof Y.Item)) return
  const { id, length, origin, rightOrigin, parent, parentSub, content } = struct
  const within = parent instanceof Y.AbstractType ? (itemOf(parent)?.id ?? roots.get(parent)) : null
  tell(`${JSON.stringify([id.clock, length, origin, rightOrigin, within, parentSub])}\n`)
  const encoder = new Y.UpdateEncoderV1()
  content.write(encoder, 0)
  tell(encoding.toUint8Array(encoder.restEncoder))
}
