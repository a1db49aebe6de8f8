import { setTimeout as pause } from 'node:timers/promises'
import { expect, vi } from 'vitest'
import { Plain } from './plain-client.ts'

export const MINUTE_MS = 60_000

/**
 * Moves the faked clock by `ms` at least, and until no agent was online for two minutes. The server
 * writes when it saw an agent last after the agent has left, and the agent then counts as online
 * for another while.
 */
export const passUntilNobody = async (url: string, token: string, ms: number): Promise<void> => {
  const watcher = new Plain(url, token)
  const until = Date.now() + ms
  let onlineAt = Date.now()
  for (;;) {
    const { http, agents_online } = await watcher.get('/')
    expect(http).toBe(200)
    if (agents_online !== 0) onlineAt = Date.now()
    if (Date.now() >= Math.max(until, onlineAt + 2 * MINUTE_MS)) return
    vi.setSystemTime(Date.now() + 5_000)
    // It leaves a real second after its last request: looks without a pause would only load the server.
    await pause(20)
  }
}
