import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type Dialler, Dials } from '../../client/session/dials.ts'
import { ClawError } from '../../protocol/errors.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const AWAY = new ClawError('unreachable', 'no answer')
/** Longest wait between two attempts (milliseconds). */
const MOST_MS = 2_500
const STEP_MS = 100

const sessions = (dials: Dials, count: number) => {
  const dialled: number[] = []
  const told: number[] = []
  const all = Array.from(
    { length: count },
    (_, number): Dialler => ({
      dial: () => dialled.push(number),
      away: () => told.push(number),
    }),
  )
  for (const one of all) dials.queue(one)
  return { all, dialled, told }
}

it('[REPLICA-13] the sessions of a link that lost a server dial a few at a time, in order', () => {
  const dials = new Dials()
  const { all, dialled } = sessions(dials, 50)
  const first = dialled.length
  expect(first).toBeLessThan(10)
  for (const one of all) {
    expect(dialled).toContain(all.indexOf(one))
    dials.there()
    dials.end(one)
  }
  expect(dialled).toEqual(Array.from({ length: 50 }, (_, number) => number))
})

it('[REPLICA-13] a session that does not get synced keeps the others waiting for less than half a second', () => {
  const dials = new Dials()
  const { dialled } = sessions(dials, 50)
  const first = dialled.length
  vi.advanceTimersByTime(499)
  expect(dialled.length).toBe(2 * first)
})

it('[REPLICA-11] [REPLICA-13] while a server is away one session tries for all, at least every 2.5 s', () => {
  const dials = new Dials()
  const { all, dialled, told } = sessions(dials, 50)
  for (const number of [...dialled]) {
    dials.away(AWAY)
    dials.end(all[number]!)
    dials.queue(all[number]!)
  }
  expect(new Set(told).size, 'all are told that it is away').toBe(50)
  for (let tries = 0; tries < 20; tries++) {
    const before = dialled.length
    for (let ms = 0; ms < MOST_MS && dialled.length === before; ms += STEP_MS) {
      vi.advanceTimersByTime(STEP_MS)
    }
    const [number, ...more] = dialled.slice(before)
    expect([number !== undefined, more]).toEqual([true, []])
    dials.away(AWAY)
    dials.end(all[number!]!)
    dials.queue(all[number!]!)
  }
  const before = dialled.length
  dials.there()
  expect(dialled.length, 'once it is back the others follow').toBeGreaterThan(before)
})

it('[REPLICA-11] [REPLICA-13] a session that is alone waits between its attempts, too', () => {
  const dials = new Dials()
  const { all, dialled } = sessions(dials, 1)
  const SECONDS = 50
  for (let ms = 0; ms < SECONDS * 1_000; ms += STEP_MS) {
    const before = dialled.length
    vi.advanceTimersByTime(STEP_MS)
    if (ms > 0 && dialled.length === before) continue
    const tried = dialled.length
    dials.away(AWAY)
    dials.end(all[0]!)
    dials.queue(all[0]!)
    expect(dialled.length, 'not at once').toBe(tried)
  }
  expect(dialled.length).toBeGreaterThanOrEqual((SECONDS * 1_000) / MOST_MS)
  dials.leave(all[0]!)
  expect(vi.getTimerCount(), 'nothing keeps a process alive').toBe(0)
})

it('[REPLICA-13] who is waited for does not queue, and who is closed is not dialled', () => {
  const dials = new Dials()
  const { all, dialled } = sessions(dials, 50)
  const first = dialled.length
  dials.begin(all[49]!)
  dials.end(all[first]!)
  for (const one of all.slice(0, first)) dials.end(one)
  expect(dialled).not.toContain(first)
  expect(dialled).not.toContain(49)
  expect(dialled.length).toBeGreaterThan(first)
})
