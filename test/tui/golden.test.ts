import { afterEach, expect, it } from 'vitest'
import type { UiEnv } from '../../tui/app.tsx'
import { widthOf } from '../../tui/text/display.ts'
import { held } from '../support/tui/attached.ts'
import { suggestionAnswers, undoAnswer } from '../support/tui/authorship.ts'
import { cleanup, type Shown, show } from '../support/tui/frames.tsx'
import { versionsOf } from '../support/tui/past.ts'
import { makeWorld, SMALL } from '../support/tui/world.ts'

process.env.TZ = 'UTC'
const NOW = Date.UTC(2026, 10, 25, 12, 0, 0)
const SIZES = [
  [60, 15],
  [80, 24],
  [120, 40],
  [200, 60],
] as const

const made = (name: string, hours: number, note: string) => ({
  ...{ name, note, by: 'a-000000000001', files: 9 },
  at: new Date(NOW - hours * 3_600_000).toISOString(),
})
const CHECKPOINTS: Readonly<Record<string, unknown>> = {
  checkpoints: {
    checkpoints: [
      made('monday', 50, 'as it was delivered'),
      made('before-the-rewrite-of-the-whole-parser-and-its-tests', 1, 'all tests green '.repeat(9)),
    ],
  },
  diff: {
    ...{ from: 'x', to: 'now', more: false },
    files: [
      {
        ...{ file_key: 'docs/a.md', change: 'changed', from_version: 1, to_version: 3 },
        diff: `--- a\n+++ b\n@@ -1,2 +1,2 @@\n one\n-two\n+${'a very long line '.repeat(20)}\n`,
      },
      { file_key: 'img/b.png', change: 'added', from_version: null, to_version: 1, diff: null },
    ],
  },
}

afterEach(cleanup)

const world = () => held(makeWorld(SMALL, NOW))

/** Every line is as wide as the terminal or less, there are as many as it has, and the connection is on the first. */
const expectWhole = (shown: Shown, columns: number, rows: number) => {
  const lines = shown.lines()
  expect(lines).toHaveLength(rows)
  for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns)
  expect(lines[0]).toMatch(/connected$|offline/)
}

const golden = async (shown: Shown, name: string, columns: number, rows: number) => {
  expectWhole(shown, columns, rows)
  await expect(`${shown.text()}\n`).toMatchFileSnapshot(`golden/${name}-${columns}x${rows}.txt`)
}

for (const [columns, rows] of SIZES) {
  it(`[TUI-1] views at ${columns}×${rows}: nothing overlaps, nothing is cut without an ellipsis`, async () => {
    const shown = await show(world(), columns, rows, {}, NOW)
    await shown.sees('Scout (you)')
    await golden(shown, 'agents', columns, rows)
    shown.keys('2')
    await shown.sees('[2 Tasks')
    await golden(shown, 'tasks', columns, rows)
    shown.keys('3')
    await shown.sees('[3 Feed')
    await golden(shown, 'feed', columns, rows)
    shown.keys('4')
    await shown.sees('[4 Files')
    await golden(shown, 'files', columns, rows)
    shown.keys('0')
    await shown.sees('[0 For me')
    await golden(shown, 'me', columns, rows)
    shown.keys('f', 're')
    await shown.sees('find re')
    // The search by words has ended.
    await shown.sees(/tasks and messages *(↓\d+)?$/m)
    await golden(shown, 'finder', columns, rows)
  })

  it(`[TUI-1] pages, forms, help and palette at ${columns}×${rows}`, async () => {
    const shown = await show(world(), columns, rows, {}, NOW)
    shown.keys('enter')
    await shown.sees('here since')
    await golden(shown, 'agent', columns, rows)
    shown.keys('2', 'l', 'l', 'l', 'enter')
    await shown.sees('state  ')
    await golden(shown, 'task', columns, rows)
    shown.keys('?')
    await shown.sees('(here)')
    await golden(shown, 'help', columns, rows)
    shown.keys('q', 'esc', 'd')
    await shown.sees('Delegate a task')
    await golden(shown, 'form', columns, rows)
    shown.keys('esc', ':', 're')
    await shown.sees(':re')
    await golden(shown, 'palette', columns, rows)
  })

  it(`[TUI-1] history and replay at ${columns}×${rows}`, async () => {
    const attached = world()
    const before = 'one\ntwo\nthree\n'.repeat(20)
    const after = before.replace('two', 'a much longer second line '.repeat(12))
    attached.answers = versionsOf([before, after], ['a-000000000001'], NOW)
    const shown = await show(attached, columns, rows, {}, NOW)
    shown.keys('4', 'G', 'H')
    await shown.sees('a much longer')
    await golden(shown, 'history', columns, rows)
    shown.keys('esc', '2', 'T', 'p', 'G', '[')
    await shown.sees('The board at')
    await golden(shown, 'replay', columns, rows)
    attached.answers = ([verb]) => ({ code: 0, data: CHECKPOINTS[verb!], stderr: '' })
    shown.keys('C')
    await shown.sees('monday')
    await golden(shown, 'checkpoints', columns, rows)
    shown.keys('enter')
    await shown.sees('From')
    await golden(shown, 'checkpoint', columns, rows)
  })

  // The diff does not begin on the smallest screen.
  it.skipIf(rows < 24)(`[TUI-1] suggestions and undo at ${columns}×${rows}`, async () => {
    const attached = world()
    const suggestions = suggestionAnswers(NOW)
    attached.answers = (argv) => ({
      ...{ code: 0, stderr: '' },
      data: argv[0] === 'undo' ? undoAnswer(true) : suggestions(argv),
    })
    const shown = await show(attached, columns, rows, {}, NOW)
    shown.keys('4', 'G', 'E')
    await shown.sees('s-3')
    await golden(shown, 'suggestions', columns, rows)
    shown.keys('enter')
    await shown.sees('due')
    await golden(shown, 'suggestion', columns, rows)
    shown.keys('esc', 'esc', '1', 'Z')
    await shown.sees('by Scout')
    await golden(shown, 'undo', columns, rows)
  })
}

for (const [columns, rows] of SIZES) {
  it(`[TUI-1] [TUI-79] the editor at ${columns}×${rows}`, async () => {
    const shown = await show(world(), columns, rows, {}, NOW)
    shown.keys('4', 'G', 'enter')
    await shown.sees('esc back')
    await golden(shown, 'editor', columns, rows)
  })
}

it('[TUI-9] a screen reader gets words in lines: no symbols, nothing side by side', async () => {
  const env: UiEnv = { INK_SCREEN_READER: 'true' }
  const shown = await show(world(), 80, 24, env, NOW)
  await shown.sees('Scout')
  for (const [key, name] of [
    ['0', 'for me'],
    ['1', 'agents'],
    ['2', 'tasks'],
    ['3', 'feed'],
    ['4', 'files'],
  ] as const) {
    shown.keys(key)
    await shown.sees(/\(here\)/)
    await shown.sees(new RegExp(`${name} (\\d+ )?\\(here\\)`, 'i'))
    expect(shown.text()).not.toMatch(/[●◐○◌✓✗⊘▪»✎≡▾▸│─┌]/)
    await golden(shown, `plain-${name.replace(' ', '-')}`, 80, 24)
  }
})

it('[TUI-9] [TUI-51] NO_COLOR: no colours, and states can be told all the same', async () => {
  const shown = await show(world(), 80, 24, { NO_COLOR: '1' }, NOW)
  shown.keys('2')
  await shown.sees('Needs input')
  expect(shown.raw()).not.toMatch(/\u001b\[3[0-7]m/)
  expect(shown.text()).toMatch(/○ Open.*◐ Working/)
})
