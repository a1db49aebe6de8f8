import { expect, it } from 'vitest'
import { randomFraction, randomHex, randomToken, randomUint32 } from '../../lib/random.ts'
import type { RandomBytes } from '../../protocol/ids.ts'

const filled =
  (byte: number): RandomBytes =>
  (bytes) =>
    bytes.fill(byte)

it('makes its values of the bytes of its source', () => {
  expect(randomHex(4, filled(0xab))).toBe('abababab')
  expect(randomToken(filled(0))).toBe('A'.repeat(43))
  expect(randomUint32(filled(0xff))).toBe(0xffffffff)
  expect(randomFraction(filled(0))).toBe(0)
  expect(randomFraction(filled(0xff))).toBeLessThan(1)
})

it('repeats nothing without a source', () => {
  const tokens = new Set(Array.from({ length: 1_000 }, () => randomToken()))
  expect(tokens.size).toBe(1_000)
  for (const token of tokens) expect(token).toMatch(/^[\w-]{43}$/)
})
