// Builds the web page: its files, gzipped, get the prefix `page-` and stand beside the programs (sync-server/http/pages.ts).
import { readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const HASHED = '[name]-[hash]'

/**
 * Modules that the page does not need, each with the names that others import. Yjs prints its warnings with the styles
 * of lib0/logging, which brings a validator of schemas along. Tabs talk to each other by the server. Errors of a file
 * system come from programs only, and misspelled names from typed commands. A page runs in a browser, and has no flags.
 */
const STAND_INS = {
  'lib0/logging':
    "const styles = ''; export { styles as BOLD, styles as UNBOLD, styles as ORANGE, styles as RED }; export const print = console.log; export const warn = console.warn",
  'lib0/broadcastchannel':
    'export const subscribe = () => {}; export const unsubscribe = () => {}; export const publish = () => {}',
  'lib0/environment':
    'export const isNode = false; export const isBrowser = true; export const getVariable = () => null',
  'text/suggest.ts': "export const didYouMean = () => ''; export const nearestWord = () => []",
  'protocol/system-error.ts':
    'export const isSystemError = () => false; export const meaningOf = () => { throw new Error() }',
}

const standIns = {
  name: 'stand-ins',
  setup: ({ onResolve, onLoad }) => {
    // Modules of these folders do nothing when they are loaded: one that nobody uses a name of is left out.
    onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ path, resolveDir }) => {
      const file = join(resolveDir, path)
      const stand = Object.keys(STAND_INS).find((end) => file.endsWith(`/${end}`))
      if (stand !== undefined) return { path: stand, namespace: 'stand-in', sideEffects: false }
      const isPure = /\/(protocol|lib|workspace|client|tui)\/[^.]+\.ts$/.test(file)
      return isPure ? { path: file, sideEffects: false } : undefined
    })
    onResolve({ filter: /^lib0\/(logging|broadcastchannel|environment)$/ }, ({ path }) => ({
      path,
      namespace: 'stand-in',
    }))
    onLoad({ filter: /.*/, namespace: 'stand-in' }, ({ path }) => ({ contents: STAND_INS[path] }))
  },
}

/**
 * Files that find the words of languages have libraries of their own: the editor uses little of these, and all that any
 * file uses of a library is loaded together.
 */
const copies = {
  name: 'copies',
  setup: ({ onResolve, onLoad, resolve }) => {
    const isOurs = (importer) =>
      /\/web\/editor\/colours\.ts$|\/node_modules\/@lezer\/markdown\//.test(importer)
    const filter = /^(@codemirror\/(language|streamparser)|@lezer\/(common|highlight))$/
    onResolve({ filter }, async ({ path, importer, kind, resolveDir, pluginData }) => {
      if (pluginData === 'found' || (pluginData !== 'copy' && !isOurs(importer))) return
      const { path: file } = await resolve(path, { kind, resolveDir, pluginData: 'found' })
      return { path: file, suffix: '?copy', sideEffects: false }
    })
    onLoad({ filter: /\/@(codemirror|lezer)\/.*\.js$/ }, async ({ path, suffix }) =>
      suffix === '?copy'
        ? { contents: await readFile(path, 'utf8'), pluginData: 'copy' }
        : undefined,
    )
  },
}

/** Where the languages begin, in files with several, that the page does not have. */
const CUTS = { 'clike.js': 'export const shader', 'sql.js': 'export const msSQL' }

const withoutOthers = {
  name: 'without-others',
  setup: ({ onLoad }) => {
    onLoad({ filter: /legacy-modes\/mode\/(clike|sql)\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8')
      const at = text.indexOf(CUTS[basename(path)])
      if (at < 0) throw new Error(`${path} has other languages than expected`)
      return { contents: text.slice(0, at) }
    })
  },
}

/** Links by which a browser asks for what a file imports together with the file. */
const preloads = ({ outputs }, name) =>
  outputs[`page/${name}`].imports
    .filter(({ kind }) => kind === 'import-statement')
    .map(({ path }) => `<link rel="modulepreload" href="app/${basename(path)}">`)
    .join('')

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
    plugins: [standIns, copies, withoutOthers],
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
    .replace('PRELOAD', preloads(page.metafile, named('main-.*js')))
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
