import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ERRORS } from '../../protocol/errors.ts'
import { documentsIn, readSources } from '../../scripts/house/sources.ts'
import {
  badSentences,
  helpersOutside,
  tooLarge,
  tooLong,
  undocumentedCodes,
} from '../../scripts/house/walls.ts'
import { root } from '../support/server.ts'

const sources = readSources(root)
const tests = readSources(root, ['test'])

it('no function, class, file or folder is too large', () => {
  expect(tooLarge(sources)).toEqual([])
})

it('comments, strings and documents follow the style sheet of CONTRIBUTING.md', () => {
  expect(badSentences(sources, documentsIn(root))).toEqual([])
})

it('every error code is in docs/errors.md', () => {
  const document = readFileSync(join(root, 'docs/errors.md'), 'utf8')
  expect(undocumentedCodes(Object.keys(ERRORS), document)).toEqual([])
})

it('helpers of tests are in test/support', () => {
  expect(helpersOutside(tests)).toEqual([])
})

it('no file of a test is too large', () => {
  expect(tooLong(tests)).toEqual([])
})
