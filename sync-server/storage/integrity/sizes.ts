import type { Store } from './db.ts'
import { rangesOf } from './level-keys.ts'

/** Kinds of keys that have the name of a workspace, followed by one of these. */
const KINDS = ['u', 's', 'x', 'a', 'i', 'o', 'm', 'h', 'v', 'c', 'y', 't', 'g', 'z'] as const

/** A range that seems smaller than LevelDB's journal (bytes) is counted: its newest part is in no table yet. */
const JOURNAL_BYTES = 4 * 1024 * 1024

/** The bytes that the records of a workspace take in the store, about; null: the store cannot tell. */
export const sizeIn = async (store: Store, workspace: string): Promise<number | null> => {
  if (store.sizeOf === undefined) return null
  let sum = await store.sizeOf(`s:${workspace}`, `s:${workspace}\u0000`)
  for (const kind of KINDS) {
    for (const { gte, lt } of rangesOf(kind, workspace)) {
      const about = await store.sizeOf(gte, lt)
      sum += about < JOURNAL_BYTES ? await countIn(store, gte, lt) : about
    }
  }
  return sum
}

const countIn = async ({ db }: Store, gte: string, lt: string): Promise<number> => {
  let sum = 0
  for await (const [key, value] of db.iterator({ gte, lt, valueEncoding: 'view' })) {
    sum += key.length + value.length
  }
  return sum
}
