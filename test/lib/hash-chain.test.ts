import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { DigestList, digestOf, linked } from '../../lib/hash-chain.ts'

const sha256 = (...parts: Uint8Array[]): string => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const values = Array.from({ length: 100 }, (_, i) => Buffer.from(`record ${i}`))

it('digests and heads are SHA-256', () => {
  const [a, b] = [digestOf(values[0]!), digestOf(values[1]!)]
  expect(hex(a)).toBe(sha256(values[0]!))
  expect(hex(linked(a, b))).toBe(sha256(a, b))
})

it('a list of digests grows, is read from anywhere and loses its first ones', () => {
  const list = new DigestList()
  for (const value of values) list.pushDigestOf(value)
  const all = values.map((value) => sha256(value))
  expect(hex(list.slice(0, 100))).toBe(all.join(''))
  expect(hex(list.slice(98, 120))).toBe(all.slice(98).join(''))
  list.shift(37)
  list.pushDigestOf(values[0]!)
  expect(list.length).toBe(64)
  expect(hex(list.slice(0, 64))).toBe([...all.slice(37), all[0]].join(''))
})
