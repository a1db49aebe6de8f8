import type { Store } from './db.ts'
import { FORMAT_KEY } from './format.ts'
import { rangesOf } from './level-keys.ts'

/** Kinds of keys that have the name of a workspace and stay: its audit log, and the entry that says that it was removed. */
const KEPT = 'ln'
/** Kinds of keys of the server. */
const OTHERS = 'fre'
/** Those of a purge: all others, known or not. With `w:` gone first the rest does not count as a damaged workspace. */
const KINDS = ['w', ...'abcdefghijklmnopqrstuvxyz'].filter(
  (kind) => !KEPT.includes(kind) && !OTHERS.includes(kind),
)

/**
 * Deletes the records, members and invites of a workspace that nobody reaches, and gives their space back to the disk. Done
 * again after a crash it goes on.
 */
export const purgeRecords = async (store: Store, workspace: string): Promise<void> => {
  const { db, mark, compact } = store
  // The newest durable record may be one of these.
  mark.note(FORMAT_KEY, true)
  for (const kind of KINDS) {
    await db.batch([{ type: 'del', key: `${kind}:${workspace}` }], { sync: true })
    for (const range of rangesOf(kind, workspace)) await db.clear(range)
  }
  const utf8 = new TextDecoder()
  for await (const [key, value] of db.iterator({ gte: 'e:', lt: 'e;' })) {
    if (utf8.decode(value) !== JSON.stringify(workspace)) continue
    await db.batch([{ type: 'del', key }], { sync: true })
  }
  for (const kind of KINDS) {
    for (const { gte, lt } of rangesOf(kind, workspace)) await compact?.(gte, lt)
  }
}
