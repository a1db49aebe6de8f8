import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import type { Db } from './integrity/db.ts'
import { type Op, seqKey, seqOf } from './integrity/level-keys.ts'
import type { Archivable, Shelf } from './update-log.ts'

const placeOf = (workspace: string, shelf: Shelf): string =>
  shelf === 'broadcasts' ? workspace : `${workspace}/${shelf}`

const archiveKey = (place: string, seq: number): string => seqKey(`a:${place}`, seq)
const idKey = (place: string, id: string): string => `i:${place}:${id}`

/** The keys of the first archived entries. */
export const firstArchived = (workspace: string): string[] =>
  (['broadcasts', 'tasks'] as const).map((shelf) => archiveKey(placeOf(workspace, shelf), 1))

/** The records of an archived entry at its position. */
export const archiveOps = (
  workspace: string,
  { shelf, id, value }: Archivable,
  position: number,
): Op[] => {
  const place = placeOf(workspace, shelf)
  const entry: Op = { type: 'put', key: archiveKey(place, position), value }
  if (id === null) return [entry]
  const seq = encoding.encode((encoder) => encoding.writeVarUint(encoder, position))
  return [entry, { type: 'put', key: idKey(place, id), value: seq }]
}

/** The archived entries in the database of the update log (update-log.ts has the contract). */
export class LevelArchive {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  async page(workspace: string, shelf: Shelf, after: number, limit: number, bytes = Infinity) {
    const found: { seq: number; value: Uint8Array }[] = []
    const place = placeOf(workspace, shelf)
    const range = { gt: archiveKey(place, after), lt: `a:${place};`, limit }
    let left = bytes
    // One entry after the other costs as much as the entry.
    const entries = bytes === Number.POSITIVE_INFINITY ? await this.#db.iterator(range).all() : null
    for await (const [key, value] of entries ?? this.#db.iterator(range)) {
      found.push({ seq: seqOf(key), value })
      left -= value.length
      if (left <= 0) break
    }
    return found
  }

  async at(workspace: string, shelf: Shelf, seq: number): Promise<Uint8Array | null> {
    return (await this.#db.get(archiveKey(placeOf(workspace, shelf), seq))) ?? null
  }

  async end(workspace: string, shelf: Shelf): Promise<number> {
    const place = placeOf(workspace, shelf)
    const range = { gt: `a:${place}:`, lt: `a:${place};`, reverse: true, limit: 1 }
    const [newest] = await this.#db.keys(range).all()
    return newest === undefined ? 0 : seqOf(newest)
  }

  async position(workspace: string, shelf: Shelf, id: string): Promise<number | null> {
    const value = await this.#db.get(idKey(placeOf(workspace, shelf), id))
    return value === undefined ? null : decoding.readVarUint(decoding.createDecoder(value))
  }
}
