import { afterEach, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { AgentId, FileId } from '../../../protocol/ids.ts'
import type { UiEnv } from '../../../tui/app.tsx'
import { drawRows } from '../../../tui/editor/draw.ts'
import type { Look } from '../../../tui/highlight/look.ts'
import { EDITOR_KEYS } from '../../../tui/model/editor-keys.ts'
import { widthOf } from '../../../tui/text/display.ts'
import { registerAgent } from '../../../workspace/agents/agents.ts'
import type { Presence } from '../../../workspace/agents/presence.ts'
import { filesOf, textOf } from '../../../workspace/document/schema.ts'
import { cursorOver } from '../../../workspace/files/cursors.ts'
import { readFile } from '../../../workspace/files/file-info.ts'
import { moveFile, removeFile } from '../../../workspace/files/move-file.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { until } from '../../support/client.ts'
import { type Held, held } from '../../support/tui/attached.ts'
import { open } from '../../support/tui/editor-session.ts'
import { cleanup, type Shown, show } from '../../support/tui/frames.tsx'

const ann = 'a-000000000001' as AgentId
const bob = 'a-000000000002' as AgentId
const NOW = Date.UTC(2026, 10, 25, 12)

afterEach(cleanup)

const docWith = (content: string, key = 'a.md'): Y.Doc => {
  const doc = new Y.Doc()
  for (const [id, name] of [
    [ann, 'Ann'],
    [bob, 'Bob'],
  ] as const) {
    registerAgent(doc, { id, name, capabilities: [], machine: 'm', description: '', now: NOW })
  }
  putFile(doc, { key, content, base: null, by: bob, now: NOW })
  return doc
}

const at = (doc: Y.Doc, line: number, to = line, key = 'a.md'): Presence => ({
  agent: { id: bob, name: 'Bob', kind: 'agent' },
  cursor: cursorOver(doc, key as FileId, { from_line: line, to_line: to }),
})

const attach = (doc: Y.Doc, presences: Presence[] = []): Held =>
  held({ doc, agents: [ann], presences, tasks: [], now: NOW })

/** The app with the first of its files open in the editor. */
const edit = async (attached: Held, columns = 80, rows = 24, env: UiEnv = {}): Promise<Shown> => {
  const shown = await show(attached, columns, rows, env, NOW)
  shown.keys('4')
  await shown.sees(/a\.md/)
  shown.keys('enter')
  await shown.sees(/a\.md +\d+:\d+|a\.md: this file/)
  return shown
}

const TEXT = `# A file
with a line that is longer than the screen is wide, so that it goes on in the next row, and on and on
日本語 and 👩‍👩‍👧 and a\ttab
`

it('a file is opened, typed in and left; each key goes to the document', async () => {
  const attached = attach(docWith(TEXT))
  const shown = await edit(attached)
  expect(shown.lines()[1]).toMatch(/^ {2}1 {2}# A file/)
  expect(shown.lines()[3], 'goes on, without a number').toMatch(/^ {5}\S/)
  expect(shown.text()).toContain('日本語 and 👩‍👩‍👧')
  shown.keys('x', 'y', 'down', 'z')
  await shown.sees('xy# A file')
  await shown.sees(/a\.md {2}2:4/)
  expect(readFile(attached.doc, 'a.md').content).toMatch(/^xy# A file\nwizth/)
  shown.keys('\u0006', 'scr')
  await shown.sees('1 of 1')
  shown.keys('esc')
  await shown.sees('(3 selected)')
  shown.keys('\u001a', '\u001a')
  await until('undone', () => readFile(attached.doc, 'a.md').content === TEXT)
  shown.keys('esc')
  await shown.sees('[4 Files')
})

it('[TUI-36] at every size nothing overlaps, rows are no wider than the screen, and the caret is on it', async () => {
  for (const [columns, rows] of [
    [40, 10],
    [80, 24],
    [200, 60],
  ] as const) {
    const doc = docWith(TEXT.repeat(40))
    const shown = await edit(attach(doc, [at(doc, 2, 3)]), columns, rows)
    for (const key of ['pagedown', 'pagedown', 'pagedown'].map(() => '\u001b[6~')) shown.keys(key)
    shown.keys('\u001b[1;5F')
    await shown.sees(/121:1/)
    shown.keys('END')
    await shown.sees(/121 {2}END/)
    expect(shown.lines()).toHaveLength(rows)
    for (const line of shown.lines()) expect(widthOf(line)).toBeLessThanOrEqual(columns)
    await cleanup()
  }
})

it('[TUI-37] others are seen by name, where they are, also without colours; what they write does no harm', async () => {
  const doc = docWith('one\ntwo\nthree')
  const attached = attach(doc, [at(doc, 2)])
  const shown = await edit(attached, 80, 24, { NO_COLOR: '1' })
  await shown.sees('with Bob 2')
  expect(shown.lines()[2]).toMatch(/^ {2}2B two {2}Bob/)
  expect(shown.raw()).not.toMatch(/\u001b\[3[0-7]m/)
  textOf(doc, 'a.md' as FileId).insert(0, '\u001b[2J\u001b]0;gone\u0007\u202e')
  await shown.sees('␛[2J␛]0;gone␇')
  expect(shown.raw()).not.toMatch(/\u001b\[2J|\u0007|\u202e/)
  attached.set({ presences: [] })
  await until('Bob is gone', () => !shown.text().includes('Bob'))
  attached.set({ contact: { connected: false, since: NOW, why: 'no server' } })
  await shown.sees('offline: edits are kept')

  const { session } = open(doc, 'a.md', ann, () => [at(doc, 2, 3)])
  const looks = (coloured: boolean, line: number) =>
    drawRows(session, 80, coloured)[line]!.map(({ text, look }): [string, Look] => [text, look])
  // Lines 2 and 3 are Bob's: marked beside the text, which stays as it is.
  expect(looks(true, 1)).toEqual([
    ['  2', { dim: true }],
    ['▎ ', { colour: expect.any(Number) }],
    ['two ', {}],
  ])
  expect(looks(true, 2).at(-1)).toEqual(['Bob', { colour: expect.any(Number), inverse: true }])
  expect(looks(false, 1)[1]).toEqual(['▎ ', {}])
  for (const [, look] of looks(false, 2)) expect(look.colour).toBe(undefined)
})

it('[TUI-38] authors are shown when asked for: beside each line, and of the word under the caret', async () => {
  const doc = new Y.Doc()
  const other = docWith('by bob\n')
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(other))
  const attached = attach(doc)
  attached.answers = ([verb, ...flags]) => {
    expect([verb, ...flags]).toEqual([
      'file-blame',
      '--key=a.md',
      expect.stringMatching(/^--lines=/),
    ])
    const at = new Date(Date.now() - 7_200_000).toISOString()
    const mine = { agent_id: ann, task_id: null, via: null, at: new Date().toISOString() }
    const bobs = { agent_id: bob, task_id: 't-7', via: ann, at, from_column: 1, to_column: 2 }
    const parts = [{ ...bobs, text: 'by' }]
    return { code: 0, data: { ranges: [{ from_line: 1, to_line: 2, ...mine, parts }] }, stderr: '' }
  }
  const shown = await edit(attached, 100)
  shown.keys('\u001b[1;5F', 'mine now', '\u001b[1;5H', 'so ', '\u0014')
  await shown.sees(/Bob, Ann +1 {2}so by bob/)
  await shown.sees(/Ann +2 {2}mine now/)
  // At once as the document has it, then as the server does.
  await shown.sees(/a\.md {2}1:4 {2}by Bob/)
  await shown.sees(/1:4 {2}by Ann now/)
  shown.keys('\u001b[D', '\u001b[D')
  await shown.sees(/1:2 {2}by Bob 2h ago for t-7, accepted by Ann/)
  shown.keys('\u0014')
  await until('hidden', () => !/Ann +2/.test(shown.text()))
  expect(shown.text()).not.toContain('by Bob 2h')
})

it('[TUI-39] what happens to the file is said, and its text stays; what is not text is not shown', async () => {
  const doc = docWith('the text')
  const shown = await edit(attach(doc))
  moveFile(doc, 'a.md', 'b.md', bob, NOW + 1)
  await shown.sees('now b.md')
  removeFile(doc, 'b.md', bob, NOW + 2)
  await shown.sees('removed by Bob')
  expect(shown.text()).toContain('the text')
  await cleanup()
  const bytes = docWith('')
  filesOf(bytes).set('a.md', { ...filesOf(bytes).get('a.md')!, mediaType: 'image/png' })
  const none = await edit(attach(bytes))
  none.keys('x', 'esc')
  await none.sees('[4 Files')
  expect(textOf(bytes, 'a.md' as FileId).length).toBe(0)
})

it('its keys are listed from their table; the mouse places the caret and scrolls', async () => {
  const attached = attach(docWith(`${'line\n'.repeat(100)}日本`))
  const shown = await edit(attached, 100, 50)
  shown.keys('\u000f')
  for (const { what } of EDITOR_KEYS) await shown.sees(what)
  shown.keys('esc')
  shown.mouse({ kind: 'click', x: 7, y: 3 })
  await shown.sees(/a\.md {2}3:3/)
  shown.mouse({ kind: 'down', x: 0, y: 3 })
  await until('scrolled', () => /^ *4 {2}line/.test(shown.lines()[1]!))
  await shown.sees(/a\.md {2}3:3/)
  shown.keys('!')
  await until('back at the caret', () => /^ *3 {2}li!ne/.test(shown.lines()[1]!))
})

it('pasted text is one edit with its lines as they are', async () => {
  const attached = attach(docWith('  begin'))
  const shown = await edit(attached)
  shown.keys('\u001b[F', '\u001b[200~a\r  b\rc\u001b[201~')
  await until('pasted', () => readFile(attached.doc, 'a.md').content === '  begina\n  b\nc')
  shown.keys('\u001a')
  await until('taken back', () => readFile(attached.doc, 'a.md').content === '  begin')
})
