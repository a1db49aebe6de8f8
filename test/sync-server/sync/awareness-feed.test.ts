import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { AwarenessStates } from '../../../sync-server/sync/awareness.ts'
import { AwarenessFeed } from '../../../sync-server/sync/awareness-feed.ts'
import type { Connection } from '../../../sync-server/sync/connection.ts'
import { OWNER } from '../../../sync-server/sync/principal.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout', 'setImmediate'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** A feed with one connection, to which a send takes `costMs`, and the times of its sends. */
const feedThatTakes = (costMs: number) => {
  const ids = { holderOf: () => undefined, reserve: () => true, release: () => {} }
  const sentAt: number[] = []
  const connection = {
    ready: true,
    send: () => {
      sentAt.push(performance.now())
      vi.setSystemTime(Date.now() + costMs)
      vi.advanceTimersByTime(costMs)
    },
  } as unknown as Connection
  const states = new AwarenessStates(ids, () => {})
  const feed = new AwarenessFeed(states, new Set([connection]), (work) => work())
  let clock = 0
  const change = () => feed.apply(1, OWNER, [{ client: 10, clock: ++clock, json: `${clock}` }], 0)
  return { feed, sentAt, change }
}

test('[PRESENCE-9] a change after a quiet time goes out at once', () => {
  const { feed, sentAt, change } = feedThatTakes(1)
  const began = performance.now()
  change()
  change()
  vi.advanceTimersByTime(0)
  expect(sentAt).toEqual([began])
  feed.close()
})

test('[PRESENCE-9] sends rest for twice what the last one took, and for at most 33 ms', () => {
  for (const [costMs, restMs] of [
    [1, 2],
    [5, 10],
    [40, 33],
  ] as const) {
    const { feed, sentAt, change } = feedThatTakes(costMs)
    for (let ms = 0; ms < 300; ms++) {
      change()
      vi.advanceTimersByTime(1)
    }
    const gaps = sentAt.slice(1).map((at, i) => at - sentAt[i]! - costMs)
    expect(gaps.length).toBeGreaterThan(2)
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(restMs)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(restMs + 1)
    feed.close()
  }
})

test('[PRESENCE-9] a change during the rest is sent after it, and nothing is sent once the feed is closed', () => {
  const { feed, sentAt, change } = feedThatTakes(10)
  change()
  vi.advanceTimersByTime(0)
  change()
  expect(sentAt).toHaveLength(1)
  vi.advanceTimersByTime(20)
  expect(sentAt).toHaveLength(2)
  change()
  feed.close()
  vi.advanceTimersByTime(100)
  expect(sentAt).toHaveLength(2)
})
