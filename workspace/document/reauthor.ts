import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import { EDITS_PREFIX } from './schema.ts'

/**
 * The operations that a replica wrote under a Yjs client id, up to `end`; operations after it came
 * from elsewhere.
 */
export interface Own {
  client: number
  /** The first clock that is not this replica's. */
  end: number
}

/**
 * The document of the server with the operations of this replica that it lacks, where another
 * replica has the client id `own` by now: operations under that id move to `fresh`, with the same
 * clocks. Null: impossible, because they depend on operations that neither side has.
 */
export const reauthor = (
  local: Y.Doc,
  server: Uint8Array,
  own: Own,
  fresh: number,
): Y.Doc | null => {
  const doc = new Y.Doc()
  doc.clientID = fresh
  Y.applyUpdate(doc, server)
  const moved = { ...own, start: firstUnlike(local, doc, own) }
  Y.applyUpdate(doc, renamed(local, Y.decodeStateVector(Y.encodeStateVector(doc)), moved, fresh))
  const { pendingStructs, pendingDs } = doc.store as { pendingStructs: unknown; pendingDs: unknown }
  if (pendingStructs === null && pendingDs === null) return doc
  doc.destroy()
  return null
}

/** The part of `Own` that the server lacks. */
interface Moved extends Own {
  start: number
}

/**
 * The first clock at which server and replica differ. Before it both have the same: this replica,
 * or a copy of it, sent it.
 */
const firstUnlike = (local: Y.Doc, server: Y.Doc, { client, end }: Own): number => {
  const known = Math.min(end, Y.getState(server.store, client))
  for (let clock = 0; clock < known; clock++) {
    const [mine, theirs] = [local, server].map((doc) => valueAt(doc, client, clock))
    if (mine !== null && theirs !== null && mine !== theirs) return clock
  }
  return known
}

/** The value at a clock, for comparison; null: it is deleted and cannot be compared. */
const valueAt = (doc: Y.Doc, client: number, clock: number): string | null => {
  const item = Y.getItem(doc.store, Y.createID(client, clock)) as Y.Item | Y.GC
  if (!(item instanceof Y.Item) || item.deleted) return null
  const { content } = item
  if (content instanceof Y.ContentType) return content.type.constructor.name
  return JSON.stringify(content.getContent()[clock - item.id.clock]) ?? 'undefined'
}

/** The operations that `known` lacks, as an update. */
const renamed = (
  local: Y.Doc,
  known: ReadonlyMap<number, number>,
  own: Moved,
  fresh: number,
): Uint8Array => {
  const isMoved = ({ client, clock }: Y.ID): boolean =>
    client === own.client && clock >= own.start && clock < own.end
  const rename = (id: Y.ID): Y.ID => (isMoved(id) ? Y.createID(fresh, id.clock - own.start) : id)

  const parts = new Map<number, { structs: (Y.Item | Y.GC)[]; start: number }>()
  const { structs, ds } = Y.decodeUpdate(Y.encodeStateAsUpdate(local))
  for (const struct of structs as (Y.Item | Y.GC)[]) {
    const { id, length } = struct
    const isOwn = id.client === own.client
    if (isOwn && id.clock >= own.end) continue
    const start = isOwn ? own.start : (known.get(id.client) ?? 0)
    if (id.clock + length <= start) continue
    if (isOwn && id.clock + length > own.end) cutAt(struct, own.end - id.clock)
    const client = isOwn ? fresh : id.client
    const part = parts.get(client)
    if (part === undefined) parts.set(client, { structs: [struct], start })
    else part.structs.push(struct)
  }
  for (const { structs } of parts.values()) {
    for (const struct of structs) if (struct instanceof Y.Item) renameIn(struct, rename, own, fresh)
  }

  const encoder = new Y.UpdateEncoderV1()
  const { restEncoder: rest } = encoder
  encoding.writeVarUint(rest, parts.size)
  for (const [client, { structs, start }] of parts) {
    const [first] = structs
    const clock = Math.max(first!.id.clock, start)
    const shift = client === fresh ? own.start : 0
    encoding.writeVarUint(rest, structs.length)
    encoding.writeVarUint(rest, client)
    encoding.writeVarUint(rest, clock - shift)
    structs.forEach((struct, i) => {
      struct.write(encoder, i === 0 ? clock - struct.id.clock : 0)
    })
  }
  writeDeletes(rest, ds, own, fresh)
  return encoder.toUint8Array()
}

/**
 * Cuts a struct: Yjs joins neighbours, also with operations that another replica wrote under the
 * same id.
 */
const cutAt = (struct: Y.Item | Y.GC, length: number): void => {
  if (struct instanceof Y.Item) struct.content.splice(length)
  else struct.length = length
}

/**
 * Renames the ids in an item, and the key of an edit count, which is the client id of its author.
 */
const renameIn = (item: Y.Item, rename: (id: Y.ID) => Y.ID, own: Own, fresh: number): void => {
  if (item.origin !== null) item.origin = rename(item.origin)
  if (item.rightOrigin !== null) item.rightOrigin = rename(item.rightOrigin)
  const { parent } = item as { parent: unknown }
  if (parent instanceof Y.ID) item.parent = rename(parent)
  const isCount = typeof parent === 'string' && parent.startsWith(EDITS_PREFIX)
  if (isCount && item.parentSub === String(own.client)) item.parentSub = String(fresh)
}

const writeDeletes = (
  rest: encoding.Encoder,
  ds: ReturnType<typeof Y.decodeUpdate>['ds'],
  own: Moved,
  fresh: number,
): void => {
  const byClient = new Map<number, [clock: number, length: number][]>()
  const add = (client: number, from: number, to: number): void => {
    if (from >= to) return
    byClient.set(client, [...(byClient.get(client) ?? []), [from, to - from]])
  }
  for (const [client, ranges] of ds.clients) {
    for (const { clock, len } of ranges) {
      if (client !== own.client) add(client, clock, clock + len)
      else
        add(
          fresh,
          Math.max(clock, own.start) - own.start,
          Math.min(clock + len, own.end) - own.start,
        )
    }
  }
  encoding.writeVarUint(rest, byClient.size)
  for (const [client, ranges] of byClient) {
    encoding.writeVarUint(rest, client)
    encoding.writeVarUint(rest, ranges.length)
    for (const [clock, length] of ranges) {
      encoding.writeVarUint(rest, clock)
      encoding.writeVarUint(rest, length)
    }
  }
}
