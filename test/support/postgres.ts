import { afterAll, beforeAll, describe } from 'vitest'
import { randomHex } from '../../lib/random.ts'
import { findPostgres, type Postgres, startPostgres } from '../../scripts/postgres/postgres.ts'

/** The programs of PostgreSQL, or why the tests on it are skipped. */
const found = findPostgres()

/** A schema that nobody else has, in a running PostgreSQL. */
export const newSchema = (url: string): string => `${url}?schema=t_${randomHex(8)}`

/**
 * Tests on a PostgreSQL of their own, which runs while they do; skipped, with the reason in the title, where there is none.
 * `settings`: as in postgresql.conf.
 */
export const onPostgres = (
  title: string,
  tests: (running: () => Postgres) => void,
  settings: Readonly<Record<string, string | number>> = {},
): void => {
  if (found.bin === undefined) {
    console.log(`skipped: ${title}: ${found.why}`)
    describe.skip(`${title} (skipped: ${found.why})`, () => tests(() => null as never))
    return
  }
  const { bin } = found
  describe(title, () => {
    let postgres: Postgres | null = null
    beforeAll(async () => {
      postgres = await startPostgres(bin, settings)
    }, 180_000)
    afterAll(() => postgres?.stop())
    tests(() => postgres!)
  })
}
