import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { BroadcastId } from '../../protocol/ids.ts'
import { isoTime } from '../../workspace/document/schema.ts'
import { addBroadcast } from '../../workspace/messages/broadcasts.ts'
import type { Message } from '../../workspace/messages/message.ts'
import { atDesk } from '../support/tui/at-desk.ts'
import { held } from '../support/tui/attached.ts'
import { makeWorld, SMALL } from '../support/tui/world.ts'

const NOW = Date.UTC(2026, 10, 25, 12, 0, 0)

beforeEach(() => {
  vi.useFakeTimers({ now: NOW })
})
afterEach(() => {
  vi.useRealTimers()
})

const sit = () => {
  const attached = held(makeWorld(SMALL, NOW))
  return { attached, ...atDesk(attached, () => Date.now()) }
}

const direct = (id: string, content: string): Message => ({
  ...{ type: 'direct_message', message_id: id as never, from_agent: 'a-000000000001' as never },
  ...{ to_agent: 'a-000000000000' as never, timestamp: isoTime(NOW), content },
  ...{ topic: 'general', tags: [], reply_to: null },
})

describe('toasts', () => {
  it('[TUI-8] come, go after their time, are four at most, and can be sent away', () => {
    const { desk, text, keys, click } = sit()
    for (const tone of ['good', 'warn', 'bad', 'plain'] as const) desk.toast(tone, `it is ${tone}`)
    for (const tone of ['good', 'warn', 'bad', 'plain']) expect(text()).toContain(`it is ${tone}`)
    desk.toast('bad', 'a fifth', 'do this')
    expect(text()).not.toContain('it is good')
    expect(text()).toContain('do this')
    vi.advanceTimersByTime(8_000)
    expect(text()).not.toContain('it is warn')
    vi.advanceTimersByTime(4_000)
    expect(text()).not.toContain('a fifth')
    click('it is plain')
    expect(text()).not.toContain('it is plain')
    desk.toast('good', 'again')
    keys('esc')
    expect(text()).not.toContain('again')
    desk.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('[TUI-8] [TUI-50] what comes in for this person is told, and rings', () => {
    const { desk, attached, text, rings } = sit()
    attached.arrive(direct('m-1', 'which \u001b[31mbranch?'))
    expect(text()).toContain('✉ Lead: which ␛[31mbranch?')
    expect(rings()).toBe(1)
    const forAll = { ...direct('m-2', 'x'), type: 'knowledge_broadcast' } as Message
    attached.arrive(forAll)
    expect(rings()).toBe(1)
    desk.close()
  })
})

it('[TUI-10] what is new or unread is marked until it was seen; `u` acknowledges it', async () => {
  const { desk, attached, keys, lines, text } = sit()
  expect(lines()[0]).not.toContain('•')
  addBroadcast(attached.doc, {
    ...{ id: 'm-fresh' as BroadcastId, from: 'a-000000000001' as never, content: 'fresh' },
    ...{ topic: 'general', tags: [], now: NOW + 1_000 },
  })
  const task = desk.look.snapshot.tasks.find(({ status }) => status === 'submitted')!
  const given = { ...direct(task.task_id, 'x'), type: 'task_delegation' } as Message
  attached.set({ unread: [direct('m-fresh', 'fresh'), given] })
  await vi.advanceTimersByTimeAsync(2_000)
  expect(lines()[0]).toMatch(/3 Feed•.*✉ 2/)
  keys('2')
  expect(text()).toContain('•')
  keys('3')
  expect(lines()[0]).not.toMatch(/Feed•/)
  expect(lines().find((line) => line.includes('fresh') && line.includes('»'))).toContain('»•')
  keys('1')
  expect(lines()[0]).not.toMatch(/Feed•/)
  keys('u')
  expect(attached.ran.at(-1)?.argv).toEqual(['poll'])
  attached.set({ unread: [] })
  await vi.advanceTimersByTimeAsync(100)
  // A task that waits to be claimed is there all the while.
  expect(lines()[0]).toContain('✉ 1 ')
  keys('3')
  expect(text()).not.toContain('»•')
  desk.close()
})

it('[TUI-12] a click does what is said where it hits, a second one opens, the wheel moves', () => {
  const { desk, click, text, lines, keys, type, attached } = sit()
  click('4 Files')
  expect(lines()[0]).toContain('[4 Files')
  click('1 Agents')
  click('● Tester')
  const tester = desk.look.snapshot.agents.find(({ agent }) => agent.name === 'Tester')!
  expect(desk.look.state.selected.agents).toBe(tester.agent.agent_id)
  click('● Tester')
  expect(text()).toContain('here since')
  keys('esc', '3')
  const at = () => desk.look.state.selected.feed
  desk.mouse({ kind: 'up', x: 5, y: 5 })
  const { feed } = desk.look.snapshot
  expect(at()).toBe(feed.at(-4)!.id)
  desk.mouse({ kind: 'down', x: 5, y: 5 })
  expect(at()).toBe(null)
  click('? help')
  expect(text()).toContain('Everywhere')
  keys('esc', ':')
  type('bro')
  click('broadcast CONTENT')
  expect(lines().at(-1)).toContain(':broadcast')
  keys('esc')
  for (const [x, y] of [
    [-1, -1],
    [500, 500],
    [0, 29],
    [119, 0],
  ] as const) {
    desk.mouse({ kind: 'click', x, y })
  }
  expect(attached.ran).toEqual([])
  desk.close()
})

describe('older entries', () => {
  const said = (id: string, at: number) => ({
    ...{ message_id: id, from_agent: 'a-000000000001', to_agent: null, timestamp: isoTime(at) },
    ...{ content: `said ${id}`, topic: 'general', tags: [], reply_to: null },
  })

  it('[TUI-13] come from the log of the server when somebody at the top goes to the top, until there are none', async () => {
    const { desk, attached, keys, text } = sit()
    attached.doc.getMap('meta').set('archivedBroadcasts', 2)
    await vi.advanceTimersByTimeAsync(100)
    const first = desk.look.snapshot.feed.find(({ kind }) => kind === 'broadcast')!.at
    const archive = [
      said('m-old1', first - 9 * 3_600_000),
      said('m-old2', first - 9 * 3_600_000 + 1),
    ]
    attached.answers = ([verb, since]) => {
      expect(verb).toBe('log')
      const from = Date.parse(since!.slice('--since='.length))
      const broadcasts = archive.filter(({ timestamp }) => Date.parse(timestamp) >= from)
      return { code: 0, data: { broadcasts, more: false, next: null }, stderr: '' }
    }
    keys('3', 'k', 'g')
    expect(attached.ran).toEqual([])
    keys('g', 'g')
    await vi.advanceTimersByTimeAsync(200)
    expect(text()).toContain('2 older entries')
    expect(desk.look.snapshot.feed.some(({ id }) => id === 'm-old1')).toBe(true)
    keys('esc', 'esc', 'g', 'g')
    await vi.advanceTimersByTimeAsync(200)
    expect(text()).toContain('nothing older')
    attached.answers = () => ({ code: 6, error: { message: 'no server' } as never, stderr: '' })
    keys('g')
    await vi.advanceTimersByTimeAsync(200)
    expect(text()).toContain('no older entries: no server')
    desk.close()
  })

  it('[TUI-13] are looked for under a filter that finds nothing, too', async () => {
    const { desk, attached, keys, type } = sit()
    attached.doc.getMap('meta').set('archivedBroadcasts', 2)
    await vi.advanceTimersByTimeAsync(100)
    keys('3', '/')
    type('nothinglikeit')
    keys('enter', 'g')
    expect(attached.ran[0]?.argv[0]).toBe('log')
    await vi.advanceTimersByTimeAsync(200)
    desk.close()
  })
})

it('[TUI-15] the first line says since when there is no contact and why, second by second, and when there is again', async () => {
  const { desk, attached, lines } = sit()
  expect(lines()[0]).toMatch(/● connected$/)
  attached.set({ contact: { connected: false, since: NOW, why: 'the server is gone' } })
  await vi.advanceTimersByTimeAsync(100)
  expect(lines()[0]).toMatch(/○ offline 0 s: the server is gone$/)
  await vi.advanceTimersByTimeAsync(7_000)
  expect(lines()[0]).toMatch(/○ offline 7 s: the server is gone$/)
  await vi.advanceTimersByTimeAsync(200_000)
  expect(lines()[0]).toMatch(/○ offline 3 min: the server is gone$/)
  desk.resize(80, 24)
  expect(lines()[0]).toMatch(/○ offline 3 min$/)
  attached.set({ contact: { connected: true, since: Date.now(), why: null } })
  await vi.advanceTimersByTimeAsync(100)
  expect(lines()[0]).toMatch(/● connected$/)
  desk.close()
})

it('[TUI-8] a join link is shown whole, however narrow the screen', async () => {
  const link = `http://10.0.0.5:9077/#w=default&i=cli_${'x'.repeat(43)}`
  const attached = held(makeWorld(SMALL, Date.now()))
  attached.answers = () => ({ code: 0, data: { link }, stderr: '' })
  const { keys, lines, desk } = atDesk(attached, () => Date.now(), { columns: 60, rows: 20 })
  keys('i')
  await vi.waitFor(() => expect(lines().join('').replaceAll(' ', '')).toContain(link), 20_000)
  expect(attached.ran.map(({ argv }) => argv)).toEqual([['invite']])
  desk.close()
})
