import { expect, it } from 'vitest'
import { addressOf, parseProxies } from '../../../sync-server/config/proxies.ts'
import { LIMITS, parseLimits } from '../../../sync-server/config/quotas.ts'
import { Backoff } from '../../../sync-server/limits/backoff.ts'
import { ConnectionLimits } from '../../../sync-server/limits/connection-limits.ts'
import { FairScheduler, newShare } from '../../../sync-server/limits/fair-scheduler.ts'
import { FrameQueue } from '../../../sync-server/limits/frame-queue.ts'
import { Limiter } from '../../../sync-server/limits/limiter.ts'
import { Pace, RateLimiter } from '../../../sync-server/limits/rate-limiter.ts'
import { until } from '../../support/client.ts'

const codeOf = (run: () => unknown): string | null => {
  try {
    run()
    return null
  } catch (error) {
    return (error as { code: string }).code
  }
}

it('[LIM-17] wrong credentials of an address wait longer each time, of others not', () => {
  let now = 0
  const failures = new Backoff(() => now, 3, 60_000)
  const failed = (who: string) => {
    const code = codeOf(() => failures.check(who, 'of them'))
    if (code === null) failures.count(who)
    return code
  }
  for (let i = 0; i < 3; i++) expect(failed('a')).toBe(null)
  expect(failed('a')).toBe('too_many')
  expect(failed('b')).toBe(null)
  now += 2_000
  expect(failed('a')).toBe(null)
  now += 1_000
  expect(failed('a')).toBe('too_many')
  now += 2 * 3_600_000
  for (let i = 0; i < 3; i++) expect(failed('a')).toBe(null)
})

it('[LIM-26] what counts for many is waited for sooner, and not longer at once', () => {
  let now = 0
  const failures = new Backoff(() => now, 10, 60_000)
  failures.count('a', 9)
  expect(failures.wait('a')).toBe(0)
  for (const wait of [1_000, 2_000, 4_000]) {
    failures.count('a', 16)
    expect(failures.wait('a')).toBe(wait)
    now += wait
  }
})

it('[LIM-18] doors count by address, agent, workspace and in all, and let go of who leaves', () => {
  const doors = new ConnectionLimits({ all: 4, address: 3, agent: 1, workspace: 3 })
  const ann = { address: '10.0.0.1', agent: 'ann', workspace: 'w' }
  const leave = doors.enter(ann)
  expect(codeOf(() => doors.enter({ ...ann, address: '10.0.0.2' }))).toBe('too_many')
  doors.enter({ ...ann, workspace: 'v' })
  doors.enter({ ...ann, agent: 'bob' })
  expect(codeOf(() => doors.enter({ ...ann, agent: 'cat' }))).toBe('too_many')
  doors.enter({ address: '10.0.0.2', agent: 'cat', workspace: 'w' })
  expect(codeOf(() => doors.enter({ address: 'x', agent: null, workspace: 'x' }))).toBe('too_many')
  leave()
  leave()
  expect([doors.count('all'), doors.count('address 10.0.0.1')]).toEqual([3, 2])
  doors.enter({ ...ann, address: '10.0.0.3' })
})

it('[LIM-19] a pace lets a burst through, then so much a second, and no agent pays for another', () => {
  const pace = new Pace({ perSecond: 10, burst: 20 }, 0)
  for (let i = 0; i < 20; i++) expect(pace.take(1, 0)).toBe(0)
  expect(pace.take(1, 0)).toBe(100)
  expect(pace.take(1, 200)).toBe(0)
  expect(pace.isFull(100_000)).toBe(true)
  const rate = { perSecond: 10, burst: 10 }
  const flow = new RateLimiter({ frames: rate, bytes: { perSecond: 1e6, burst: 1e6 } })
  for (let i = 0; i < 30; i++) flow.after('ann', { frames: 1, bytes: 10 }, 0)
  expect(flow.after('ann', { frames: 1, bytes: 10 }, 0)).toBeGreaterThan(1_000)
  expect(flow.after('bob', { frames: 1, bytes: 10 }, 0)).toBe(0)
  expect(flow.after('cat', { bytes: 3e6 }, 0)).toBe(2_000)
})

it('[LIM-19] what is more than a sender’s share of a turn waits, in order; others’ does not', async () => {
  const turns = new FairScheduler()
  const taken: string[] = []
  const sourceOf = (name: string) => ({
    pause: () => taken.push(`${name} is paused`),
    resume: () => taken.push(`${name} goes on`),
    once: () => {},
  })
  const busy = (ms: number): void => {
    for (const end = performance.now() + ms; performance.now() < end; );
  }
  const take = (name: string) => (message: Buffer) => {
    taken.push(`${name} ${message}`)
    busy(2)
    return message.toString() === 'long' ? [1, 2].map(() => busy(2)).values() : null
  }
  const inbox = (name: string, share = newShare()) =>
    new FrameQueue(sourceOf(name), take(name), {
      turns,
      share,
      owed: 0,
      pace: () => 0,
      taken: () => {},
    })
  const [ann, bob] = [inbox('ann'), inbox('bob')]
  for (const message of ['long', 'b', 'c']) ann.push(Buffer.from(message))
  expect(taken).toEqual(['ann long', 'ann is paused'])
  bob.push(Buffer.from('x'))
  expect(taken.at(-1)).toBe('bob x')
  await until('all is taken in', () => taken.includes('ann goes on'))
  expect(taken.filter((one) => one.startsWith('ann'))).toEqual([
    ...['ann long', 'ann is paused', 'ann b', 'ann c', 'ann goes on'],
  ])
})

it('[LIM-36] it is known whether others are busy', () => {
  const turns = new FairScheduler()
  const [ann, bob] = [newShare(), newShare()]
  turns.left(ann)
  turns.left(ann)
  expect(turns.hasOthers(ann)).toBe(false)
  turns.left(bob)
  expect([ann, bob].map((one) => turns.hasOthers(one))).toEqual([true, true])
})

it('[LIM-19] who takes more than its milliseconds a second rests, and goes on; another does not', async () => {
  let [now, step] = [0, 0]
  const clock = () => {
    now += step
    return now
  }
  const limiter = new Limiter(parseLimits('work=20'), parseProxies(''), clock)
  const inboxOf = (agent: string, ms: number) => {
    const seen = { taken: 0, spent: 0 }
    const socket = { pause: () => {}, resume: () => {}, once: () => {} }
    const take = () => {
      const began = performance.now()
      while (performance.now() - began < ms);
      seen.taken++
      seen.spent += performance.now() - began
      return null
    }
    const inbox = limiter.inbox(socket, agent, 'default', take, { add: () => {} })
    return { seen, push: () => inbox.push(Buffer.from([0])) }
  }
  const [ann, bob] = [inboxOf('a-ann', 5), inboxOf('a-bob', 0)]
  // The clock stands: two seconds' worth, 40 ms, is all there is, and each message beyond takes a rest of 250 ms.
  for (let i = 0; i < 100; i++) ann.push()
  for (let i = 0; i < 5; i++) bob.push()
  await until('what another sends is taken in', () => bob.seen.taken === 5)
  await until('what there is has been taken', () => ann.seen.spent > 35)
  // In each turn one more would be taken.
  for (let i = 0; i < 100; i++) await new Promise((next) => setImmediate(next))
  expect(ann.seen.taken).toBeLessThan(100)
  step = 10_000
  await until('the rest is taken in, too', () => ann.seen.taken === 100)
})

it('[NET-20] X-Forwarded-For is believed of trusted proxies only, from its end', () => {
  const none = parseProxies('')
  const some = parseProxies('loopback, 10.0.0.0/8, 2001:db8::/32')
  expect(addressOf('127.0.0.1', '1.2.3.4', none)).toBe('127.0.0.1')
  expect(addressOf('::ffff:127.0.0.1', '1.2.3.4', some)).toBe('1.2.3.4')
  expect(addressOf('127.0.0.1', '9.9.9.9, 1.2.3.4, 10.1.1.1', some)).toBe('1.2.3.4')
  expect(addressOf('127.0.0.1', 'no address', some)).toBe('127.0.0.1')
  expect(addressOf('5.5.5.5', '1.2.3.4', some)).toBe('5.5.5.5')
  expect(addressOf('2a00:1:2:3:4:5:6:7', undefined, none)).toBe('2a00:1:2:3::/64')
  expect(addressOf('2a00:1::7', undefined, none)).toBe('2a00:1:0:0::/64')
  for (const bad of ['x', '10.0.0.0/33', '10.0.0.0/8/8', '::/x']) {
    expect(codeOf(() => parseProxies(bad))).toBe('usage')
  }
})

it('[LIM-18] limits are named; what is no limit is said', () => {
  expect(parseLimits('').connections).toBe(LIMITS.connections.is)
  expect(parseLimits('messages=5, bytes=7')).toMatchObject({ messages: 5, bytes: 7 })
  for (const bad of ['mesages=5', 'messages', 'messages=0', 'messages=x', 'messages=1=2']) {
    expect(codeOf(() => parseLimits(bad))).toBe('usage')
  }
})
