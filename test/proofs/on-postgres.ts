import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findPostgres, startPostgres } from '../../scripts/postgres/postgres.ts'
import { root } from '../support/server.ts'

/**
 * Runs the tests of the server with the records of every server in PostgreSQL, and prints the figures:
 * `npm run proof -- postgres [FILTER…]`. FILTER: files of tests, as vitest takes them.
 */

/** Tests of LevelDB itself, which reach into the files of its database, by the beginning of their file or title. */
const OF_LEVELDB: Readonly<Record<string, string>> = {
  'history/before-attribution': 'formats of LevelDB before there was PostgreSQL',
  'http-agents/kept': 'writes into LevelDB after the server has stopped',
  'ops/authors-damage': 'damages records of LevelDB',
  'ops/backup-kills': 'kills servers of copies of a folder, which would share one database',
  'ops/damage': 'damages files of LevelDB',
  'ops/full-disk': 'fills the disk of LevelDB',
  'ops/upgrade': 'formats of LevelDB before there was PostgreSQL',
}
const TITLES_OF_LEVELDB: readonly string[] = [
  '[FIND-5] kill -9', // writes the archive into LevelDB first
  '[OPS-12] doctor says a line', // sets the time of a file of LevelDB
  '[OPS-18] a data folder', // looks at the permissions of files of LevelDB
  '[OPS-4] 2 times kill -9', // removes a file of LevelDB
  '[TIME-9] verify names', // damages records of LevelDB
  '[ADMIN-1] status', // LevelDB tells the bytes of each workspace
  '[HTTP-14] the data folder has no token in it', // looks for the journal of LevelDB
  '[AUTH-38] [AUTH-56] the owner’s token is shown to no process', // a proof is asked for, without the token
]

interface Report {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  testResults: {
    name: string
    message: string
    assertionResults: { status: string; fullName: string; failureMessages: string[] }[]
  }[]
}

const found = findPostgres()
if (found.bin === undefined) throw new Error(found.why)
const filters = process.argv.slice(2)
const postgres = await startPostgres(found.bin, { max_connections: 400 })
const dir = mkdtempSync(join(tmpdir(), 'clawlink-proof-'))
const file = join(dir, 'report.json')
const args = [
  ...['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', '--project', 'system'],
  ...['--maxWorkers', '4', '--reporter=default'],
  ...['--reporter=json', `--outputFile.json=${file}`],
  ...Object.keys(OF_LEVELDB).flatMap((name) => ['--exclude', `**/${name}*`]),
  ...(filters.length > 0 ? filters : ['test/sync-server']),
]
const started = performance.now()
const env = { ...process.env, CLAWLINK_TEST_STORE: postgres.url }
const child = spawn(process.execPath, args, {
  cwd: root,
  env,
  stdio: ['ignore', 'inherit', 'inherit'],
})
await once(child, 'exit')
await postgres.stop()
const report = JSON.parse(readFileSync(file, 'utf8')) as Report
let unexpected = 0
for (const { name, message, assertionResults } of report.testResults) {
  const failed = assertionResults.filter(({ status }) => status === 'failed')
  if (message !== '' && failed.length === 0) console.log(`${name}: ${message}`)
  for (const { fullName, failureMessages } of failed) {
    if (TITLES_OF_LEVELDB.some((title) => fullName.includes(title))) continue
    unexpected++
    console.log(
      `FAILED ${name.slice(root.length + 1)}: ${fullName}: ${failureMessages[0]?.split('\n')[0]}`,
    )
  }
}
for (const [name, why] of Object.entries(OF_LEVELDB)) console.log(`left out: ${name}*: ${why}`)
for (const title of TITLES_OF_LEVELDB) console.log(`left out: ${title}`)
const seconds = Math.round((performance.now() - started) / 1000)
console.log(
  `${report.numPassedTests} passed, ${report.numFailedTests} failed, ${report.numPendingTests} skipped in ` +
    `${report.testResults.length} files of tests, in ${seconds} s`,
)
rmSync(dir, { recursive: true, force: true })
process.exitCode = unexpected > 0 ? 1 : 0
