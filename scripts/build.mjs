// Builds the programs into dist/, each bundled into one CommonJS file, which starts several times faster than a tree
// of modules. Only LevelDB stays outside: it is native code. clawlink-agent is five files: the command, which asks the
// link and is small, clawlink-agent-pipe, which it loads for `mcp`, clawlink-agent-outside, which it loads for what hosts
// start again and again, clawlink-agent-core, which is the link and everything else, and clawlink-agent-mcp, the SDK of
// MCP, which a link loads with its first client. clawlink-sync and clawlink only look at
// the version of Node, in words that Node 12 can read, and load clawlink-sync-core and clawlink-core; a thread of the server
// runs clawlink-sync-texts, and a server on PostgreSQL loads its driver, clawlink-sync-pg; clawlink loads clawlink-syntax with the first file whose words have colours. clawlink is an ES module, because Ink awaits at its top level.
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { buildPage } from './build-page.mjs'
import { noticesOf } from './notices.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const { version, engines } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
const dist = join(root, 'dist')
await mkdir(dist, { recursive: true })
// Several builds may run at a time, and programs start meanwhile: each file takes its place whole.
const fresh = await mkdtemp(join(dist, '.build-'))

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  outdir: fresh,
  outExtension: { '.js': '.cjs' },
  banner: { js: '#!/usr/bin/env node' },
  define: { 'process.env.CLAWLINK_VERSION': JSON.stringify(version) },
  external: ['level', 'bufferutil', 'utf-8-validate'],
  legalComments: 'none', // THIRD_PARTY_NOTICES.txt has them
  metafile: true,
  logLevel: 'warning',
}

const [, major, minor] = /^>=(\d+)\.(\d+)$/.exec(engines.node)

/** What each program does first: an old Node stops here, with one line (or its JSON form) and exit code 5. */
const checkNode = (program) => `(function () {
  var is = process.versions.node.split('.').map(Number);
  if (is[0] > ${major} || (is[0] === ${major} && is[1] >= ${minor})) return;
  var what = '${program} needs Node ${major}.${minor} or newer, this is v' + process.versions.node + ' (' + process.execPath + ')';
  var hint = 'install a newer Node, or put it first in PATH';
  if (process.argv.indexOf('--json') < 0) process.stderr.write('error: ' + what + ' \u2014 ' + hint + '\\n');
  else process.stdout.write(JSON.stringify({ ok: false, error: { code: 'old_node', message: what, hint: hint, retryable: false } }) + '\\n');
  process.exit(5);
})();
`

/** A program whose own file only checks and loads. */
const launcher = (program, load) => `${common.banner.js}\n${checkNode(program)}${load}\n`

/** Files that a program loads only when it must, by the end of their path. */
const OUTSIDE = {
  './main.ts': './clawlink-agent-core.cjs',
  './outside.ts': './clawlink-agent-outside.cjs',
  './mcp/pipe.ts': './clawlink-agent-pipe.cjs',
  './server/server.ts': './clawlink-agent-mcp.cjs',
  './driver.ts': './clawlink-sync-pg.cjs',
  './highlighter.ts': './clawlink-syntax.mjs',
}

const outside = {
  name: 'outside',
  setup: ({ onResolve }) => {
    onResolve({ filter: /\.ts$/ }, ({ path, kind }) => {
      const isLater = kind === 'dynamic-import' && Object.hasOwn(OUTSIDE, path)
      return isLater ? { path: OUTSIDE[path], external: true } : undefined
    })
  },
}

/** The verbs that programs of their own are no part of: only the table names them. */
const withoutVerbs = {
  name: 'without-verbs',
  setup: ({ onResolve }) => {
    onResolve(
      { filter: /^(\.\.\/verbs\/|\.\.\/verb-table\/completion|\.\/completion)/ },
      ({ kind }) =>
        kind === 'dynamic-import'
          ? { path: './clawlink-agent-core.cjs', external: true }
          : undefined,
    )
  },
}

/** import() of a CommonJS file makes Node look through all of it for its exports first: 90 ms of the core. */
const byRequire = { supported: { 'dynamic-import': false } }

/** The SDK of MCP without its validator of JSON Schema: the tools have their own, and dialogs are checked by hand. */
const withoutValidator = {
  name: 'without-validator',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^@modelcontextprotocol\/server\/_shims$/ }, ({ path }) => ({
      path,
      namespace: 'shims',
    }))
    onLoad({ filter: /.*/, namespace: 'shims' }, () => ({
      contents:
        "export { default as process } from 'node:process'; export class DefaultJsonSchemaValidator { getValidator() { throw new Error('no schema is validated here') } }",
    }))
  },
}

/** Zod without its messages in other languages: an eighth of the server. */
const onlyEnglish = {
  name: 'only-english',
  setup: ({ onLoad }) => {
    onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js'",
    }))
  },
}

/** CommonJS packages in an ES module ask for Node's own modules. */
const REQUIRE =
  "import { createRequire as makeRequire } from 'node:module';const require = makeRequire(import.meta.url);"

/** Ink with tui/terminal/frame-rows.ts for the frames that it can make. */
const rowsAsTheyAre = {
  name: 'rows-as-they-are',
  setup: ({ onLoad }) => {
    onLoad({ filter: /\/ink\/build\/output\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8')
      const parts = text.split('    get() {\n')
      if (parts.length !== 2) throw new Error(`${path} is not as expected`)
      const own = JSON.stringify(join(root, 'tui/terminal/frame-rows.ts'))
      const get = 'get() { const rows = frameRows(this); if (rows !== null) return rows\n'
      return { contents: `import { frameRows } from ${own}\n${parts.join(get)}` }
    })
  },
}

/** Ink and what it uses measure by tui/text/narrow.ts. */
const quickWidths = {
  name: 'quick-widths',
  setup: ({ onResolve, onLoad }) => {
    const own = join(root, 'tui/text/narrow.ts')
    onResolve({ filter: /^string-width$/ }, ({ importer }) =>
      importer === own ? undefined : { path: 'string-width', namespace: 'quick' },
    )
    onLoad({ filter: /.*/, namespace: 'quick' }, () => ({
      contents: `export { quickWidth as default } from ${JSON.stringify(own)}`,
      resolveDir: root,
    }))
  },
}

const withoutDevtools = {
  name: 'without-devtools',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^react-devtools-core$/ }, ({ path }) => ({ path, namespace: 'none' }))
    onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents: 'export default null' }))
  },
}

try {
  const built = await Promise.all([
    build({
      ...common,
      entryPoints: {
        'clawlink-sync-core': 'sync-server/main.ts',
        // The thread of the server in which long texts are compared.
        'clawlink-sync-texts': 'sync-server/texts/thread.ts',
      },
      plugins: [outside, onlyEnglish],
    }),
    build({
      ...common,
      entryPoints: { 'clawlink-sync-pg': 'sync-server/storage/postgres/driver.ts' },
      external: [...common.external, 'pg-native', 'pg-cloudflare'],
      minify: true,
    }),
    build({
      ...common,
      ...byRequire,
      entryPoints: { 'clawlink-agent-core': 'agent/main.ts' },
      plugins: [outside],
    }),
    build({
      ...common,
      entryPoints: { 'clawlink-agent-mcp': 'agent/mcp/server/server.ts' },
      minify: true,
      plugins: [withoutValidator],
    }),
    build({
      ...common,
      ...byRequire,
      entryPoints: { 'clawlink-agent-outside': 'agent/outside.ts' },
      plugins: [withoutVerbs],
    }),
    build({
      ...common,
      entryPoints: { 'clawlink-agent-pipe': 'agent/mcp/pipe.ts' },
      minify: true,
    }),
    build({
      ...common,
      entryPoints: { 'clawlink-core': 'tui/main.ts' },
      format: 'esm',
      outExtension: { '.js': '.mjs' },
      banner: { js: `#!/usr/bin/env node\n${REQUIRE}` },
      define: {
        ...common.define,
        // React and Ink without what is for their developers.
        'process.env.NODE_ENV': '"production"',
        'process.env.DEV': '""',
        'Intl.Segmenter': 'LazySegmenter',
        // Yoga would fetch its own data: URL, which loads Node's whole HTTP client: 40 ms of the start.
        fetch: 'undefined',
      },
      inject: ['tui/terminal/lazy-segmenter.ts'],
      plugins: [withoutDevtools, rowsAsTheyAre, quickWidths, outside],
      minify: true,
    }),
    build({
      ...common,
      entryPoints: { 'clawlink-syntax': 'tui/highlight/highlighter.ts' },
      format: 'esm',
      outExtension: { '.js': '.mjs' },
      minify: true,
    }),
    build({
      ...common,
      entryPoints: { 'clawlink-agent': 'agent/shim.ts' },
      // It is the command's own file, which has to be readable for an old Node.
      target: 'node12',
      banner: { js: `${common.banner.js}\n${checkNode('clawlink-agent')}` },
      minify: true,
      plugins: [outside],
      ...byRequire,
    }),
  ])
  const page = await buildPage(root, version, fresh)
  const notices = await noticesOf(root, [...built.map(({ metafile }) => metafile), ...page])
  const sync = launcher(
    'clawlink-sync',
    "var m = require('module'); if (m.enableCompileCache) m.enableCompileCache(); require('./clawlink-sync-core.cjs')",
  )
  await writeFile(join(fresh, 'clawlink-sync.cjs'), sync)
  await writeFile(
    join(fresh, 'clawlink.mjs'),
    // From Node 22 on compiled code is kept: 60 ms of the start.
    launcher(
      'clawlink',
      "import('node:module').then(function (m) { if (m.enableCompileCache) m.enableCompileCache(); return import('./clawlink-core.mjs') })",
    ),
  )
  for (const file of await readdir(fresh)) {
    if (!file.startsWith('page-')) await chmod(join(fresh, file), 0o755)
  }
  await writeFile(join(fresh, 'THIRD_PARTY_NOTICES.txt'), notices)
  const files = new Set(await readdir(fresh))
  for (const file of files) await rename(join(fresh, file), join(dist, file))
  // Names of the page's files have hashes: those of earlier builds go.
  for (const file of await readdir(dist)) {
    if (file.startsWith('page-') && !files.has(file)) await rm(join(dist, file), { force: true })
  }
} finally {
  await rm(fresh, { recursive: true, force: true })
}
