import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isForm } from '../../tui/control/forms.ts'
import { commandFor, commandNamed, TYPING, UI_COMMANDS } from '../../tui/model/commands.ts'
import { completionsOf, readTyped } from '../../tui/model/palette.ts'
import { PLACES, VIEWS } from '../../tui/model/state.ts'
import { rowText } from '../../tui/ui/rows.ts'
import { helpLines } from '../../tui/views/help.ts'
import { keysSection, SECTION } from '../../tui/views/parts/keys-page.ts'
import { root } from '../support/server.ts'
import { atDesk } from '../support/tui/at-desk.ts'
import { held } from '../support/tui/attached.ts'
import { makeWorld, SMALL } from '../support/tui/world.ts'

const NOW = Date.UTC(2026, 10, 25, 12, 0, 0)
const sit = (columns = 120, rows = 30) => {
  const attached = held(makeWorld(SMALL, NOW))
  return { attached, ...atDesk(attached, () => NOW, { columns, rows }) }
}

describe('the table of commands', () => {
  it('[TUI-2] no key does two things in one view, and every command can be reached', () => {
    for (const view of PLACES) {
      const keys = UI_COMMANDS.filter(
        ({ where }) => where === view || where === 'everywhere',
      ).flatMap((command) => command.keys)
      expect(keys, view).toEqual([...new Set(keys)])
    }
    const names = UI_COMMANDS.map(({ name }) => name)
    expect(names).toEqual([...new Set(names)])
    for (const { name, keys, where, keysOnly } of UI_COMMANDS) {
      expect(keys.length, name).toBeGreaterThan(0)
      for (const key of keys) {
        const view = where === 'everywhere' ? 'agents' : where
        expect(commandFor(key, view)?.name).toBe(name)
      }
      if (keysOnly !== true) expect(readTyped(name).command?.name).toBe(name)
    }
  })

  it('[TUI-2] help, status line and docs/tui.md are made from it', () => {
    for (const width of [80, 120]) {
      const help = helpLines(width).map(rowText)
      for (const line of help) expect(line).not.toContain('…')
      const words = help.join(' ').replace(/\s+/g, ' ')
      for (const { what, name, keysOnly } of UI_COMMANDS) {
        expect(words).toContain(what)
        if (keysOnly !== true) expect(words).toContain(`:${name} `)
      }
      for (const { what } of TYPING) expect(words).toContain(what)
    }
    for (const [key, view] of [...'01234'].map((key, i) => [key, VIEWS[i]!] as const)) {
      const { keys, lines, desk } = sit(200)
      keys(key)
      for (const { bar, where, about } of UI_COMMANDS) {
        if (bar === undefined || (where !== view && where !== 'everywhere')) continue
        // The rules of the picked task decide which of these are offered.
        if (about === 'task' && bar !== 'note') continue
        expect(lines().at(-1), view).toContain(bar)
      }
      desk.close()
    }
    const page = readFileSync(join(root, 'docs/tui.md'), 'utf8')
    expect(SECTION.exec(page)?.[0], 'node scripts/run-ts.mjs scripts/tui-keys.ts').toBe(
      keysSection(),
    )
  })

  it('[TUI-2] on a page the keys are those of what is open, whatever view it was opened from', () => {
    const { desk, keys, text } = sit()
    const task = desk.look.snapshot.tasks.find(({ status }) => status === 'working')!
    const agent = task.owner!
    const { agents } = desk.look.snapshot
    while (desk.look.state.selected.agents !== agent) {
      keys('j')
      expect(agents.length).toBeGreaterThan(0)
    }
    keys('enter', 'enter')
    expect(text()).toContain('History')
    expect(text()).toContain('n note')
    keys('n')
    expect(text()).toContain('Note on')
    desk.close()
  })
})

describe('the palette', () => {
  it('[TUI-5] completes commands and the names they take', () => {
    const { desk } = sit()
    const found = (line: string) => completionsOf(desk.look, line).map(({ label }) => label)
    expect(found('re').slice(0, 2)).toEqual(['read', 'resume'])
    expect(found('send Sc')).toEqual(['Scout'])
    expect(found('send sc')).toEqual(['Scout'])
    expect(completionsOf(desk.look, 'send Sc')[0]?.line).toBe('send Scout ')
    // A name with a space would be two words.
    expect(found('send a-')).toContain('小红 研究')
    expect(completionsOf(desk.look, 'send 小')[0]?.line).toBe('send a-000000000004 ')
    expect(found('send Scout hel')).toEqual([])
    expect(found('nothing x')).toEqual([])
    expect(readTyped('send Scout  are you   there ').values).toEqual({
      ...{ to: 'Scout', content: 'are you   there' },
    })
    desk.close()
  })

  it('[TUI-5] tab takes what is marked, enter carries out what was begun; no command is said and can be changed', () => {
    const { desk, keys, type, lines, text, attached } = sit()
    keys(':')
    type('filt')
    keys('tab')
    expect(lines().at(-1)).toMatch(/^:filter/)
    keys('ctrl-u')
    type('tas')
    keys('enter')
    expect(lines()[0]).toContain('[2 Tasks')
    keys(':')
    type('clame it')
    keys('enter')
    expect(text()).toContain('no command "clame"')
    expect(lines().at(-1)).toMatch(/^:clame it/)
    keys('esc', '1', ':')
    type('claim')
    keys('enter')
    expect(text()).toContain('pick a task first')
    keys(':')
    type('reply')
    keys('enter')
    expect(text()).toContain('pick an entry first')
    expect(attached.ran).toEqual([])
    keys(':', 'backspace')
    expect(desk.look.state.mode.kind).toBe('browse')
    desk.close()
  })

  it('every command that is no form and no view is known to control', () => {
    const done = [
      ...['filter', 'help', 'quit', 'invite', 'agents', 'tasks', 'feed', 'files'],
      ...['history', 'replay', 'play', 'faster', 'slower', 'back-ten', 'on-ten', 'seek', 'whole'],
      ...['checkpoints', 'diff', 'restore-one', 'suggestions', 'accept-all', 'take-part', 'me'],
      'reject-all',
      ...['find', 'sort', 'preview', 'copy', 'copy-id', 'focus'],
    ]
    for (const { name, keysOnly } of UI_COMMANDS) {
      if (keysOnly === true || isForm(name)) continue
      expect(done).toContain(commandNamed(name)?.name)
    }
  })
})
