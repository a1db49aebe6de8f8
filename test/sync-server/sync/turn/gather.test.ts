import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Gather } from '../../../../sync-server/sync/turn/gather.ts'

describe('when a commit waits for more', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('[DUR-5] [DUR-6] a lone writer never waits', () => {
    const gather = new Gather()
    for (let i = 0; i < 10; i++) {
      expect(gather.wait(1)).toBe(false)
      gather.sent(1, 5)
    }
  })

  test('[DUR-5] fewer than usual wait, for as long as a send to all takes and no longer', () => {
    const gather = new Gather()
    gather.sent(32, 5)
    expect(gather.wait(8)).toBe(true)
    vi.advanceTimersByTime(4)
    expect(gather.wait(8)).toBe(true)
    vi.advanceTimersByTime(1)
    expect(gather.wait(8)).toBe(false)
    // The next commit's wait is its own.
    expect(gather.wait(8)).toBe(true)
  })

  test('[DUR-5] as many as usual do not wait, and nothing waits for a turn without updates', () => {
    const gather = new Gather()
    gather.sent(32, 5)
    expect(gather.wait(32)).toBe(false)
    expect(gather.wait(0)).toBe(false)
  })

  test('[DUR-5] what is usual follows the load down', () => {
    const gather = new Gather()
    gather.sent(32, 5)
    for (let i = 0; i < 40; i++) gather.sent(1, 5)
    expect(gather.wait(1)).toBe(false)
  })
})
