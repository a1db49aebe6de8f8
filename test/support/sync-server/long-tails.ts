import * as Y from 'yjs'
import { COMPACT_UPDATES, JOINED_UPDATES } from '../../../sync-server/config/limits.ts'
import type { Stored, UpdateLog } from '../../../sync-server/storage/update-log.ts'

/** Updates of two writers of one text who take turns, and some deletions. */
export const longTail = (count: number): Uint8Array[] => {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  const text = doc.getText('text')
  for (let i = 0; updates.length < count; i++) {
    doc.clientID = 1 + (Math.floor(i / 7) % 2)
    if (i % 50 === 49) text.delete(i % 30, 3)
    else text.insert(i % 3 === 0 ? text.length : (i * 31) % (text.length + 1), `w${i}é `)
  }
  return updates
}

/** Updates in a record (count). */
const A_RECORD = 256
/** Enough for groups of joined records from its beginning on. */
export const LONG = 2 * COMPACT_UPDATES + 2 * JOINED_UPDATES + 3 * A_RECORD

/** Appends updates, some to a record. */
export const appendAll = async (
  log: UpdateLog,
  workspace: string,
  updates: readonly Uint8Array[],
): Promise<void> => {
  for (let at = 0; at < updates.length; at += A_RECORD) {
    await log.append(workspace, updates.slice(at, at + A_RECORD))
  }
}

/** The state of the document that a log's updates make. */
export const stateOf = ({ checkpoint, tail }: Pick<Stored, 'checkpoint' | 'tail'>) => {
  const doc = new Y.Doc()
  doc.transact(() => {
    for (const update of checkpoint === null ? tail : [checkpoint, ...tail]) {
      Y.applyUpdate(doc, update)
    }
  })
  const state = { text: doc.getText('text').toString(), update: Y.encodeStateAsUpdate(doc) }
  doc.destroy()
  return state
}
