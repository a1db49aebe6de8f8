import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { replaceOwn } from '../../lib/disk/own-file.ts'
import { parseStoreAddress, type StoreAddress } from '../config/store-address.ts'

/** The place of a server's data. */
export interface Place {
  /** The data folder: blobs, keys, and the LevelDB database unless `store` has the records. */
  data: string
  /** The PostgreSQL database; null: none. */
  store: StoreAddress | null
}

/** In the data folder of a server on PostgreSQL: the address, without the password. */
export const STORE_FILE = 'store.json'

/** The place of a data folder; `given` null: the database that the folder names, if it names one. Throws `usage`. */
export const placeOf = (data: string, given: string | null): Place => {
  const text = given ?? named(data)
  return { data, store: text === null ? null : parseStoreAddress(text) }
}

const named = (data: string): string | null => {
  try {
    const { store } = JSON.parse(readFileSync(join(data, STORE_FILE), 'utf8')) as { store?: string }
    return store ?? null
  } catch {
    return null
  }
}

/** Notes the database in the folder, so that commands find it. */
export const noteStore = async ({ data, store }: Place): Promise<void> => {
  if (store === null || named(data) === store.shown) return
  await replaceOwn(join(data, STORE_FILE), { store: store.shown })
}

/** The place in messages. */
export const shownPlace = ({ data, store }: Place): string => store?.shown ?? data
