import { describe, expect, it } from 'vitest'
import { STALE_MS, SUSPECTED_MS, Suspicion } from '../../../sync-server/cluster/suspicion.ts'

/** Looks each second from `from` to `to`; `n` at a time. */
const looks = (one: Suspicion, from: number, to: number, n: (at: number) => number): void => {
  for (let at = from; at <= to; at += 1_000) one.look(at, [['other', String(n(at))]])
}

describe('[NODE-4] the suspicion of a node', () => {
  it('grows while the beats of another one do not change, and ends with a beat', () => {
    const one = new Suspicion()
    looks(one, 0, 4_000, () => 7)
    expect([one.isStale('other', 4_000), one.isSilent('other', 4_000)]).toEqual([true, false])
    looks(one, 5_000, 5_000, () => 7)
    expect(one.isSilent('other', 5_000)).toBe(true)
    looks(one, 6_000, 6_000, () => 8)
    expect([one.silentMs('other', 6_000), one.isStale('other', 6_000)]).toEqual([0, false])
  })

  it('is none of a node that beats, however long it is watched', () => {
    const one = new Suspicion()
    looks(one, 0, 60_000, (at) => at)
    expect(one.isStale('other', 60_500)).toBe(false)
  })

  it('does not count the time since the last look', () => {
    const one = new Suspicion()
    looks(one, 0, 3_000, () => 7)
    expect(one.silentMs('other', 5_400)).toBe(3_000)
  })

  it('is none of whoever slept: it judges nobody before it has looked for long enough', () => {
    const one = new Suspicion()
    looks(one, 0, 3_000, () => 7)
    const woken = 65_000
    // Neither at once, …
    expect(one.silentMs('other', woken)).toBe(null)
    for (let at = woken; at < woken + SUSPECTED_MS; at += 1_000) {
      one.look(at, [['other', '7']])
      expect(one.isSilent('other', at)).toBe(false)
      if (at - woken < STALE_MS) expect(one.isStale('other', at)).toBe(false)
    }
    // … but in its time.
    one.look(woken + SUSPECTED_MS, [['other', '7']])
    expect(one.isSilent('other', woken + SUSPECTED_MS)).toBe(true)
  })

  it('is none of a node that it sees for the first time', () => {
    const one = new Suspicion()
    looks(one, 0, 9_000, () => 7)
    one.look(10_000, [['new', '1']])
    expect([one.silentMs('new', 10_000), one.silentMs('other', 10_000)]).toEqual([0, null])
  })
})
