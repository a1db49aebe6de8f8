import { Client } from 'pg'

/** Runs a statement in a PostgreSQL database, and resolves to its rows. */
export const runSql = async <T extends object = Record<string, unknown>>(
  url: string,
  text: string,
): Promise<T[]> => {
  const client = new Client(url.replace(/\?.*$/, ''))
  await client.connect()
  try {
    return (await client.query<T>(text)).rows
  } finally {
    await client.end()
  }
}
