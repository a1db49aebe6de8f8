// Runs a TypeScript program of this repository (a benchmark, a test's worker process):
//   node scripts/run-ts.mjs FILE.ts ARG…
import { mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const [file, ...args] = process.argv.slice(2)
const root = fileURLToPath(new URL('..', import.meta.url))
const dir = join(root, 'node_modules', '.cache', 'clawlink')
mkdirSync(dir, { recursive: true })
const outfile = join(dir, `${basename(file, '.ts')}-${process.pid}.mjs`)
await build({
  entryPoints: [file],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  packages: 'external',
  define: { 'process.env.CLAWLINK_VERSION': JSON.stringify('dev') },
  logLevel: 'warning',
})
process.argv = [process.argv[0], outfile, ...args]
await import(pathToFileURL(outfile))
