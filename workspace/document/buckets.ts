import * as Y from 'yjs'
import { itemsByKey } from '../../lib/yjs/internals.ts'

/**
 * A map by id that forgets deleted entries. Yjs keeps every key of a Y.Map for ever, also of a
 * deleted entry (about 25 bytes each), but forgets the keys within a deleted Y.Map. So the entries
 * stand in a Y.Map of Y.Maps, the buckets, and a bucket is deleted with its last entry: of
 * BUCKET_SIZE entries one key stays. For one writer only, the server: of two writers that create
 * the same bucket at once one would lose it, and a deletion wins over a concurrent insert.
 */
export type Buckets = Y.Map<Y.Map<unknown>>

/**
 * Entries that a bucket takes in all (count). One old entry that stays keeps the keys of all of
 * them.
 */
const BUCKET_SIZE = 256

const bucketsIn = function* (root: Buckets): Generator<[string, Y.Map<unknown>]> {
  for (const [name, bucket] of root) if ((bucket as unknown) instanceof Y.Map) yield [name, bucket]
}

const bucketOf = (root: Buckets, id: string): [string, Y.Map<unknown>] | null => {
  for (const found of bucketsIn(root)) if (found[1].has(id)) return found
  return null
}

/** The entry with this id; undefined: there is none. */
export const findIn = (root: Buckets, id: string): unknown => bucketOf(root, id)?.[1].get(id)

export const entriesIn = function* (root: Buckets): Generator<[string, unknown]> {
  for (const [, bucket] of bucketsIn(root)) yield* bucket
}

const newest = (root: Buckets): number => {
  let last = 0
  for (const [name] of bucketsIn(root)) last = Math.max(last, Number(name) || 0)
  return last
}

/** Keys that a bucket has ever had (count). */
const used = (bucket: Y.Map<unknown>): number => itemsByKey(bucket).size

/** Puts an entry, replacing the one with the same id. Call it in a transaction. */
export const putIn = (root: Buckets, id: string, value: unknown): void => {
  const known = bucketOf(root, id)
  if (known !== null) {
    known[1].set(id, value)
    return
  }
  const last = newest(root)
  let bucket = root.get(String(last))
  if (!(bucket instanceof Y.Map) || used(bucket) >= BUCKET_SIZE) {
    bucket = new Y.Map<unknown>()
    root.set(String(last + 1), bucket)
  }
  bucket.set(id, value)
}

/** Removes an entry. Call it in a transaction. */
export const removeFrom = (root: Buckets, id: string): void => {
  const known = bucketOf(root, id)
  if (known === null) return
  const [name, bucket] = known
  bucket.delete(id)
  // The newest bucket may be empty now; it is still to be filled.
  if (bucket.size === 0 && used(bucket) >= BUCKET_SIZE) root.delete(name)
}
