// Builds the three programs into dist/. The two clients are bundled into one CommonJS file each, which
// starts several times faster than a tree of ES modules; the server stays ESM with its packages outside.
import { chmod, readFile } from 'node:fs/promises'
import { build } from 'esbuild'

const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  outdir: 'dist',
  banner: { js: '#!/usr/bin/env node' },
  define: { 'process.env.CLAWLINK_VERSION': JSON.stringify(version) },
  legalComments: 'none',
  logLevel: 'warning',
}

await Promise.all([
  build({
    ...common,
    entryPoints: { 'clawlink-sync': 'sync-server/main.ts' },
    format: 'esm',
    packages: 'external',
  }),
  build({
    ...common,
    entryPoints: { 'clawlink-agent': 'agent/main.ts', clawlink: 'tui/main.ts' },
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    external: ['level', 'classic-level', 'bufferutil', 'utf-8-validate'],
  }),
])
for (const file of ['clawlink-sync.js', 'clawlink-agent.cjs', 'clawlink.cjs']) {
  await chmod(`dist/${file}`, 0o755)
}
