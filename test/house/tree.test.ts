import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ERRORS } from '../../protocol/errors.ts'
import { readSources } from '../../scripts/house/sources.ts'
import { helpersOutside, undocumentedCodes } from '../../scripts/house/walls.ts'
import { root } from '../support/server.ts'

it('every error code is in docs/errors.md', () => {
  const document = readFileSync(join(root, 'docs/errors.md'), 'utf8')
  expect(undocumentedCodes(Object.keys(ERRORS), document)).toEqual([])
})

it('helpers of tests are in test/support', () => {
  expect(helpersOutside(readSources(root, ['test']))).toEqual([])
})
