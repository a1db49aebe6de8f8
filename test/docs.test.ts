import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ERROR_GUIDE } from '../protocol/error-guide.ts'
import { ERRORS } from '../protocol/errors.ts'
import { DOCUMENTS } from '../scripts/docs/main.ts'
import { root } from './support/server.ts'

const read = (file: string): string => readFileSync(join(root, file), 'utf8')

it('[DG1] generated documents are what the code makes of them', () => {
  for (const [file, made] of Object.entries(DOCUMENTS))
    expect(read(file), `${file}: run npm run docs`).toBe(made(read(file), root))
})

it('[E1] every error code has a cause and a remedy', () => {
  expect(Object.keys(ERROR_GUIDE).sort()).toEqual(Object.keys(ERRORS).sort())
  for (const [code, { cause, remedy }] of Object.entries(ERROR_GUIDE)) {
    expect(cause, code).toMatch(/^[A-Z`].{10,}\.$/)
    expect(remedy, code).toMatch(/^[A-Z].{4,}\.$/)
  }
})

it('[A1] ARCHITECTURE.md can be read in five minutes: 600 words', () => {
  const prose = read('ARCHITECTURE.md').replace(/```[^]*?```/g, '')
  expect(prose.split(/\s+/).length).toBeLessThanOrEqual(600)
})
