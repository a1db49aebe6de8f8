import { expect, it } from 'vitest'
import { Pacer } from '../../../agent/waking/pacer.ts'

const MINUTE = 60_000

it('[HOST-7] news wakes at once, and news of an agent that has not looked once a minute, then ever rarer', () => {
  const pacer = new Pacer([], 0)
  expect(pacer.look([], 0, false)).toEqual({ wakes: false, waitMs: null })
  expect(pacer.look(['a'], 10, false)).toEqual({ wakes: true })
  expect(pacer.look(['a'], 20, false)).toEqual({ wakes: false, waitMs: null })
  expect(pacer.look(['a', 'b'], 1_010, false)).toEqual({ wakes: false, waitMs: MINUTE - 1_000 })
  expect(pacer.look(['a', 'b'], 10 + MINUTE, false)).toEqual({ wakes: true })
  expect(pacer.look(['a', 'b', 'c'], 20 + MINUTE, false)).toEqual({
    wakes: false,
    waitMs: 2 * MINUTE - 10,
  })
  let now = MINUTE
  let wakings = 0
  const unread = ['a']
  for (; now < 1_440 * MINUTE; now += MINUTE) {
    unread.push(`m${now}`)
    if (pacer.look(unread, now, false).wakes) wakings++
  }
  expect(wakings).toBeLessThan(30)
})

it('[HOST-7] after a look the next news wakes, no sooner than two seconds after the last', () => {
  const pacer = new Pacer([], 0)
  expect(pacer.look(['a'], 0, false)).toEqual({ wakes: true })
  expect(pacer.look(['b'], 500, false)).toEqual({ wakes: false, waitMs: 1_500 })
  expect(pacer.look(['b'], 2_000, false)).toEqual({ wakes: true })
  expect(pacer.look([], 2_100, false)).toEqual({ wakes: false, waitMs: null })
  expect(pacer.look(['c'], 90_000, false)).toEqual({ wakes: true })
})

it('[HOST-7] an agent that waits for messages itself is woken only for those that it leaves for 30 s', () => {
  const pacer = new Pacer([], 0)
  expect(pacer.look(['a'], 1_000, true)).toEqual({ wakes: false, waitMs: 30_000 })
  expect(pacer.look([], 2_000, true)).toEqual({ wakes: false, waitMs: null })
  expect(pacer.look(['b'], 5_000, true)).toEqual({ wakes: false, waitMs: 30_000 })
  expect(pacer.look(['b'], 35_000, true)).toEqual({ wakes: true })
})

it('[HOST-7] a watcher that follows another does not repeat what that one said', () => {
  const pacer = new Pacer(['a'], 0)
  expect(pacer.look(['a'], 0, false)).toEqual({ wakes: false, waitMs: null })
  expect(pacer.look(['a', 'b'], 1_000, false)).toEqual({ wakes: false, waitMs: 59_000 })
  expect(pacer.told).toEqual(['a'])
})

it('[HOST-7] once the agent has looked at what an earlier watcher said, the next news wakes at once', () => {
  const pacer = new Pacer(['a'], 0)
  expect(pacer.look(['b'], 100, false)).toEqual({ wakes: true })
  expect(pacer.look(['c'], 200, false)).toEqual({ wakes: false, waitMs: 1_900 })
})
