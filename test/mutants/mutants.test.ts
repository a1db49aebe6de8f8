import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { root } from '../support/server.ts'
import { MUTANTS } from './mutants.ts'

const read = (file: string): string => readFileSync(join(root, file), 'utf8')

it('there are 31 mutants, each with a name of its own', () => {
  expect(MUTANTS).toHaveLength(31)
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(31)
})

it.each(MUTANTS)('$rule $name can be put in its place, and its rule has a test', (mutant) => {
  const { rule, file, find, replace, tests } = mutant
  expect(read(file).split(find), `${find} in ${file}`).toHaveLength(2)
  expect(replace).not.toBe(find)
  const found = readdirSync(join(root, tests), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .flatMap((name) => read(join(tests, name)).split('\n'))
    .filter((line) => line.includes(rule) && !line.trim().startsWith('//'))
  expect(found).not.toEqual([])
})
