import { ClawError } from '../../protocol/errors.ts'

/** A PostgreSQL database, and the schema in it that is the server's. */
export interface StoreAddress {
  /** As the driver reads it, with the password if there is one. */
  url: string
  schema: string
  /** The name of the connections in the database's lists; absent: the program's. */
  application?: string
  /** The same, with the schema and without the password: for files and messages. */
  shown: string
}

const DEFAULT_SCHEMA = 'clawlink'
const SCHEMA = /^[a-z_][a-z0-9_]{0,55}$/

/** Reads `postgres://USER@HOST/DATABASE?schema=NAME`. Throws `usage`, without the secret. */
export const parseStoreAddress = (text: string): StoreAddress => {
  const bad = (what: string) =>
    new ClawError('usage', `--store ${what}`, 'like postgres://clawlink@db.example.org/clawlink')
  if (!/^postgres(?:ql)?:\/\//.test(text)) throw bad('is not an address of PostgreSQL')
  if (!URL.canParse(text)) throw bad('cannot be read as an address')
  const url = new URL(text)
  const schema = url.searchParams.get('schema') ?? DEFAULT_SCHEMA
  if (!SCHEMA.test(schema)) throw bad('names a schema that is not in a-z, 0-9 and _')
  url.searchParams.delete('schema')
  const shown = new URL(url)
  shown.password = ''
  shown.searchParams.delete('password')
  if (schema !== DEFAULT_SCHEMA) shown.searchParams.set('schema', schema)
  return { url: url.href, schema, shown: shown.href }
}
