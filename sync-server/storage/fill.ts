import { Level } from 'level'
import { ClawError } from '../../protocol/errors.ts'
import type { StoreAddress } from '../config/store-address.ts'
import type { Put } from './integrity/level-keys.ts'
import type { Place } from './place.ts'

/** A new database, to be filled with values as stored, checksums included. */
export interface Filling {
  add: (puts: Put[]) => Promise<void>
  close: () => Promise<void>
}

/** Creates the database of a place. Rejects with the store's error. */
export const fillNew = async ({ data, store }: Place): Promise<Filling> => {
  if (store !== null) {
    const { openPostgres } = await import('./postgres/open.ts')
    const { db, close } = await openPostgres(store, 'take', () => NO_MARK)
    return { add: (puts) => db.batch(puts, { valueEncoding: 'view' }), close }
  }
  const db = new Level<string, Uint8Array>(data, { valueEncoding: 'view' })
  await db.open()
  return { add: (puts) => db.batch(puts, { sync: true }), close: () => db.close() }
}
const NO_MARK = { read: () => null, note: () => {}, close: () => {} }

/** The place that is filled, and gets the name of `place` once it is whole: `folder` until then. */
export const unfinishedPlace = ({ store }: Place, folder: string): Place => ({
  data: folder,
  store: store && { ...store, schema: `${store.schema}_new` },
})

/** Throws `not_empty` for a database with data. Removes what a killed command left. */
export const clearFor = async (store: StoreAddress, unfinished: StoreAddress): Promise<void> => {
  const { dropSchema, hasRecords } = await import('./postgres/schemas.ts')
  if (await hasRecords(store)) {
    throw new ClawError(
      'not_empty',
      `${store.shown} holds data already`,
      'name another database or schema with --store',
    )
  }
  await dropSchema(unfinished)
}

/** Gives the filled database its name, in one step. */
export const adopt = async (store: StoreAddress, unfinished: StoreAddress): Promise<void> => {
  const { renameSchema } = await import('./postgres/schemas.ts')
  await renameSchema(unfinished, store)
}
