import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { FILE, withTables } from '../../../scripts/schema-tables.ts'
import { root } from '../../support/server.ts'

it('[DG1] the tables of docs/SCHEMA.md are those of the grammar', () => {
  const markdown = readFileSync(join(root, FILE), 'utf8')
  expect(markdown, 'run npm run docs:schema').toBe(withTables(markdown))
})
