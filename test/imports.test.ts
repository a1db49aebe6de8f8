import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, it } from 'vitest'
import { arrowsOf, backUp, circlesOf } from '../scripts/house/graph.ts'
import { LAYERS } from '../scripts/house/layers.ts'
import { foldersOf } from '../scripts/house/sizes.ts'
import { importsOf, packagesOf, readSources } from '../scripts/house/sources.ts'
import { root } from './support/server.ts'

const sources = readSources(root)
const imports = sources.flatMap(importsOf)
const isIn = (file: string, folders: readonly string[]): boolean =>
  folders.some((folder) => file.startsWith(`${folder}/`))

it('[LAYER-1] a folder imports only what stands below it, types included', () => {
  expect(sources.length).toBeGreaterThan(400)
  const folders = foldersOf(sources).map(([name]) => name)
  expect([...folders].sort()).toEqual([...LAYERS].sort())
  const arrows = arrowsOf(imports)
  const up = backUp(arrows, LAYERS).flatMap((arrow) => arrow.imports)
  expect(up.map(({ from, to }) => `${from} imports ${to}`)).toEqual([])
  expect(circlesOf(arrows.map(({ from, to }) => [from, to]))).toEqual([])
})

it('[LAYER-1] nothing imports tests, benchmarks or scripts', () => {
  const wrong = imports.filter(({ to }) => !LAYERS.includes(dirname(to)))
  expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([])
})

it('[LAYER-2] room, wire and update log do not import workspace/', () => {
  const blind = ['protocol', 'sync-server/config', 'sync-server/storage', 'sync-server/sync']
  const wrong = imports.filter(({ from, to }) => isIn(from, blind) && isIn(to, ['workspace']))
  expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([])
})

it('[LAYER-3] workspace/ is pure: no socket, disk, clock, randomness, terminal', () => {
  for (const source of sources.filter(({ file }) => isIn(file, ['workspace']))) {
    for (const name of packagesOf(source)) {
      expect(name, source.file).not.toMatch(/^(node:|ws$|level$|y-websocket$)/)
    }
    expect(source.text, source.file).not.toMatch(
      /Date\.now|new Date\(\)|Math\.random|\bprocess\.|setTimeout|console\./,
    )
  }
})

it('[LAYER-4] process.exit stands in the mains only', () => {
  for (const { file } of sources) {
    if (!readFileSync(join(root, file), 'utf8').includes('process.exit(')) continue
    expect(relative('.', file)).toMatch(/^([a-z-]+\/main\.tsx?|agent\/outside\.ts)$/)
  }
})

it('[LAYER-5] only lib/yjs/internals.ts names what Yjs keeps for itself', () => {
  const PRIVATE =
    /\._(start|map|item|length|searchMarker|transaction|eH|dEH)\b|\bstore\.(clients|pending)|\bitem\.(left|right)\b|\.integrate\(|\bfindIndexSS\b/
  const wrong = sources.filter(({ text }) => PRIVATE.test(text)).map(({ file }) => file)
  expect(wrong).toEqual(['lib/yjs/internals.ts'])
})
