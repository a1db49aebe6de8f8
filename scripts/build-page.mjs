// Builds the web page: its files, gzipped, get the prefix `page-` and stand beside the programs (sync-server/http/pages.ts).
import { readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const HASHED = '[name]-[hash]'

/** Writes the page's files into `dir`; returns esbuild's metafiles, by which notices are made. */
export const buildPage = async (root, version, dir) => {
  const common = {
    absWorkingDir: root,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome115', 'firefox115', 'safari16.4'],
    tsconfig: 'tsconfig.web.json',
    define: { 'process.env.CLAWLINK_VERSION': JSON.stringify(version) },
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'warning',
  }
  const page = await build({
    ...common,
    entryPoints: ['web/main.tsx', 'web/style.css'],
    splitting: true,
    outdir: 'page',
    entryNames: HASHED,
    chunkNames: HASHED,
  })
  const files = new Map(page.outputFiles.map(({ path, contents }) => [basename(path), contents]))
  files.set('icon.svg', await readFile(join(root, 'web/icon.svg')))
  const named = (end) => [...files.keys()].find((name) => new RegExp(`^${end}$`).test(name))
  const html = (await readFile(join(root, 'web/index.html'), 'utf8'))
    .replace('STYLE', named('style-.*css'))
    .replace('MAIN', named('main-.*js'))
  const worker = await build({
    ...common,
    entryPoints: ['web/sw.ts'],
    format: 'iife',
    outdir: 'page',
    define: {
      FILES: JSON.stringify([...files.keys()]),
      VERSION: JSON.stringify(named('main-.*js').slice('main-'.length, -'.js'.length)),
    },
  })
  files.set('sw.js', worker.outputFiles[0].contents)
  files.set('index.html', Buffer.from(html))
  for (const [name, contents] of files) {
    await writeFile(join(dir, `page-${name}.gz`), gzipSync(contents, { level: 9 }))
  }
  return [page.metafile, worker.metafile]
}
