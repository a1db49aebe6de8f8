import fc from 'fast-check'
import { expect, it } from 'vitest'
import { matches, termsOf, tokensOf } from '../../../lib/text/search.ts'

it('[FIND-1] a term is found at the beginning of a word, also within camelCase, and in quotation marks as it stands', () => {
  const has = (query: string, text: string) => matches(text, termsOf(query))
  expect(has('timeout', 'getTimeoutMs')).toBe(true)
  expect(has('imeout', 'getTimeoutMs')).toBe(false)
  expect(has('server', 'HTTPServer')).toBe(true)
  expect(has('NOTES rel', 'release notes')).toBe(true)
  expect(has('"release notes"', 'the release notes')).toBe(true)
  expect(has('"notes release"', 'the release notes')).toBe(false)
  expect(has('src/a.md', 'see src/a.md')).toBe(true)
  expect(has('--limit', 'use --limit 3')).toBe(true)
  expect(has('据', '数据库')).toBe(true)
  expect(has('😀', 'a 😀 b')).toBe(true)
  expect(has('istanbul', 'İstanbul')).toBe(false)
  expect(has('é', 'e\u0301tude')).toBe(true)
  expect(termsOf('a "b C" d "" "  "').map(({ text }) => text)).toEqual(['a', 'b c', 'd'])
})

const character = fc.constantFrom(...'aAbBzZ09é ÉßİΣ_-./数据ทข가나😀𠀀\u0301\n"')
const text = fc.array(character, { maxLength: 24 }).map((all) => all.join(''))

it('[FIND-1] the index has a token for each word of a query that matches', () => {
  fc.assert(
    fc.property(text, text, text, (before, query, after) => {
      const terms = termsOf(query)
      const given = `${before}${query.replaceAll('"', '')}${after}`
      if (!matches(given, terms)) return
      const tokens = [...tokensOf(given)]
      for (const beginning of terms.flatMap((term) => term.tokens)) {
        expect(tokens.some((token) => token.startsWith(beginning))).toBe(true)
      }
    }),
    { numRuns: 3_000 },
  )
})
