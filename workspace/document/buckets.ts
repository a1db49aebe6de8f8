import * as Y from 'yjs'
import { itemsByKey } from '../../lib/yjs/internals.ts'

/**
 * A map by id whose past costs nothing. Yjs keeps every key of a Y.Map for ever, also of what was deleted: some 25 bytes
 * each. But what was inside a deleted Y.Map it forgets. So the entries are in a Y.Map of Y.Maps, the buckets, and a
 * bucket goes when its last entry goes: of BUCKET_SIZE entries one key stays. For one writer only, the server: two who
 * make the same bucket at once would lose one, and a deletion beats what is put in at the same time.
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

/** Puts an entry, in the place of the one with the same id. Call it in a transaction. */
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
  // The newest may be empty now, and is still to be filled.
  if (bucket.size === 0 && used(bucket) >= BUCKET_SIZE) root.delete(name)
}
