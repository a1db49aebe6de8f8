import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import type { Ran } from '../../client/resident/run.ts'
import { UI_COMMANDS } from '../../tui/model/commands.ts'
import { rowText } from '../../tui/ui/rows.ts'
import { helpLines } from '../../tui/views/help.ts'
import { isoTime } from '../../workspace/document/schema.ts'
import type { Message } from '../../workspace/messages/message.ts'
import { atDesk } from '../support/tui/at-desk.ts'
import { held } from '../support/tui/attached.ts'
import { LARGE, makeWorld, SMALL } from '../support/tui/world.ts'

const NOW = Date.UTC(2026, 10, 25, 12, 0, 0)

beforeEach(() => {
  vi.useFakeTimers({ now: NOW })
})
afterEach(() => {
  vi.useRealTimers()
})

const sit = (size = {}, world = makeWorld(SMALL, NOW)) => {
  const attached = held(world)
  return { attached, ...atDesk(attached, () => Date.now(), size) }
}

const empty = () => ({
  doc: new Y.Doc(),
  presences: [],
  agents: ['a-1' as never],
  tasks: [],
  now: NOW,
})

describe('the finder', () => {
  it('[TUI-68] goes to a file, an agent, a task or a message by some letters of it, from anywhere', () => {
    const { desk, keys, type, lines, text } = sit()
    const path = desk.look.snapshot.files.find(({ info }) => info.file_key.includes('/'))!.info
      .file_key
    keys('2', 'f')
    type(`${path.slice(0, 2)}${path.slice(-5, -3)}`)
    expect(lines()[2]).toContain('file')
    expect(text()).toContain(path)
    keys('esc', 'f')
    type('buil')
    expect(lines()[2]).toMatch(/agent +Builder/)
    keys('enter')
    expect(desk.look.state.pages.at(-1)?.kind).toBe('agent')
    keys('f')
    const task = desk.look.snapshot.tasks[0]!
    type(task.task)
    keys('enter')
    expect(desk.look.state.pages.at(-1)).toMatchObject({ kind: 'task', id: task.task_id })
    keys('f')
    type('zzzzqqqq')
    expect(text()).toContain('searching …')
    keys('enter', 'esc')
    expect(desk.look.state.mode.kind).toBe('browse')
    desk.close()
  })

  describe('with the search by words', () => {
    const MESSAGE = {
      ...{ type: 'knowledge_broadcast', message_id: 'm-old', from_agent: 'a-1', to_agent: null },
      ...{ timestamp: isoTime(NOW - 9e8), content: 'the zebra crossing is closed', topic: 'roads' },
      tags: [],
    }
    const { agents } = makeWorld(SMALL, NOW)
    const TASK = {
      ...{ task_id: 't-old', message_id: 't-old', task: 'count the zebra', context: null },
      ...{ priority: 'normal', from_agent: agents[1], to_agent: agents[0], owner: agents[0] },
      ...{ created_at: isoTime(NOW - 9e8), updated_at: isoTime(NOW - 8e8), status: 'completed' },
      ...{ message: 'there are 3', notes: [], archived: true },
    }
    const LINE = { in: 'files', file_key: 'docs/a.md', line: 7, text: 'a zebra is striped' }
    const answer = (argv: readonly string[]): Ran => {
      if (argv[0] === 'task') {
        const step = { by: agents[0], state: 'completed', message: 'there are 3', revision: 2 }
        const history = [{ ...step, at: isoTime(NOW - 8e8) }]
        return { code: 0, data: { task: { ...TASK, history } }, stderr: '' }
      }
      const found = [{ in: 'messages', message: MESSAGE }, { in: 'tasks', task: TASK }, LINE]
      return { code: 0, data: { found, count: 3, more: false }, stderr: '' }
    }
    const searches = ({ ran }: ReturnType<typeof held>) =>
      ran.flatMap(({ argv }) => (argv[0] === 'find' ? [argv[1]] : []))

    it('[TUI-85] asks the server once nobody types on, and joins what it finds to the rest', async () => {
      const at = sit()
      at.attached.answers = answer
      at.keys('f')
      for (const letter of 'zebra') {
        at.type(letter)
        await vi.advanceTimersByTimeAsync(100)
      }
      expect(searches(at.attached)).toEqual([])
      expect(at.text()).toContain('searching …')
      await vi.advanceTimersByTimeAsync(200)
      expect(searches(at.attached)).toEqual(['--query=zebra'])
      expect(at.text()).toContain('count the zebra  completed, archived')
      expect(at.text()).toContain('docs/a.md:7')

      at.keys('enter')
      expect(at.text()).toContain('the zebra crossing is closed')
      at.keys('f')
      at.type('zebra')
      at.keys('down', 'enter')
      await vi.advanceTimersByTimeAsync(0)
      expect(at.text()).toMatch(/state +✓ completed/)
      expect(at.lines().at(-1)).not.toContain('claim')
      at.keys('f')
      at.type('zebra')
      at.keys('up', 'enter')
      expect(at.desk.look.state.pages.at(-1)).toMatchObject({ path: 'docs/a.md', line: 7 })
      at.desk.close()
    })

    it('[TUI-85] shows the answer to the last words, whenever that to earlier ones comes', async () => {
      const at = sit()
      let resolve = (_: Ran) => {}
      const late = new Promise<Ran>((then) => {
        resolve = then
      })
      at.attached.answers = (argv) => (argv[1] === '--query=zebra' ? late : answer(argv))
      at.keys('f')
      at.type('zebra')
      await vi.advanceTimersByTimeAsync(200)
      at.type(' crossing')
      await vi.advanceTimersByTimeAsync(200)
      expect(at.text()).toContain('the zebra crossing is closed')
      resolve({ code: 0, data: { found: [], count: 0, more: false }, stderr: '' })
      await vi.advanceTimersByTimeAsync(0)
      expect(at.text()).toContain('the zebra crossing is closed')
      at.desk.close()
    })

    it('[TUI-85] says why it did not search', async () => {
      const at = sit()
      const error = {
        code: 'unreachable',
        message: 'no answer',
        hint: '',
        retryable: true,
      } as const
      at.attached.answers = () => ({ code: 6, error, stderr: '' })
      at.keys('f')
      at.type('zebra')
      await vi.advanceTimersByTimeAsync(200)
      expect(at.text()).toContain('not searched: no answer')
      at.attached.answers = () => ({ code: 0, data: { found: [], offline: true }, stderr: '' })
      at.type('s')
      await vi.advanceTimersByTimeAsync(200)
      expect(at.text()).toContain('offline: not in the archive')
      at.attached.answers = () => ({ code: 0, data: { found: [] }, stderr: '' })
      at.type('z')
      await vi.advanceTimersByTimeAsync(200)
      expect(at.text()).toContain('nothing has these letters in this order, or these words')
      at.desk.close()
    })
  })

  it('[TUI-68] looks through 10,000 tasks and 1,000 files within the time of a key', () => {
    vi.useRealTimers()
    const { desk, keys, type, rows } = sit({}, makeWorld(LARGE, NOW))
    keys('f')
    type('fi')
    rows()
    const times = [...'le-9'].map((letter) => {
      const begin = process.cpuUsage()
      type(letter)
      rows()
      return process.cpuUsage(begin).user / 1_000
    })
    expect(Math.min(...times)).toBeLessThan(50)
    desk.close()
  })
})

it('[TUI-69] (Confusing) the palette has all commands, scrolls, and says that there are more', () => {
  const { desk, keys, text, lines } = sit()
  keys(':')
  expect(text()).toMatch(/↓\d+/)
  const seen = new Set<string>()
  const typeable = UI_COMMANDS.filter(({ keysOnly }) => keysOnly !== true)
  for (let i = 0; i < typeable.length; i++) {
    for (const { name } of typeable) {
      if (lines().some((line) => line.startsWith(`  ${name} `))) seen.add(name)
    }
    keys('down')
  }
  expect(seen.size).toBe(typeable.length)
  desk.close()
})

describe('the preview', () => {
  it('[TUI-70] shows what is picked beside the list from 120 columns on; V hides it', () => {
    const { desk, keys, text } = sit({ columns: 120 })
    expect(text()).toContain('here since')
    keys('2')
    expect(text()).toMatch(/│ .*priority/)
    keys('4', 'G')
    expect(text()).toContain('a line of text')
    keys('V')
    expect(text()).not.toContain('a line of text')
    desk.resize(119, 30)
    keys('V')
    expect(text()).toContain('a preview takes 120 columns')
    desk.close()
    const narrow = sit({ columns: 119 })
    expect(narrow.text()).not.toContain('here since')
    narrow.desk.close()
  })

  it('[TUI-70] of a folder the preview has its files, also while it is closed', () => {
    const { desk, keys, lines } = sit({ columns: 120 })
    const beside = () => lines().flatMap((line) => line.split('│')[1]?.trim() ?? [])
    keys('4', 'g')
    const folder = /(\S+)\/\s/.exec(lines()[1]!)![1]!
    const inside = desk.look.snapshot.files
      .map(({ info }) => info.file_key)
      .filter((key) => key.startsWith(`${folder}/`))
      .map((key) => key.slice(folder.length + 1))
    expect(inside.length).toBeGreaterThan(0)
    for (const _ of ['open', 'closed']) {
      expect(beside()[0]).toMatch(new RegExp(`^${folder}/ +${inside.length} files?$`))
      expect(
        beside()
          .slice(2, 2 + inside.length)
          .sort(),
      ).toEqual(inside.sort())
      keys('enter')
    }
    desk.close()
  })
})

describe('the help', () => {
  it('[TUI-71] (Confusing) begins with the keys of this view, explains the signs, and is searched', () => {
    const { desk, keys, type, lines, text } = sit()
    keys('4', '?')
    expect(lines()[1]).toMatch(/^Files +\(here\)/)
    const all = helpLines(120, 'files').map(rowText)
    for (const sign of ['●', '◔', '◐', '☺', '✎', '▪', '»', '≡', '!!', '↓', '•']) {
      expect(
        all.some((line) => line.trimStart().startsWith(sign)),
        sign,
      ).toBe(true)
    }
    keys('/')
    type('checkpoint name')
    expect(text()).toContain('name the state of all files')
    expect(text()).not.toContain('next line')
    keys('esc')
    expect(lines()[1]).toMatch(/^Files/)
    keys('esc')
    expect(desk.look.state.mode.kind).toBe('browse')
    desk.close()
  })
})

it('[TUI-72] (Confusing) an empty view says what to do', () => {
  const { desk, keys, text, type } = sit({}, empty())
  keys('0')
  expect(text()).toContain('Nothing waits for you')
  keys('1')
  expect(text()).toContain('i makes a join link')
  keys('2')
  expect(text()).toContain('d delegates one')
  keys('3')
  expect(text()).toContain('b tells everybody')
  keys('4')
  expect(text()).toContain('n makes one')
  keys('/')
  type('x')
  keys('enter')
  expect(text()).toContain('esc shows all')
  desk.close()
})

it('[TUI-73] > sorts a list in other ways, and the list says how', () => {
  const { desk, keys, lines, text } = sit({ columns: 110 })
  const names = () =>
    lines()
      .slice(2, 8)
      .map((line) => line.slice(2, 12).trim())
  keys('>')
  expect(lines()[1]).toContain('by name')
  expect(names()).toEqual([...names()].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)))
  keys('4', '>')
  expect(lines()[1]).toContain('by newest')
  expect(text()).not.toContain('▾')
  keys('>', '>', '>')
  expect(text()).toContain('▾')
  keys('2', '>')
  expect(text()).toContain('by newest')
  keys('3', '>')
  expect(text()).toContain('one order')
  desk.close()
})

it('[TUI-74] y copies what is picked or open, Y its id, i the join link', async () => {
  const { desk, keys, copied, attached } = sit()
  keys('1', 'y', 'Y', '2', 'y', 'enter', 'Y')
  const { agents, taskById } = desk.look.snapshot
  const line = agents.find(({ agent }) => agent.agent_id === copied()[1])!
  expect(copied()[0]).toBe(line.agent.name)
  const task = taskById.get(copied()[3]!)!
  expect(copied()[2]).toContain(task.task)
  attached.answers = () => ({ code: 0, data: { link: 'http://x/#i=cli_1' }, stderr: '' })
  keys('i')
  await vi.advanceTimersByTimeAsync(0)
  expect(copied().at(-1)).toBe('http://x/#i=cli_1')
  desk.close()
})

describe('forms', () => {
  it('[TUI-75] (Confusing) a half-written form is there again after esc, and gone once it is sent', async () => {
    const { desk, keys, type, text, attached } = sit()
    keys('b')
    type('half a sentence')
    keys('esc')
    expect(text()).toContain('kept')
    keys('2', 'b')
    expect(text()).toContain('half a sentence')
    type(', whole')
    keys('enter')
    await vi.advanceTimersByTimeAsync(0)
    expect(attached.ran[0]?.stdin).toBe('half a sentence, whole')
    keys('b')
    expect(text()).not.toContain('half')
    desk.close()
  })

  it('[TUI-75] (Confusing) a long text wraps in its field', () => {
    const { desk, keys, type, lines } = sit({ columns: 60 })
    keys('b')
    type('one two three four five six seven eight nine ten eleven twelve thirteen')
    const shown = lines().filter((line) => /one two|seven|thirteen/.test(line))
    expect(shown.length).toBeGreaterThan(1)
    expect(lines().slice(0, -1).join(' ')).not.toContain('…')
    desk.close()
  })
})

it('[TUI-76] focus mode holds toasts and the bell back, and says how many came', () => {
  const { desk, keys, attached, text, lines, rings } = sit()
  const message = (id: string): Message => ({
    ...{ type: 'direct_message', message_id: id as never, from_agent: 'a-000000000001' as never },
    ...{ to_agent: 'a-000000000000' as never, timestamp: isoTime(NOW), content: `words ${id}` },
    ...{ topic: 'general', tags: [], reply_to: null },
  })
  keys('F')
  attached.arrive(message('m-1'), message('m-2'))
  expect(text()).not.toContain('words m-1')
  expect(lines()[0]).toContain('[focus 2]')
  expect(rings()).toBe(0)
  keys('F')
  expect(text()).toContain('2 came meanwhile')
  attached.arrive(message('m-3'))
  expect(text()).toContain('words m-3')
  desk.close()
})

it('[TUI-77] lists say how many are above and below, cards how far a task is', () => {
  const world = makeWorld({ ...SMALL, tasks: 60, files: 60 }, NOW)
  const { desk, keys, lines, text } = sit({ columns: 80, rows: 20 }, world)
  keys('2')
  expect(text()).toMatch(/Open \d+ ↓\d+/)
  keys('3')
  expect(lines()[1]).toMatch(/↑\d+ *$/)
  keys('g')
  expect(lines()[1]).toMatch(/↓\d+ *$/)
  keys('4')
  expect(lines()[1]).toMatch(/↓\d+ *$/)
  const task = desk.look.snapshot.tasks.find(({ status }) => status === 'working')!
  desk.look = {
    ...desk.look,
    snapshot: { ...desk.look.snapshot, tasks: [{ ...task, percent: 40 }] },
  }
  keys('2')
  expect(text()).toContain('40 %')
  desk.close()
})
