import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { atDesk } from '../support/tui/at-desk.ts'
import { held } from '../support/tui/attached.ts'
import { versionsOf } from '../support/tui/past.ts'
import { makeWorld, SMALL } from '../support/tui/world.ts'

const NOW = Date.UTC(2026, 10, 25, 12, 0, 0)

beforeEach(() => {
  vi.useFakeTimers({ now: NOW })
})
afterEach(() => {
  vi.useRealTimers()
})

const sit = (size = { columns: 120, rows: 30 }) => {
  const world = makeWorld(SMALL, NOW)
  const attached = held(world)
  return { world, attached, ...atDesk(attached, () => Date.now(), size) }
}

const settle = () => vi.advanceTimersByTimeAsync(1)

/** At the history of the first file. */
const atHistory = async (texts: readonly string[]) => {
  const seat = sit()
  const [scout, lead] = seat.world.agents
  seat.attached.answers = versionsOf(texts, [scout!, lead!], NOW)
  seat.keys('4', 'G', 'H')
  await settle()
  await settle()
  return seat
}

describe('history of a file', () => {
  const TEXTS = ['one\n', 'one\ntwo\n', 'one\n2\n', 'one\n2\nthree\n']

  it('[TUI-52] left and right go through the versions, each with its author and its change', async () => {
    const { desk, keys, text, lines, attached } = await atHistory(TEXTS)
    expect(lines()[1]).toMatch(/version 4 {2}Lead {2}.*1m ago.*\+1 -1 lines/)
    expect(lines()[2]).toMatch(/━● {2}version 4 of 4 {2}‖ 1×/)
    expect(text()).toContain('+three')
    keys('left')
    await settle()
    expect(text()).toMatch(/-two\s+\n\+2 /)
    expect(lines()[1]).toContain('Scout')
    keys('v')
    expect(text()).toMatch(/ {2}1 {2}one.*\n.* {2}2 {2}2 /)
    expect(text()).not.toContain('-two')
    keys('v', 'g')
    await settle()
    expect(lines()[2]).toMatch(/^●─+ {2}version 1 of 4/)
    expect(text()).toContain('+one')
    keys('h')
    expect(lines()[2]).toContain('version 1 of 4')
    keys('G')
    expect(lines()[2]).toContain('version 4 of 4')
    // Each text is read once.
    const asked = attached.ran.map(({ argv }) => argv.join(' '))
    expect(asked.filter((line) => line.startsWith('file-get')).sort()).toEqual(
      [1, 2, 3, 4].map((n) => expect.stringContaining(`--version=${n}`)),
    )
    keys('esc')
    expect(lines()[0]).toContain('[4 Files')
    desk.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('[TUI-52] older pages of the log are read when one comes near to the oldest version', async () => {
    const { desk, keys, lines } = await atHistory(Array.from({ length: 620 }, (_, i) => `${i}\n`))
    expect(lines()[2]).toContain('version 500 of 500')
    keys('g')
    await settle()
    await settle()
    expect(lines()[2]).toContain('version 121 of 620')
    keys('g')
    expect(lines()[2]).toContain('version 1 of 620')
    desk.close()
  })

  it('[TUI-53] it plays at several speeds, waits for a text, stops at the end, and one goes to a version or a time', async () => {
    const { desk, keys, type, lines, text } = await atHistory(TEXTS)
    keys('p')
    await settle()
    expect(lines()[2]).toMatch(/version 1 of 4 {2}▶ 1×/)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(lines()[2]).toContain('version 2 of 4')
    keys('+')
    expect(lines()[2]).toContain('▶ 2×')
    await vi.advanceTimersByTimeAsync(500)
    expect(lines()[2]).toContain('version 3 of 4')
    keys('p')
    await vi.advanceTimersByTimeAsync(5_000)
    expect(lines()[2]).toMatch(/version 3 of 4 {2}‖ 2×/)
    keys('-', '-', '-', '-', 'p')
    expect(lines()[2]).toContain('▶ ½×')
    await vi.advanceTimersByTimeAsync(10_000)
    expect(lines()[2]).toMatch(/version 4 of 4 {2}‖/)
    for (const [to, version] of [
      ['2', 2],
      ['90s', 3],
      ['11:56', 1],
    ] as const) {
      keys('t')
      type(to)
      keys('enter')
      expect(lines()[2], to).toContain(`version ${version} of 4`)
    }
    keys('t')
    type('2020-01-01')
    keys('enter')
    expect(text()).toContain('nothing is kept there')
    desk.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('[TUI-52] a refusal is said, and asked again when the page is opened anew', async () => {
    const { desk, attached, keys, text } = sit()
    attached.answers = () => ({
      code: 6,
      error: { message: 'no server', hint: '' } as never,
      stderr: '',
    })
    keys('4', 'G', 'H')
    expect(text()).toContain('reading …')
    await settle()
    expect(text()).toContain('no server')
    const before = attached.ran.length
    await vi.advanceTimersByTimeAsync(5_000)
    expect(attached.ran.length).toBe(before)
    attached.answers = versionsOf(['one\n'], ['a-000000000001'], NOW)
    keys('esc', 'H')
    await settle()
    await settle()
    expect(text()).toContain('+one')
    desk.close()
  })
})

describe('replay of the board', () => {
  it('[TUI-54] shows the tasks as they were at each event, and those of now at the last', async () => {
    const { desk, keys, lines, text, world } = sit({ columns: 160, rows: 40 })
    keys('T')
    await settle()
    expect(lines()[1]).toContain('The board at ')
    keys('p', 'G')
    const { feed } = desk.look.snapshot
    expect(lines()[2]).toContain(`event ${feed.length} of ${feed.length}`)
    const counts = (line: string) => line.match(/(?:Open|Working|Needs input|Done|Not done) \d+/g)
    const then = lines().find((line) => line.includes('Working '))!
    expect(world.tasks.length).toBe(SMALL.tasks)
    keys('esc', '2')
    expect(counts(then)).toEqual(counts(lines()[1]!))
    keys('T', 'p')
    const first = desk.look.snapshot.feed.findIndex(({ kind }) => kind === 'task')
    for (let i = 0; i < first; i++) keys('right')
    expect(text()).toMatch(/Open 1 .*Working 0 .*Done 0/)
    keys(']')
    expect(lines()[2]).toContain(`event ${first + 11} of`)
    keys('[')
    expect(lines()[2]).toContain(`event ${first + 1} of`)
    desk.close()
  })

  it('[TUI-53] [TUI-54] the board plays by itself to its end', async () => {
    const { desk, keys, lines } = sit()
    keys('T')
    const { length } = desk.look.snapshot.feed
    await vi.advanceTimersByTimeAsync(1_000 * length)
    expect(lines()[2]).toMatch(new RegExp(`event ${length} of ${length} {2}‖`))
    desk.close()
  })
})
