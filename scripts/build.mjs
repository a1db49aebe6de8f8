// Builds the three programs into dist/, each bundled into one CommonJS file, which starts several times faster
// than a tree of modules. Only LevelDB stays outside: it is native code.
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

await build({
  ...common,
  entryPoints: {
    'clawlink-sync': 'sync-server/main.ts',
    'clawlink-agent': 'agent/main.ts',
    clawlink: 'tui/main.ts',
  },
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  external: ['level', 'bufferutil', 'utf-8-validate'],
})
for (const file of ['clawlink-sync.cjs', 'clawlink-agent.cjs', 'clawlink.cjs']) {
  await chmod(`dist/${file}`, 0o755)
}
