import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { byteLength } from '../../../lib/text/bytes.ts'
import { didYouMean, nearestWord } from '../../../lib/text/suggest.ts'
import { newAgentId, newBroadcastId, newTaskId } from '../../../protocol/ids.ts'
import { MAX_LIST_LENGTH, MAX_NAME_CHARS } from '../../../protocol/limits.ts'
import { checkDisplayName, checkNames, within } from '../../../workspace/document/validate.ts'
import { codeOf } from '../../support/workspace/replicas.ts'

describe('validate', () => {
  it('counts UTF-8 bytes', () => {
    expect(['', 'a', 'é', '漢', '👍'].map(byteLength)).toEqual([0, 1, 2, 3, 4])
  })

  it('takes what is at the limit, refuses what is over, and names the limit', () => {
    expect(within('x', 'é'.repeat(5), 10)).toBe('é'.repeat(5))
    expect(codeOf(() => within('x', `${'é'.repeat(5)}a`, 10))).toBe('too_large')
    expect(() => within('result', 'abc', 2)).toThrow('result is 3 bytes; the limit is 2')
  })

  it('trims and normalises a name', () => {
    expect(checkDisplayName('name', '  Zoe\u0308 ')).toBe('Zoë'.normalize('NFC'))
  })

  it.each([
    ['', 'bad_name'],
    [' \t', 'bad_name'],
    ['a\nb', 'bad_name'],
    ['a\u001b[31m', 'bad_name'],
    ['a\u2028b', 'bad_name'],
    ['a\u009b', 'bad_name'],
    ['x'.repeat(MAX_NAME_CHARS + 1), 'bad_name'],
    ...[...'()="`<>', 'a\u200bb', 'a\u{e0041}', 'a  b', 'a\u00a0b'].map((part) => [
      `x${part}x`,
      'bad_name',
    ]),
  ])('refuses the name %j', (name, code) => {
    expect(codeOf(() => checkDisplayName('name', name))).toBe(code)
  })

  it('drops empty names and repeats, also when written in another way', () => {
    expect(checkNames('tags', [' b', '', 'a', 'b ', 'é', 'e\u0301'])).toEqual([
      'b',
      'a',
      'é'.normalize('NFC'),
    ])
    const many = Array.from({ length: MAX_LIST_LENGTH + 1 }, (_, i) => `${i}`)
    expect(codeOf(() => checkNames('tags', many))).toBe('too_large')
    expect(checkNames('tags', many.slice(1)).length).toBe(MAX_LIST_LENGTH)
  })
})

describe('suggest', () => {
  const names = ['planner', 'reviewer', 'coder', 'code-review']

  it.each([
    ['plannr', ['planner']],
    ['PLANNER', ['planner']],
    ['revewer', ['reviewer']],
    ['code', ['code-review', 'coder']],
    ['xyzzy', []],
  ])('%s → %j', (typed, near) => expect(nearestWord(typed, names)).toEqual(near))

  it('is a question, or nothing', () => {
    expect(didYouMean('plannr', names)).toBe('did you mean planner?')
    expect(didYouMean('xyzzy', names)).toBe('')
  })

  it('takes anything, and gives candidates only, each once, at most three', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 300 }),
        fc.array(fc.string(), { maxLength: 9 }),
        (typed, all) => {
          const near = nearestWord(typed, all)
          expect(near.length).toBeLessThanOrEqual(3)
          expect(new Set(near).size).toBe(near.length)
          expect(near.every((name) => all.includes(name))).toBe(true)
        },
      ),
    )
  })
})

describe('ids', () => {
  const counting = (bytes: Uint8Array) => bytes.map((_, i) => i + 20)

  it('are a prefix and 12 characters that the random bytes decide', () => {
    expect(newAgentId(counting)).toBe('a-mnpqrstvwxyz')
    expect(newTaskId(counting)).toMatch(/^t-[0-9a-hjkmnp-tv-z]{12}$/)
    expect(newBroadcastId(counting)).toMatch(/^m-[0-9a-hjkmnp-tv-z]{12}$/)
  })

  it('differ for each of the 32 values of a byte', () => {
    const ids = Array.from({ length: 256 }, (_, i) => newTaskId((bytes) => bytes.fill(i)))
    expect(new Set(ids).size).toBe(32)
  })
})
