import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { parseTuiOptions } from '../../tui/options.ts'
import { addTask } from '../../workspace/tasks/tasks.ts'
import { atDesk } from '../support/tui/at-desk.ts'
import { held } from '../support/tui/attached.ts'
import { makeWorld, SMALL } from '../support/tui/world.ts'
import { agentId, settle, worldAt } from '../support/workspace/replicas.ts'

const NOW = Date.UTC(2026, 10, 25, 20, 0, 0)
const ME = agentId('000000000000')
const SCOUT = agentId('000000000001')

beforeEach(() => {
  vi.useFakeTimers({ now: NOW })
})
afterEach(() => {
  vi.useRealTimers()
  process.env.TZ = 'UTC'
})

const sit = (registered = true, size = {}, world = makeWorld(SMALL, NOW)) => {
  const attached = held(world, registered)
  return { attached, ...atDesk(attached, () => Date.now(), size) }
}

describe('watchers (W3)', () => {
  it('[TUI-59] a link that only reads asks nobody who they are, and shows everything', async () => {
    const attached = held(makeWorld(SMALL, NOW), false)
    attached.set({ role: 'read' })
    const { desk, text, keys } = atDesk(attached, () => Date.now())
    expect(text()).not.toContain('Who are you?')
    expect(text()).toContain('watching')
    for (const key of ['2', 'enter', 'esc', '3', 'enter', 'esc', '4']) keys(key)
    expect(text()).toContain('.md')
    keys('J')
    expect(text()).toContain('your link only reads')
    expect(attached.ran).toEqual([])
    desk.close()
  })

  it('[TUI-59] who may write and only watches is offered no commands that write, and takes part with J', () => {
    const { desk, keys, lines, text } = sit(false)
    keys('esc', '2')
    expect(lines().at(-1)).not.toMatch(/delegate|claim|send/)
    keys('J')
    expect(text()).toContain('Who are you?')
    desk.close()
  })

  it('[TUI-59] a key for what a watcher cannot do says so at once, in every view; no form is opened', () => {
    const watch = held(makeWorld(SMALL, NOW), false)
    watch.set({ role: 'read' })
    // Whoever took part, and whose role the host has changed since.
    const changed = held(makeWorld(SMALL, NOW), true)
    changed.set({ role: 'read' })
    for (const attached of [watch, changed]) {
      const { desk, keys, lines, text } = atDesk(attached, () => Date.now(), { columns: 200 })
      for (const [view, own] of Object.entries({ 1: 'pP', 2: 'crnaxXL', 3: 'r', 4: 'nmDU' })) {
        keys(view)
        expect(lines().at(-1)).not.toMatch(
          /pause|resume|claim|respond|note|reply|new|rename|remove|delegate|broadcast|send/,
        )
        for (const key of [...own, ...'dbsSu']) {
          keys(key)
          expect(desk.look.state.mode.kind, `${view} ${key}`).toBe('browse')
          expect(text(), `${view} ${key}`).toContain('your link only reads')
          // The toasts go.
          keys('esc')
          expect(text()).not.toContain('your link only reads')
        }
      }
      keys(':')
      for (const char of 'delegate Lead look') desk.press({ name: char, text: char })
      keys('enter')
      expect(text()).toContain('your link only reads')
      expect(attached.ran).toEqual([])
      desk.close()
    }
  })
})

it('[TUI-60] (W4) times are those of one clock, this machine’s, and say their zone', async () => {
  process.env.TZ = 'Asia/Tokyo'
  const { desk, keys, text, lines, attached } = sit()
  keys('3')
  expect(lines()[1]).toContain('TIME +09:00')
  expect(text()).toMatch(/^(11-26 )?0[0-9]:[0-9]{2} /m)
  keys('2', 'enter')
  expect(text()).toMatch(/created +2026-11-26 0\d:\d\d \+09:00/)
  expect(text()).not.toMatch(/2026-11-25|\dZ/)
  keys('esc', '1', 'enter')
  expect(text()).toMatch(/seen +2026-11-2\d \d\d:\d\d \+09:00/)
  process.env.TZ = 'America/St_Johns'
  keys('esc', '3')
  expect(lines()[1]).toContain('TIME -03:30')
  expect(attached.ran).toEqual([])
  desk.close()
})

describe('what a task waits for (W9)', () => {
  const withTask = (more: object) => {
    const world = makeWorld({ ...SMALL, tasks: 0 }, NOW)
    const id = 't-00000000000x' as never
    addTask(world.doc, {
      ...{ id, from: SCOUT, to: agentId('000000000002'), context: null, description: 'the task' },
      ...{ priority: 'normal', now: NOW - 5_000, ...more },
    })
    settle(world.doc, worldAt(NOW))
    return { world, id }
  }

  it('[TUI-61] is said on its page, and only what its rules accept is offered', () => {
    const given = withTask({ to: ME, requires: ['x'], approver: SCOUT })
    const { desk, keys, text, lines } = sit(true, {}, given.world)
    keys('2')
    expect(lines().at(-1)).toMatch(/c claim.*r respond.*x decline/)
    expect(lines().at(-1)).not.toMatch(/approve|cancel|release/)
    keys('enter')
    expect(text()).toContain('It is given to you (c claims it, x declines it).')
    expect(text()).toMatch(/needs +x/)
    expect(text()).toMatch(/approver +Lead/)
    expect(text()).not.toMatch(/awaits|approve by|requires \[/)
    desk.close()
    const other = withTask({})
    const watch = sit(true, {}, other.world)
    watch.keys('2')
    expect(watch.lines().at(-1)).toContain('n note')
    expect(watch.lines().at(-1)).not.toMatch(/claim|respond|approve|cancel/)
    watch.desk.close()
  })
})

describe('contact (W11)', () => {
  const away = (why: string | null, code?: string) => ({
    contact: { connected: false, since: NOW, why, ...(code !== undefined && { code }) },
  })

  it('[TUI-62] who never had contact sees why, not a form; once there is contact they are asked', async () => {
    const empty = { doc: new Y.Doc(), presences: [], agents: [ME], tasks: [], now: NOW }
    const attached = held(empty, false)
    attached.set(away('nothing listens on 127.0.0.1:9999'))
    const { desk, text, quits, whys, keys } = atDesk(attached, () => Date.now(), {
      ...{ columns: 80, rows: 24 },
    })
    expect(text()).toContain('Connecting to http://127.0.0.1:9077')
    expect(text()).toContain('nothing listens on 127.0.0.1:9999')
    expect(text()).not.toContain('Who are you?')
    await vi.advanceTimersByTimeAsync(7_000)
    expect(text()).toMatch(/no contact for [67] s/)
    keys('esc')
    expect(quits()).toBe(1)
    expect(whys()).toEqual([
      'not connected to http://127.0.0.1:9077: nothing listens on 127.0.0.1:9999',
    ])
    attached.set({ contact: { connected: true, since: NOW, why: null } })
    await vi.advanceTimersByTimeAsync(200)
    expect(text()).toContain('Who are you?')
    desk.close()
  })

  it('[TUI-62] a revoked credential is not "offline", and no reason moves the tabs away', async () => {
    for (const columns of [60, 80, 100, 120]) {
      const { desk, attached, lines, text, keys } = sit(true, { columns })
      attached.set(away(`the credential was revoked ${'by the operator '.repeat(9)}`, 'revoked'))
      await vi.advanceTimersByTimeAsync(200)
      expect(lines()[0]).toMatch(/✗ revoked/)
      expect(lines()[0]).not.toContain('offline')
      expect(text()).toContain('your access was revoked: nothing that you write is sent')
      keys('esc', 'b')
      expect(desk.look.state.mode.kind).toBe('browse')
      expect(lines().at(-1)).not.toContain('broadcast')
      expect(text()).toMatch(/your access was revoked; for a new\s+join\s+link: clawlink -/)
      attached.set(away('a very long reason '.repeat(20)))
      await vi.advanceTimersByTimeAsync(200)
      expect(lines()[0]).toMatch(/1 Agents.*2.*3.*4.*offline/)
      desk.close()
    }
  })
})

it('[TUI-63] (W13) a join link need not be on the command line', () => {
  const parsed = (...argv: string[]) => parseTuiOptions(argv, {}, '1')
  expect(parsed('-')).toMatchObject({ asksLink: true, flags: ['--as', 'me'], linkFile: null })
  expect(parsed('--link-file', 'l.txt')).toMatchObject({ asksLink: false, linkFile: 'l.txt' })
  expect(() => parsed('--link-file', 'l.txt', 'http://x/')).toThrow(/give|link/)
  expect(parsed('--help')).toContain('--link-file')
})

describe('finding one’s way', () => {
  it('(Confusing) the first file that a filter finds is picked, enter opens it, folders stay as they are', () => {
    const { desk, keys, type } = sit()
    const file = desk.look.snapshot.files.find(({ info }) => info.file_key.includes('/'))!
    const path = file.info.file_key
    keys('4', '/')
    type(path.slice(path.lastIndexOf('/') + 1))
    keys('enter')
    expect(desk.look.state.selected.files).toBe(path)
    keys('k', 'enter')
    expect(desk.look.state.folded.size).toBe(0)
    keys('j', 'enter')
    expect(desk.look.state.pages).toEqual([{ kind: 'editor', path }])
    desk.close()
  })

  it('(Confusing) an entry of the feed opens the task or file that it is about, a message itself', () => {
    const { desk, keys } = sit()
    keys('3')
    const open = (kind: string) => {
      const entry = desk.look.snapshot.feed.findLast((one) => one.kind === kind)!
      desk.press({ name: 'G', text: 'G' })
      while ((desk.look.state.selected.feed ?? desk.look.snapshot.feed.at(-1)!.id) !== entry.id) {
        keys('k')
      }
      keys('enter')
      const page = desk.look.state.pages.at(-1)
      keys('esc')
      return { page, entry }
    }
    const task = open('task')
    expect(task.page).toMatchObject({ kind: 'task', id: task.entry.task })
    const said = open('broadcast')
    expect(said.page).toMatchObject({ kind: 'entry', id: said.entry.id })
    desk.close()
  })

  it('(Confusing) a space typed into a choice changes nothing, and a note names its task', () => {
    const { desk, keys, type, text, click } = sit()
    keys('d')
    click('Priority')
    expect(text()).toMatch(/Priority.*\[normal\]/)
    type('check the tests')
    expect(text()).toMatch(/Priority.*\[normal\]/)
    keys('right')
    expect(text()).toMatch(/Priority.*\[high\]/)
    keys('esc', '3')
    expect(desk.look.snapshot.feed.find(({ kind }) => kind === 'note')!.text).toMatch(/\(.+\)$/)
    desk.close()
  })
})
