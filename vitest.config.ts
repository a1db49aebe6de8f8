import { readdirSync } from 'node:fs'
import { defineConfig } from 'vitest/config'
import { SlowFirst } from './test/support/sequencer.ts'

const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `test/${name}`)

/** Tests that start no process and listen on no port: `npm run test:unit` runs them while one edits. */
const UNIT = /^test\/((workspace|lib|protocol|tui|house|mutants)\/.*|imports|spec)\.test\.ts$/
/** Files in those folders that run the built programs. */
const PROGRAMS = /^test\/(tui\/(commands|terminal)|lib\/command-line\/completion)\.test\.ts$/
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
/**
 * Tests that leave no clock, environment or module changed: these files share the modules that they import, which costs
 * each of them 0.3 to 1 s of CPU by itself.
 */
const SHARED = new RegExp(
  `^test/(${[
    'agent/(command/(clock|reader)|hosts/(layouts|ring|validators|verb))',
    'agent/mcp/(approvals|hostile|resources|tools)',
    'agent/(mirror/(decide|hostile|machine|watch)|runtime/(loop|silence))',
    'agent/openclaw/(hosts|listener|verb)',
    'agent/(verb-table/from-input|verbs/(checkpoints|file-blame|short|tasks|versions|waiting))',
    'agent/waking/(codex|lease|pacer)',
    'client/(answers|edit-conflicts|replica|witness)',
    'lib/command-line/completion',
    'package/release',
    'sync-server/auth/(arrivals|disk-first|forgery|join|presence|table|tickets|workspaces)',
    'sync-server/history/(attribution|before-attribution|checkpoints|version-writer|versions)',
    'sync-server/http/http-words',
    'sync-server/http-agents/(delivery|inbox|json|kept|plain|presence|together)',
    'sync-server/limits/(accept-queue|bodies|document-share|fair-scheduler|frames|full|held)',
    'sync-server/limits/(requests|shares)',
    'sync-server/ops/(damage|full-disk|looking|places|upgrade)',
    'sync-server/(storage/(blobs|record-log|uploads)|tasks/scheduler|texts/texts)',
    'sync-server/sync/(awareness|hostile|lifecycle|silent|updates/(check|slices))',
    'system/(environment/way|transport/(ipv6|lan|nginx|tls))',
    'tui/commands',
  ].join('|')})\\.test\\.ts$`,
)
const isShared = (file: string): boolean => SHARED.test(file)

const common = { pool: 'forks' as const, testTimeout: 180_000, hookTimeout: 60_000 }
const built = { globalSetup: ['test/support/build.ts'], setupFiles: ['test/support/setup.ts'] }

export default defineConfig({
  define: { 'process.env.CLAWLINK_VERSION': JSON.stringify('test') },
  test: {
    maxWorkers: 4,
    sequence: { sequencer: SlowFirst },
    projects: [
      {
        extends: true,
        // Nothing in these files outlives a test, so they share the modules that they import.
        test: { ...common, name: 'unit', include: files.filter(isUnit), isolate: false },
      },
      {
        extends: true,
        test: {
          ...common,
          ...built,
          name: 'system',
          include: files.filter((file) => !isUnit(file) && !isLong(file) && !isShared(file)),
        },
      },
      {
        extends: true,
        test: {
          ...{ ...common, ...built, name: 'shared', isolate: false },
          include: files.filter(isShared),
        },
      },
      {
        extends: true,
        test: { ...common, ...built, name: 'long', include: files.filter(isLong) },
      },
    ],
  },
})
