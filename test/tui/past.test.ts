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

const sit = (size = { columns: 119, rows: 30 }) => {
  const world = makeWorld(SMALL, NOW)
  const attached = held(world)
  return { world, attached, ...atDesk(attached, () => Date.now(), size) }
}

const settle = () => vi.advanceTimersByTimeAsync(1)

/** At the history of the first file. */
const atHistory = async (texts: readonly string[], columns = 119) => {
  const seat = sit({ columns, rows: 30 })
  const [scout, lead] = seat.world.agents
  seat.attached.answers = versionsOf(texts, [scout!, lead!], NOW)
  seat.keys('4', 'G', 'H')
  await settle()
  await settle()
  return seat
}

describe('history of a file', () => {
  const TEXTS = ['one\n', 'one\ntwo\n', 'one\n2\n', 'one\n2\nthree\n']

  it('[TUI-87] from 120 columns on the two versions stand side by side', async () => {
    const { desk, keys, lines } = await atHistory(TEXTS, 120)
    const shown = () => lines().flatMap((line) => (line.includes('│') ? [line.trimEnd()] : []))
    expect(shown().map((line) => line.split(/ +/).join(' '))).toEqual([
      'version 3 │ version 4',
      ' 1 one │ 1 one',
      ' 2 2 │ 2 2',
      ' │ 3 +three',
    ])
    keys('left')
    await settle()
    expect(shown()[2]).toMatch(/^ {3}2 -two {30,}│ {4}2 \+2$/)
    keys('g')
    await settle()
    expect(shown()[0]).toMatch(/^version 1 is the first {30,}│ version 1$/)
    desk.close()
  })

  it('[TUI-87] the oldest version that is kept has no other beside it, and says so', async () => {
    const { desk, keys, text, attached } = await atHistory([], 120)
    const kept = versionsOf(
      TEXTS,
      desk.look.snapshot.agents.map(({ agent }) => agent.agent_id),
      NOW,
    )
    attached.answers = (argv) => {
      const ran = kept(argv)
      const { versions } = (ran.data ?? {}) as { versions?: { version: number }[] }
      if (versions === undefined) return ran
      return { ...ran, data: { ...ran.data!, versions: versions.filter((one) => one.version > 2) } }
    }
    keys('esc', 'H')
    await settle()
    await settle()
    keys('g')
    await settle()
    expect(text()).toMatch(/no older version is kept {30,}│ version 3/)
    desk.close()
  })

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

  it('[TUI-54] tasks of the archive are on the board from their beginning to their end', async () => {
    const { desk, attached, keys, text, lines } = sit({ columns: 160, rows: 40 })
    const old = {
      ...desk.look.snapshot.tasks.find(({ status }) => status === 'completed')!,
      ...{ task_id: 't-archived', task: 'long ago', message: 'done then' },
      created_at: new Date(NOW - 9 * 86_400_000).toISOString(),
      updated_at: new Date(NOW - 8 * 86_400_000).toISOString(),
    }
    attached.answers = ([verb]) => ({
      ...{ code: 0, stderr: '' },
      data: verb === 'tasks' ? { tasks: [old], count: 1, next: null } : {},
    })
    keys('T', 'p')
    await settle()
    keys('g', 'p')
    const { length } = desk.look.snapshot.feed
    expect(lines()[2]).toContain(`event 1 of ${length + 2}`)
    expect(text()).toContain('delegated: long ago')
    expect(text()).toMatch(/Open 1 .*Done 0/)
    keys('right')
    expect(text()).toContain('completed: done then (long ago)')
    expect(text()).toMatch(/Open 0 .*Done 1/)
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

describe('checkpoints', () => {
  const made = (name: string, hours: number) => ({
    ...{ name, note: `${name} is green`, by: 'a-000000000001', files: 9 },
    at: new Date(NOW - hours * 3_600_000).toISOString(),
  })
  const FILES = [
    {
      ...{ file_key: 'a.md', change: 'changed', from_version: 1, to_version: 3 },
      diff: '--- a\n+++ b\n@@ -1 +1 @@\n-one\n+two\n',
    },
    { file_key: 'b.md', change: 'added', from_version: null, to_version: 1, diff: null },
  ]
  const atCheckpoints = async () => {
    const seat = sit()
    seat.attached.answers = ([verb, ...flags]) => {
      const data = {
        checkpoints: { checkpoints: [made('m1', 5), made('m2', 1)] },
        diff: { from: 'm2', to: 'now', more: false, files: FILES },
        restore: {
          dry_run: flags.includes('--dry-run'),
          restored: [{ file_key: 'a.md', change: 'changed', added_lines: 1, removed_lines: 2 }],
          skipped: [{ file_key: 'b.png', why: 'no longer kept' }],
        },
      }[verb!]
      return { code: 0, data, stderr: '' }
    }
    seat.keys('C')
    await settle()
    return { ...seat, ran: () => seat.attached.ran.map(({ argv }) => argv.join(' ')) }
  }

  it('[TUI-55] are listed, compared with now or with another, file by file', async () => {
    const { desk, keys, text, ran, lines } = await atCheckpoints()
    expect(text()).toMatch(/m2 .*Lead .*1h .*9 .*m2 is green[\s\S]*m1 .*5h/)
    keys('enter')
    await settle()
    expect(ran().at(-1)).toBe('diff --from=m2 --to=now')
    expect(text()).toMatch(/From m2 to now: 2 files/)
    expect(text()).toMatch(/a\.md {2}changed {2}version 1 → 3/)
    expect(text()).toContain('+two')
    keys('right', 'r')
    expect(text()).toContain('Make b.md what it was at m2?')
    keys('y', 'enter')
    await settle()
    expect(ran()).toContain('file-restore --key=b.md --checkpoint=m2')
    keys('=')
    await settle()
    expect(ran()).toContain('diff --from=m1 --to=m2')
    keys('esc', 'esc', 'j')
    expect(lines().length).toBe(30)
    keys('=')
    expect(text()).toContain('m1 is the first checkpoint')
    desk.close()
  })

  it('[TUI-55] a restore is a question with what it would do; enter alone means no', async () => {
    const { desk, keys, text, ran } = await atCheckpoints()
    keys('R')
    await settle()
    expect(ran().at(-1)).toBe('restore --name=m2 --dry-run')
    expect(text()).toContain('1 file would change:')
    expect(text()).toContain('a.md is restored, +1 -2 lines')
    expect(text()).toContain('b.png stays as it is: no longer kept')
    keys('enter')
    await settle()
    expect(ran()).not.toContain('restore --name=m2')
    keys('j', 'R')
    await settle()
    keys('y', 'enter')
    await settle()
    expect(ran()).toContain('restore --name=m1')
    expect(text()).toContain('all files are as at m1')
    keys('n')
    expect(text()).toContain('Name the state of all files')
    desk.close()
  })

  it('[TUI-55] a version of a file is restored from its history, after a question', async () => {
    const { desk, keys, text, attached } = await atHistory(['one\n', 'two\n'])
    keys('left', 'R')
    expect(text()).toMatch(/Make \S+ what it was in version 1\?/)
    keys('y', 'enter')
    await settle()
    const { argv } = attached.ran.find(({ argv: [verb] }) => verb === 'file-restore')!
    expect(argv.at(-1)).toBe('--version=1')
    desk.close()
  })
})
