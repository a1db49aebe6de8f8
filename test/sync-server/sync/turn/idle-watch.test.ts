import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { IDLE_ROOM_MS } from '../../../../sync-server/config/limits.ts'
import { IdleWatch } from '../../../../sync-server/sync/turn/idle-watch.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

it('[SERVER-9] a room that requests use is not unloaded, however long ago its last connection was', () => {
  let idle = 0
  const watch = new IdleWatch(
    async () => {
      idle++
    },
    (error) => {
      throw error
    },
  )
  watch.start()
  for (let n = 0; n < 10; n++) {
    vi.advanceTimersByTime(IDLE_ROOM_MS / 2)
    watch.used()
  }
  vi.advanceTimersByTime(IDLE_ROOM_MS - 1)
  expect(idle).toBe(0)
  vi.advanceTimersByTime(1)
  expect(idle).toBe(1)
  watch.close()
})
