import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { expect, it } from 'vitest'
import { root } from './support/server.ts'

const FOLDERS = ['workspace', 'sync-server', 'agent', 'tui']

const files = FOLDERS.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file))
    .map((file) => join(folder, file)),
)

/** What a file imports: paths from the root for files of ours, bare names for packages. */
const importsOf = (file: string): string[] => {
  const source = readFileSync(join(root, file), 'utf8')
  const found = source.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)
  return [...found].map(([, name]) =>
    name!.startsWith('.') ? normalize(join(dirname(file), name!)) : name!,
  )
}

/** The part of the house a file is in. */
const partOf = (file: string): string => {
  if (file.startsWith('workspace/link/')) return 'workspace/link'
  return file.split('/')[0]!
}

const MAY_IMPORT: Record<string, string[]> = {
  workspace: ['workspace'],
  'workspace/link': ['workspace', 'workspace/link'],
  'sync-server': ['workspace', 'sync-server'],
  agent: ['workspace', 'workspace/link', 'agent'],
  tui: ['workspace', 'workspace/link', 'tui'],
}

/** What in the server knows nothing of what is in a document. */
const SCHEMA_BLIND = [
  'access/speaker',
  'admission',
  'awareness',
  'check',
  'checkpoints',
  'command-queue',
  'connection',
  'disk',
  'document',
  'faults',
  'feed',
  'gate',
  'gather',
  'guard/held',
  'level-keys',
  'level-update-log',
  'limits',
  'ring',
  'room',
  'rooms',
  'slices',
  'store/crc32c',
  'store/damage',
  'store/format',
  'store/inspect',
  'store/journal',
  'store/manifest',
  'store/open',
  'store/sealed',
  'store/snappy',
  'store/table',
  'store/witness',
  'structs',
  'update-log',
  'versions/level-log',
  'versions/log',
  'wire',
].map((name) => `sync-server/${name}.ts`)

it('[A1] imports go one way: workspace ← link ← agent, tui; workspace ← sync-server', () => {
  expect(files.length).toBeGreaterThan(30)
  for (const file of files) {
    for (const target of importsOf(file)) {
      const part = partOf(target)
      if (!FOLDERS.includes(part.split('/')[0]!)) {
        expect(target, file).not.toMatch(/^(test|bench|scripts)\//)
        continue
      }
      expect(MAY_IMPORT[partOf(file)], `${file} imports ${target}`).toContain(part)
    }
  }
})

it('[A2] room, wire and update log do not import workspace/', () => {
  for (const file of SCHEMA_BLIND) {
    expect(files).toContain(file)
    for (const target of importsOf(file)) {
      expect(target, file).not.toMatch(/^workspace\//)
      if (target.startsWith('sync-server/')) expect(SCHEMA_BLIND, file).toContain(target)
    }
  }
})

it('[A3] workspace/ is pure: no socket, disk, clock, randomness, terminal', () => {
  for (const file of files.filter((name) => partOf(name) === 'workspace')) {
    for (const target of importsOf(file)) {
      expect(target, file).not.toMatch(/^(node:|ws$|level$|y-websocket$)/)
    }
    const source = readFileSync(join(root, file), 'utf8')
    expect(source, file).not.toMatch(
      /Date\.now|new Date\(\)|Math\.random|\bprocess\.|setTimeout|console\./,
    )
  }
})

it('[A4] process.exit stands in the three mains only', () => {
  for (const file of files) {
    const source = readFileSync(join(root, file), 'utf8')
    if (source.includes('process.exit('))
      expect(relative('.', file)).toMatch(/^[a-z-]+\/main\.tsx?$/)
  }
})
