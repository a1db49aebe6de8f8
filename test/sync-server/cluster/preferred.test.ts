import { expect, it } from 'vitest'
import { preferredOf } from '../../../sync-server/cluster/preferred.ts'

const names = Array.from({ length: 3_000 }, (_, n) => `w${n}`)

it('[NODE-11] workspaces are spread evenly, and a node that leaves moves only its own', () => {
  const ids = ['a', 'b', 'c']
  const before = new Map(names.map((name) => [name, preferredOf(name, ids)]))
  for (const id of ids) {
    const part = names.filter((name) => before.get(name) === id).length / names.length
    expect(part).toBeGreaterThan(0.3)
    expect(part).toBeLessThan(0.37)
  }
  for (const name of names) {
    const after = preferredOf(name, ['c', 'a'])
    if (before.get(name) !== 'b') expect(after).toBe(before.get(name))
  }
  expect(preferredOf('w1', [])).toBe(null)
})
