import { expect, it } from 'vitest'
import { grouped } from '../../../lib/text/count.ts'

it('a number is written with a comma before each three digits', () => {
  for (const count of [0, 7, 999, 1_000, 12_345, 999_999, 1_000_000, 1_234_567_890]) {
    expect(grouped(count)).toBe(count.toLocaleString('en-US'))
  }
})
