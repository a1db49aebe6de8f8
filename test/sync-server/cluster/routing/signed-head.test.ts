import { expect, it } from 'vitest'
import { ReplayWindow } from '../../../../sync-server/cluster/routing/replay-window.ts'
import {
  HeadSigner,
  HeadVerifier,
  SKEW_MS,
} from '../../../../sync-server/cluster/routing/signed-head.ts'

const key = Buffer.alloc(32, 7)
const head = { method: 'GET', url: '/w/docs/poll/a' }
let time = 1_000_000
const now = () => time
const signer = new HeadSigner(key, now)
const sign = (address = '192.0.2.7') => signer.sign(head, 'n2', address)

it('[ROUTE-4] a signature is good once, for its request, at its node, and for a minute', () => {
  const verifier = new HeadVerifier(key, 'n2', now)
  const header = sign()
  expect(verifier.verify(head, header)).toBe('192.0.2.7')
  expect(verifier.verify(head, header), 'again').toBeNull()
  expect(verifier.verify(head, sign('2001:db8:0:0::/64'))).toBe('2001:db8:0:0::/64')
  expect(verifier.verify({ ...head, url: '/w/other/poll/a' }, sign())).toBeNull()
  expect(verifier.verify({ ...head, method: 'POST' }, sign())).toBeNull()
  expect(new HeadVerifier(key, 'n3', now).verify(head, sign())).toBeNull()
  expect(new HeadVerifier(Buffer.alloc(32, 8), 'n2', now).verify(head, sign())).toBeNull()
  const old = sign()
  time += SKEW_MS + 1
  expect(verifier.verify(head, old)).toBeNull()
  const early = sign()
  time -= 2 * SKEW_MS
  expect(verifier.verify(head, early)).toBeNull()
})

it('[ROUTE-4] a changed or broken header is rejected, whatever it is', () => {
  const verifier = new HeadVerifier(key, 'n2', now)
  const header = sign()
  for (let at = 0; at < header.length; at++) {
    const changed = `${header.slice(0, at)}${header[at] === '1' ? '2' : '1'}${header.slice(at + 1)}`
    expect(verifier.verify(head, changed), changed).toBeNull()
  }
  for (const broken of [
    '',
    ' ',
    '1',
    '1 2 3 4 5 6',
    `${header} x`,
    ` ${header}`,
    '\u00e9 '.repeat(6),
  ]) {
    expect(verifier.verify(head, broken), broken).toBeNull()
  }
  expect(verifier.verify(head, sign('not an address'))).toBeNull()
  expect(verifier.verify(head, header)).toBe('192.0.2.7')
})

it('[ROUTE-4] numbers may overtake each other; each counts once, and old ones never', () => {
  const seen = new ReplayWindow(1_000)
  const isNew = (number: number, at = 0) => seen.isNew('s', number, at)
  expect([5, 3, 4, 3, 5, 4, 6].map((number) => isNew(number))).toEqual([
    ...[true, true, true, false, false, false, true],
  ])
  expect(isNew(70_000)).toBe(true)
  expect(isNew(6)).toBe(false)
  expect(isNew(70_000 - 65_536)).toBe(false)
  expect(isNew(70_000 - 65_535)).toBe(true)
  expect(isNew(200_000)).toBe(true)
  expect([199_999, 200_000 - 65_535, 70_000].map((number) => isNew(number))).toEqual([
    ...[true, true, false],
  ])
  for (const wrong of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
    expect(isNew(wrong)).toBe(false)
  expect(seen.isNew('other', 5, 0)).toBe(true)
})
