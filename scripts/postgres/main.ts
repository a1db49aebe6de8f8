/**
 * PostgreSQL on this machine.
 *
 *   node scripts/run-ts.mjs scripts/postgres/main.ts          says where it is; installs it with apt if it is missing
 *   node scripts/run-ts.mjs scripts/postgres/main.ts start    runs an empty one until it is ended; prints its address
 */
import { findPostgres, startPostgres } from './postgres.ts'

const found = findPostgres()
if (found.bin === undefined) console.log(`PostgreSQL: ${found.why}; tests on it are skipped`)
else if (process.argv[2] !== 'start') console.log(`PostgreSQL is in ${found.bin}`)
else {
  const { url, stop } = await startPostgres(found.bin)
  console.log(url)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void stop().then(() => process.exit(0)))
  }
}
