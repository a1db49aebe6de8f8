import { readdirSync } from 'node:fs'
import { defineConfig } from 'vitest/config'
import { SlowFirst } from './test/support/sequencer.ts'

// It makes each start of Node cost 60 instead of 24 ms of CPU, and tests talk to this machine only.
delete process.env.NODE_EXTRA_CA_CERTS
// Of whoever runs the tests: an agent has a home and a profile of its own.
for (const name of Object.keys(process.env)) {
  if (/^CLAWLINK_(?!TEST_|E2E|POSTGRES|RELEASE_ROOT)/.test(name)) delete process.env[name]
}

const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `test/${name}`)

/** Tests that start no process and listen on no port: `npm run test:unit` runs them while one edits. */
const UNIT = /^test\/((workspace|lib|protocol|tui|house|mutants)\/.*|imports|spec)\.test\.ts$/
/** Files in those folders that run the built programs. */
const PROGRAMS =
  /^test\/(tui\/(commands|terminal|tasks-in-terminal)|lib\/command-line\/completion)\.test\.ts$/
const isUnit = (file: string): boolean => UNIT.test(file) && !PROGRAMS.test(file)
/**
 * Tests that do the same again and again: kills at random moments, random histories, a thousand agents. `npm test` leaves
 * them to `npm run test:long`, two files at a time, as writers on disk depend on time; CI runs both.
 */
const LONG = new RegExp(
  `^test/(${[
    'agent/mirror/(checkout|killed|torture|writers)',
    'agent/verbs/(talking-archive|talking-delivery)',
    'agent/runtime/dead-worker',
    'programs',
    'sync-server/http-agents/(many-agents|storm)',
    'sync-server/ops/(backup-kills|damage-random)',
    'sync-server/sync/(crash|race)',
    'system/grammar/run',
    'system/tasks/(kills|model)',
  ].join('|')})\\.test\\.ts$`,
)
const isLong = (file: string): boolean => LONG.test(file)

const common = {
  ...{ pool: 'forks' as const, testTimeout: 180_000, hookTimeout: 180_000 },
  setupFiles: ['test/support/setup.ts'],
  expect: { poll: { timeout: 60_000 } },
}
const built = { globalSetup: ['test/support/build.ts'] }

export default defineConfig({
  define: { 'process.env.CLAWLINK_VERSION': JSON.stringify('test') },
  test: {
    maxWorkers: 5,
    sequence: { sequencer: SlowFirst },
    projects: [
      {
        extends: true,
        // Nothing in these files outlives a test, so they share the modules that they import.
        test: { ...common, name: 'unit', include: files.filter(isUnit), isolate: false },
      },
      {
        extends: true,
        // To load all modules costs each file 1 to 4 s of CPU. What a file changed of the process is changed back: setup.ts.
        test: {
          ...{ ...common, ...built, name: 'system', isolate: false },
          include: files.filter((file) => !isUnit(file) && !isLong(file)),
        },
      },
      {
        extends: true,
        test: { ...common, ...built, name: 'long', include: files.filter(isLong) },
      },
    ],
  },
})
