import { expect, it, vi } from 'vitest'
import type { Ran } from '../../client/resident/run.ts'
import { type Ground, THEMES } from '../../tui/terminal/theme.ts'
import { paletteOf, styled } from '../../tui/ui/palette.ts'
import { type Row, rowText } from '../../tui/ui/rows.ts'
import { putFile } from '../../workspace/files/put-file.ts'
import { atDesk } from '../support/tui/at-desk.ts'
import { held } from '../support/tui/attached.ts'
import { versionsOf } from '../support/tui/past.ts'
import { makeWorld, SMALL } from '../support/tui/world.ts'

const NOW = Date.parse('2026-06-01T12:00:00Z')
const GROUNDS: readonly Ground[] = ['dark', 'light', null]
const BEFORE = ['/* one', 'still one */', 'const a = 1', "\tlet b = 'old'", ''].join('\n')
const AFTER = ['/* one', 'still one */', 'const a = 2', "\tlet b = 'new' // why", ''].join('\n')

/** A page on a screen of this width, with the answers of the commands that it runs. */
const pageOf = (
  page: { kind: 'history' | 'suggestion' | 'checkpoint' | 'undo'; id: string },
  answers: (argv: readonly string[]) => Ran,
  columns = 100,
) => {
  const world = makeWorld(SMALL, NOW)
  putFile(world.doc, { key: 'a.ts', content: AFTER, base: null, by: world.agents[0]!, now: 1 })
  const attached = held(world)
  attached.answers = answers
  const at = atDesk(attached, () => NOW, { columns, rows: 30 })
  const { state } = at.desk.look
  at.desk.resize(columns, 29)
  at.desk.look = { ...at.desk.look, state: { ...state, pages: [{ ...page, top: 0 }] } }
  at.desk.resize(columns, 30)
  const rowWith = (text: string): Row => {
    const found = at.rows().find((row) => rowText(row).includes(text))
    if (found === undefined) throw new Error(`"${text}" is not on the screen:\n${at.text()}`)
    return found
  }
  return { ...at, rowWith }
}

const history = (columns?: number) =>
  pageOf({ kind: 'history', id: 'a.ts' }, versionsOf([BEFORE, AFTER], ['a-1'], NOW), columns)

/** The word of a row, as its language has it. */
const wordOf = (row: Row, text: string) => row.find((part) => part.text === text)?.look?.word

const coloured = (check: () => unknown) => vi.waitFor(check, 60_000)

it('[TUI-88] lines of a change have the colours of their language, once the page stood still', async () => {
  const { desk, rowWith } = history()
  await coloured(() => rowWith('+const a = 2'))
  expect(
    rowWith('-const a = 1')
      .map(({ text }) => text)
      .slice(0, 2),
  ).toEqual(['-', 'const a = 1'])
  await coloured(() => expect(wordOf(rowWith('+const a = 2'), 'const')).toBe('keyword'))
  expect(wordOf(rowWith('-const a = 1'), 'const')).toBe('keyword')
  expect(wordOf(rowWith('+const a = 2'), '2')).toBe('value')
  // A comment that began above the lines shown is one.
  expect(rowWith('still one').find(({ look }) => look?.dim)?.text).toBe('still one */')
  // Green and red say what was added and removed, so no word has them there.
  expect(wordOf(rowWith("'old'"), "'old'")).toBeUndefined()
  expect(rowText(rowWith("'old'")).trimEnd()).toBe("-  let b = 'old'")
  desk.close()
})

it('[TUI-88] each line of a change has its sign in every theme, side by side and without colours', async () => {
  for (const columns of [100, 130]) {
    const { desk, rowWith } = history(columns)
    await coloured(() => expect(wordOf(rowWith('a = 2'), '2')).toBe('value'))
    for (const theme of THEMES) {
      for (const ground of GROUNDS) {
        const palette = paletteOf(theme, ground)
        const drawn = (text: string) => styled(rowWith(text), palette)
        const plain = (text: string) => rowText(rowWith(text))
        expect(plain('a = 1')).toMatch(/-const a = 1/)
        expect(plain('a = 2')).toMatch(/\+const a = 2/)
        const isMono = theme === 'mono'
        const sign = (mark: string, tone: 'good' | 'bad') =>
          palette[tone] === '' ? mark : `\u001b[${palette[tone]}m${mark}`
        expect(drawn('a = 2')).toContain(sign('+', 'good'))
        expect(drawn('a = 1')).toContain(sign('-', 'bad'))
        expect(/\u001b\[(?:[\d;]*;)?[39]\d/.test(drawn('a = 2'))).toBe(!isMono)
      }
    }
    desk.close()
  }
})

it('[TUI-88] so have the hunks of a suggestion, a comparison of checkpoints and what is taken back', async () => {
  const diff =
    '--- a\n+++ b\n@@ -1,2 +1,2 @@\n let z = 0\n-const a = 1\n+const a = 2\n@@ -9 +9 @@\n-let c\n+let d\n'
  const change = { hunk: 1, state: 'applies', line: 1, old: 'const a = 1\n', new: 'const a = 2\n' }
  const suggestion = {
    ...{ suggestion_id: 's-1', file_key: 'a.ts', by: 'a-1', at: new Date(NOW).toISOString() },
    ...{ base_version: 1, note: '', task: null, approve_by: null, state: 'open', hunks: 1 },
    ...{ waiting: 1, conflicts: 0, changes: [change], decisions: [] },
  }
  const file = { file_key: 'a.ts', diff }
  const versions = { change: 'changed', from_version: 1, to_version: 2 }
  const undone = { removed: 1, restored: 1, lost: 0, lines: [], overlaps: [], version: 2 }
  const pages = [
    [{ kind: 'suggestion', id: 's-1' }, { suggestion }],
    [
      { kind: 'checkpoint', id: 'monday' },
      { from: 'monday', to: 'now', files: [{ ...file, ...versions }], more: false },
    ],
    [
      { kind: 'undo', id: 'agent a-1' },
      { undo: null, dry_run: true, files: [{ ...file, ...undone }] },
    ],
  ] as const
  for (const [page, data] of pages) {
    const { desk, rowWith } = pageOf(page, () => ({ code: 0, data, stderr: '' }))
    await coloured(() => expect(wordOf(rowWith('+const a = 2'), 'const')).toBe('keyword'))
    expect(wordOf(rowWith('-const a = 1'), '1')).toBe('value')
    if (page.kind !== 'suggestion') expect(wordOf(rowWith('+let d'), 'let')).toBe('keyword')
    desk.close()
  }
})

it('[TUI-88] a file without a language has none, and pages that are turned quickly wait for none', async () => {
  vi.useFakeTimers()
  const texts = [1, 2, 3, 4, 5].map((n) => `const a = ${n}\n`)
  const answers = versionsOf(texts, ['a-1'], NOW)
  for (const id of ['notes.txt', 'a.ts']) {
    const { desk, keys, text } = pageOf({ kind: 'history', id }, answers)
    await vi.advanceTimersByTimeAsync(1)
    for (const shown of [5, 4, 3]) {
      await vi.advanceTimersByTimeAsync(100)
      expect(text()).toContain(`+const a = ${shown}`)
      keys('left')
    }
    await vi.advanceTimersByTimeAsync(200)
    await vi.dynamicImportSettled()
    await vi.advanceTimersByTimeAsync(1)
    const found = [...(desk.look.words.get('typescript')?.keys() ?? [])]
    expect(found).toEqual(id === 'a.ts' ? [texts[0], texts[1]] : [])
    desk.close()
  }
  vi.useRealTimers()
})
