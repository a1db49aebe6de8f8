import { expect, it } from 'vitest'
import { gateway } from '../../client/http/middlebox.ts'

it('[NET-22] what a proxy says in the place of the server is told from what the server says', () => {
  const codes = [200, 413, 502, 503, 504].map((status) => gateway('http://x', status)?.code)
  expect(codes).toEqual([undefined, 'too_large', 'unreachable', 'unreachable', 'unreachable'])
})
