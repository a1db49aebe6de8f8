// Writes into package-lock.json that the packages below run on the Node this repository supports, so that `npm ci` does
// not warn of them. Run it after each update of one of them: node scripts/lock.mjs
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Packages whose authors ask for a newer Node than ours, with the reason why they run on it. */
const RUNS = {
  // In the bundle of the terminal UI. The only thing of Node 22 they use is in tui/terminal/polyfill.ts; test/tui and
  // test/package run the bundle on the Node of .nvmrc.
  ink: 'the terminal UI',
  'cli-truncate': 'ink',
  'slice-ansi': 'ink',
  'ansi-styles': 'ink',
  chalk: 'ink',
  // A contender of the benchmarks; in no program.
  '@hocuspocus/server': 'bench/peers/hocuspocus.ts',
}

const file = fileURLToPath(new URL('../package-lock.json', import.meta.url))
const lock = JSON.parse(readFileSync(file, 'utf8'))
const { node } = lock.packages[''].engines
for (const [path, entry] of Object.entries(lock.packages)) {
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
  if (Object.hasOwn(RUNS, name)) entry.engines = { node }
}
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
