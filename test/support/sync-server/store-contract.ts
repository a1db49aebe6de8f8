import { expect, it } from 'vitest'
import { Corruption, causeOf } from '../../../sync-server/storage/integrity/corruption.ts'
import type { Store } from '../../../sync-server/storage/integrity/db.ts'
import type { Op } from '../../../sync-server/storage/integrity/level-keys.ts'

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values)
const put = (key: string, ...values: number[]): Op => ({
  type: 'put',
  key,
  value: bytes(...values),
})
const del = (key: string): Op => ({ type: 'del', key })
const shown = (entries: readonly [string, Uint8Array][]): string[] =>
  entries.map(([key, value]) => `${key}=${value.join()}`)

/** Keys whose order by characters, by UTF-16 units and by bytes differs, and ends of ranges. */
const KEYS = ['', 'a', 'a\0', 'a:', 'a:1', 'a;', 'b', 'z', 'é', '漢', '\uffff', '😀']

/**
 * The contract of ordered stores. `open` opens the store at a place, new or as it was left; `places` gives new ones.
 */
export const storeContract = (
  open: (place: string) => Promise<Store>,
  place: () => string,
): void => {
  it('[STORE-1] gives back what was put, in the order of the bytes of the keys, also after a restart', async () => {
    const at = place()
    const store = await open(at)
    await store.db.batch(KEYS.map((key, i) => put(`k${key}`, i)).reverse(), { sync: true })
    const check = async ({ db }: Store) => {
      const all = await db.iterator({ gte: 'k', lt: 'l' }).all()
      expect(all.map(([key]) => key)).toEqual(KEYS.map((key) => `k${key}`))
      expect(all.map(([, [value]]) => value)).toEqual(KEYS.map((_, i) => i))
      expect([...(await db.get('k漢'))!]).toEqual([9])
      expect(await db.get('k漢漢')).toBeUndefined()
    }
    await check(store)
    await store.close()
    const again = await open(at)
    await check(again)
    await again.close()
  })

  it('[STORE-1] walks ranges with open and closed ends, both ways, up to a limit, by entries, keys and values', async () => {
    const store = await open(place())
    const { db } = store
    await db.batch([put('k:1', 1), put('k:2', 2), put('k:3', 3), put('k;', 9)])
    const keys = async (range: object) => (await db.keys(range).all()).join()
    expect(await keys({ gt: 'k:1', lt: 'k:3' })).toBe('k:2')
    expect(await keys({ gte: 'k:1', lte: 'k:3' })).toBe('k:1,k:2,k:3')
    expect(await keys({ gt: 'k:', lt: 'k;', limit: 2 })).toBe('k:1,k:2')
    expect(await keys({ gt: 'k:', lt: 'k;', reverse: true, limit: 2 })).toBe('k:3,k:2')
    expect(await keys({ gt: 'k:3', lt: 'k:1' })).toBe('')
    expect(shown(await db.iterator({ gt: 'k:', lt: 'k;', reverse: true }).all())).toEqual([
      ...['k:3=3', 'k:2=2', 'k:1=1'],
    ])
    const walked: number[] = []
    for await (const [value] of db.values({ gte: 'k:2' })) walked.push(value!)
    expect(walked).toEqual([2, 3, 9])
    for await (const [key] of db.iterator({ gte: 'k:' })) {
      expect(key).toBe('k:1')
      break
    }
    await store.close()
  })

  it('[STORE-1] of a batch with the same key several times the last operation counts', async () => {
    const store = await open(place())
    await store.db.put('k:3', bytes(3))
    await store.db.batch([put('k:1', 1), put('k:1', 2), put('k:2', 1), del('k:2'), del('k:3')])
    expect(shown(await store.db.iterator({ gte: 'k', lt: 'l' }).all())).toEqual(['k:1=2'])
    await store.close()
  })

  it('[STORE-2] removes a range, and nothing beside it', async () => {
    const store = await open(place())
    const { db } = store
    await db.batch([put('k:0', 0), put('k:1', 1), put('k:2', 2), put('k:3', 3), put('l', 4)])
    await db.clear({ gte: 'k:1', lte: 'k:2' })
    expect(await db.keys({ gte: 'k', lt: 'm' }).all()).toEqual(['k:0', 'k:3', 'l'])
    await store.close()
  })

  it('[STORE-3] a snapshot and a walk see one moment, whatever is stored meanwhile', async () => {
    const store = await open(place())
    const { db } = store
    const value = new Uint8Array(64 * 1024)
    const key = (i: number) => `k:${String(i).padStart(5, '0')}`
    const all = Array.from({ length: 3_000 }, (_, i) => put(key(i), i & 255))
    await db.batch(all)
    await db.batch([{ type: 'put', key: key(1), value }])
    const snapshot = db.snapshot()
    expect([...(await db.get(key(0), { snapshot }))!]).toEqual([0])
    let walked = 0
    for await (const [at, found] of db.iterator({ gte: 'k', lt: 'l' })) {
      if (walked === 0) {
        await db.batch([put(key(0), 99), del(key(2_998)), put(`${key(2_999)}+`, 1)])
      }
      expect(at).toBe(key(walked))
      if (walked > 1) expect([...found]).toEqual([walked & 255])
      walked++
    }
    expect(walked).toBe(3_000)
    expect([...(await db.get(key(0), { snapshot }))!]).toEqual([0])
    expect(await db.keys({ gte: key(2_997), snapshot }).all()).toHaveLength(3)
    await snapshot.close()
    expect([...(await db.get(key(0)))!]).toEqual([99])
    expect(await db.keys({ gte: key(2_997) }).all()).toEqual([
      ...[key(2_997), key(2_999), `${key(2_999)}+`],
    ])
    await store.close()
  })

  it('[STORE-4] keeps values of any size whole, and replaces large ones by small ones', async () => {
    const at = place()
    const store = await open(at)
    const large = new Uint8Array(5 * 2 ** 20 + 7).map((_, i) => (i * 31) >> 3)
    await store.db.batch([{ type: 'put', key: 'k:1', value: large }, put('k:0'), put('k:2', 2)])
    const check = async ({ db }: Store) => {
      expect(Buffer.compare((await db.get('k:1'))!, large)).toBe(0)
      expect([...(await db.get('k:0'))!]).toEqual([])
      for (const reverse of [false, true]) {
        const all = await db.iterator({ gte: 'k', lt: 'l', reverse }).all()
        expect(all.map(([key, value]) => [key, value.length])).toEqual(
          [
            ['k:0', 0],
            ['k:1', large.length],
            ['k:2', 1],
          ][reverse ? 'reverse' : 'slice'](),
        )
        expect(Buffer.compare(all[1]![1], large)).toBe(0)
      }
      expect(await db.keys({ gte: 'k', lt: 'l' }).all()).toEqual(['k:0', 'k:1', 'k:2'])
      const [two] = await db.iterator({ gte: 'k', lt: 'l', reverse: true, limit: 1 }).all()
      expect(two![0]).toBe('k:2')
    }
    await check(store)
    await store.close()
    const again = await open(at)
    await check(again)
    await again.db.batch([put('k:1', 1)])
    expect(shown(await again.db.iterator({ gte: 'k', lt: 'l' }).all())).toEqual([
      ...['k:0=', 'k:1=1', 'k:2=2'],
    ])
    await again.db.batch([{ type: 'put', key: 'k:1', value: large.subarray(0, 2 ** 20) }])
    await again.db.batch([del('k:1')])
    expect(await again.db.keys({ gte: 'k:1' }).all()).toEqual(['k:2'])
    await again.close()
  })

  it('[STORE-4] keeps small and large values beside each other whole, both ways, up to any limit', async () => {
    const store = await open(place())
    const { db } = store
    const KIB = 1024
    const sizes = [
      ...[0, 32 * KIB - 5, 1, 32 * KIB - 4, 32 * KIB - 3, 7, 64 * KIB, 64 * KIB - 4, 64 * KIB - 3],
      ...[2 ** 20 - 4, 2 ** 20 - 3, 1, 3 * 2 ** 20, 5 * 2 ** 20, 9, 200 * KIB, 3],
    ]
    const entries = sizes.map((size, i): [string, Uint8Array] => [
      `k:${10 + i}`,
      new Uint8Array(size).map((_, at) => (at * (i + 7)) >> 2),
    ])
    await db.batch(entries.map(([key, value]) => ({ type: 'put', key, value })))
    const isSame = (found: readonly [string, Uint8Array][], expected: typeof entries): boolean =>
      found.length === expected.length &&
      found.every(([key, value], i) => {
        const [name, bytes] = expected[i]!
        return key === name && Buffer.compare(value, bytes) === 0
      })
    for (const reverse of [false, true]) {
      const inOrder = reverse ? [...entries].reverse() : entries
      for (const limit of [1, 2, 4, 11, 14, sizes.length, sizes.length + 1]) {
        const range = { gte: 'k', lt: 'l', reverse, limit }
        expect(isSame(await db.iterator(range).all(), inOrder.slice(0, limit))).toBe(true)
        const walked: [string, Uint8Array][] = []
        for await (const entry of db.iterator(range)) walked.push(entry)
        expect(isSame(walked, inOrder.slice(0, limit))).toBe(true)
      }
    }
    const asked = ['k:13', 'k:none', 'k:19', 'k:10', 'k:23', 'k:13']
    const values = await db.getMany(asked)
    for (const [i, key] of asked.entries()) {
      const stored = entries.find(([name]) => name === key)?.[1]
      expect(Buffer.compare(values[i] ?? Buffer.from('none'), stored ?? Buffer.from('none'))).toBe(
        0,
      )
    }
    expect(values[1]).toBeUndefined()
    expect(await db.getMany([])).toEqual([])
    await store.close()
  })

  it('[STORE-4] [OPS-6] a value whose checksum is wrong is not handed out, and is shown raw', async () => {
    const store = await open(place())
    const { db } = store
    await db.batch([{ type: 'put', key: 'k:1', value: bytes(1, 2, 3, 4, 5) }], {
      valueEncoding: 'view',
    })
    const error = await db.get('k:1').catch((thrown: Error) => thrown)
    expect(causeOf(error, Corruption)).not.toBeNull()
    const walked = await db
      .iterator({ gte: 'k' })
      .all()
      .catch((thrown: Error) => thrown)
    expect(causeOf(walked, Corruption)).not.toBeNull()
    expect([...(await db.get('k:1', { valueEncoding: 'view' }))!]).toEqual([1, 2, 3, 4, 5])
    await store.close()
  })

  it('[STORE-5] concurrent writes are all stored, and after closing none is', async () => {
    const at = place()
    const store = await open(at)
    const { db } = store
    await Promise.all(Array.from({ length: 200 }, (_, i) => db.put(`k:${1000 + i}`, bytes(i))))
    expect(await db.keys({ gte: 'k:', lt: 'k;' }).all()).toHaveLength(200)
    await store.close()
    await expect(db.put('k:9', bytes(9))).rejects.toThrow()
    await expect((async () => db.get('k:9'))()).rejects.toThrow()
    const again = await open(at)
    expect(await again.db.get('k:9')).toBeUndefined()
    await again.close()
  })

  it('[STORE-5] goes on after it was opened again', async () => {
    const store = await open(place())
    await store.db.put('k:1', bytes(1))
    await store.reopen()
    await store.db.put('k:2', bytes(2))
    expect(shown(await store.db.iterator({ gte: 'k', lt: 'l' }).all())).toEqual(['k:1=1', 'k:2=2'])
    await store.close()
  })
}
