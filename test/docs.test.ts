import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ERROR_GUIDE } from '../protocol/error-guide.ts'
import { ERRORS } from '../protocol/errors.ts'
import { DOCUMENTS } from '../scripts/docs/main.ts'
import { root } from './support/server.ts'

const read = (file: string): string => readFileSync(join(root, file), 'utf8')

it('[GRAMMAR-1] generated documents are what the code makes of them', () => {
  for (const [file, made] of Object.entries(DOCUMENTS))
    expect(read(file), `${file}: run npm run docs`).toBe(made(read(file), root))
})

it('[ARGS-1] every error code has a cause and a remedy', () => {
  expect(Object.keys(ERROR_GUIDE).sort()).toEqual(Object.keys(ERRORS).sort())
  for (const [code, { cause, remedy }] of Object.entries(ERROR_GUIDE)) {
    expect(cause, code).toMatch(/^[A-Z`].{10,}\.$/)
    expect(remedy, code).toMatch(/^[A-Z].{4,}\.$/)
  }
})

it('[LAYER-1] ARCHITECTURE.md can be read in five minutes: 600 words', () => {
  const prose = read('ARCHITECTURE.md').replace(/```[\s\S]*?```/g, '')
  expect(prose.split(/\s+/).length).toBeLessThanOrEqual(600)
})

const PATHS =
  /`((?:protocol|lib|workspace|client|sync-server|agent|tui|test|docs|scripts|bench)\/[\w./-]*)`/g

it('[LAYER-1] [LAYER-6] paths that documents name exist', () => {
  for (const file of ['AGENTS.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'docs/README.md']) {
    const paths = [...read(file).matchAll(PATHS)].map(([, path]) => path!)
    for (const path of paths) expect(existsSync(join(root, path)), `${file}: ${path}`).toBe(true)
  }
})

it('[LAYER-1] docs/README.md names every document', () => {
  const index = read('docs/README.md')
  for (const name of readdirSync(join(root, 'docs')))
    if (name.endsWith('.md') && name !== 'README.md') expect(index).toContain(`](${name})`)
  const decisions = read('docs/decisions/README.md')
  for (const name of readdirSync(join(root, 'docs/decisions')))
    if (name.endsWith('.md') && name !== 'README.md') expect(decisions).toContain(`](${name})`)
})
