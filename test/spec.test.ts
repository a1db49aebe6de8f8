import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { root } from './support/server.ts'

it('every rule of docs/SPEC.md has a test with its number, and every number is a rule', () => {
  const spec = readFileSync(join(root, 'docs/SPEC.md'), 'utf8')
  const rules = [...spec.matchAll(/\*\*([A-Z]+-\d+)\*\*/g)]
  const tests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.startsWith('mutants/'))
    .map((file) => readFileSync(join(root, 'test', file), 'utf8'))
    .join('\n')
  const titles = [...tests.matchAll(/['`"(]((?:\[[A-Z]+-\d+\] ?)+)/g)].map(([, ids]) => ids)
  const numbers = titles.join(' ').matchAll(/\[([A-Z]+-\d+)\]/g)
  const unique = (found: Iterable<RegExpMatchArray>) => [...new Set([...found].map(([, id]) => id))]
  expect(rules.length, 'a number is one rule').toBe(unique(rules).length)
  expect(unique(numbers).sort()).toEqual(unique(rules).sort())
})
