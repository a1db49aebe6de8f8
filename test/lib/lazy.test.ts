import { expect, it } from 'vitest'
import { LazyMap, LazySet } from '../../lib/lazy.ts'
import { runSeed, seeded } from '../support/client.ts'

it('a LazyMap and a LazySet do what a Map and a Set do', () => {
  const random = seeded(runSeed('lazy maps'))
  const [map, set] = [new LazyMap<number, string>(), new LazySet<number>()]
  const [likeMap, likeSet] = [new Map<number, string>(), new Set<number>()]
  for (let i = 0; i < 2_000; i++) {
    const key = Math.floor(random() * 6)
    const dice = random()
    if (dice < 0.05) for (const one of [map, set, likeMap, likeSet]) one.clear()
    else if (dice < 0.4) {
      expect(map.delete(key)).toBe(likeMap.delete(key))
      expect(set.delete(key)).toBe(likeSet.delete(key))
    } else {
      expect(map.set(key, `${i}`)).toBe(map)
      expect(set.add(key)).toBe(set)
      likeMap.set(key, `${i}`)
      likeSet.add(key)
    }
    expect([map.size, set.size]).toEqual([likeMap.size, likeSet.size])
    expect([map.get(key), map.has(key)]).toEqual([likeMap.get(key), likeMap.has(key)])
    expect(set.has(key)).toBe(likeSet.has(key))
    expect([...map]).toEqual([...likeMap])
    expect([...map.keys()]).toEqual([...likeMap.keys()])
    expect([...map.values()]).toEqual([...likeMap.values()])
    expect([...set]).toEqual([...likeSet])
    expect([...set.entries()]).toEqual([...likeSet.entries()])
    const each: unknown[] = []
    map.forEach((value, of) => void each.push([of, value]))
    set.forEach((member) => void each.push(member))
    expect(each).toEqual([...likeMap, ...likeSet])
  }
})
