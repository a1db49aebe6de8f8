import { unsealed } from './integrity/checksummed.ts'
import type { Db } from './integrity/db.ts'
import type { Op } from './integrity/level-keys.ts'
import type { FactLog } from './update-log.ts'

const utf8 = new TextDecoder()

/** Facts in the database of the update log. `put` stores operations durably and together. */
export const levelFactLog = (db: Db, put: (ops: Op[]) => Promise<void>): FactLog => ({
  get: async (key) => {
    const value = await db.get(key)
    return value === undefined ? null : JSON.parse(utf8.decode(value))
  },
  entries: async (prefix) => {
    const found = await db.iterator({ gte: prefix, lt: `${prefix}\uffff` }).all()
    return found.map(([key, value]) => ({ key, json: JSON.parse(utf8.decode(value)) }))
  },
  readable: async (prefix) => {
    const range = { gte: prefix, lt: `${prefix}\uffff`, valueEncoding: 'view' } as const
    const found = await db.iterator(range).all()
    return found.flatMap(([key, sealed]) => {
      const value = unsealed(sealed)
      try {
        return value === null ? [] : [{ key, json: JSON.parse(utf8.decode(value)) as unknown }]
      } catch {
        return [] // verify tells of it
      }
    })
  },
  put,
})
