import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { AgentId } from '../../../protocol/ids.ts'
import { MAX_FILE_BYTES } from '../../../protocol/limits.ts'
import { ACTIONS } from '../../../tui/editor/actions.ts'
import { editorPresses } from '../../../tui/editor/key-input.ts'
import { statusRow } from '../../../tui/editor/status.ts'
import { actionOf, EDITOR_KEYS } from '../../../tui/model/editor-keys.ts'
import { rowText } from '../../../tui/ui/rows.ts'
import { filesOf } from '../../../workspace/document/schema.ts'
import { fileInfo, readFile } from '../../../workspace/files/file-info.ts'
import { moveFile, removeFile } from '../../../workspace/files/move-file.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { findLeaf } from '../../../workspace/files/tree.ts'
import { docWith, type Opened, open } from '../../support/tui/editor-session.ts'

const ann = 'a-ann' as AgentId
const bob = 'a-bob' as AgentId

const opened = (content: string): Opened => open(docWith(content), 'a.md', ann)

describe('keys', () => {
  it('[TUI-27] a character is gone over and deleted whole, and a line end is one step', () => {
    const it = opened('a👩‍👩‍👧e\u0301\r\n日')
    const seen = [it.at()]
    for (let i = 0; i < 5; i++) {
      it.keys('right')
      seen.push(it.at())
    }
    expect(seen).toEqual([
      '|a👩‍👩‍👧e\u0301\r\n日',
      'a|👩‍👩‍👧e\u0301\r\n日',
      'a👩‍👩‍👧|e\u0301\r\n日',
      'a👩‍👩‍👧e\u0301|\r\n日',
      'a👩‍👩‍👧e\u0301\r\n|日',
      'a👩‍👩‍👧e\u0301\r\n日|',
    ])
    for (const wanted of seen.slice(0, -1).reverse()) {
      it.keys('left')
      expect(it.at()).toBe(wanted)
    }
    it.keys('last', 'ctrl-end', 'backspace', 'backspace', 'backspace', 'backspace')
    expect(it.at()).toBe('a|')
    it.keys('home', 'delete', 'delete', 'left', 'backspace', 'up', 'down')
    expect(it.at()).toBe('|')
  })

  it('moves by words, lines, pages, to the ends, and to a line', () => {
    const it = opened('  one two_2, three\nfour\n\nend')
    it.keys('end')
    expect(it.at()).toBe('  one two_2, three|\nfour\n\nend')
    it.keys('ctrl-left', 'ctrl-left')
    expect(it.at()).toBe('  one two_2|, three\nfour\n\nend')
    it.keys('home')
    expect(it.at()).toBe('  |one two_2, three\nfour\n\nend')
    it.keys('home', 'alt-f')
    expect(it.at()).toBe('  one| two_2, three\nfour\n\nend')
    it.keys('end', 'down', 'down', 'down')
    expect(it.at()).toBe('  one two_2, three\nfour\n\nend|')
    it.keys('up', 'up')
    expect(it.at()).toBe('  one two_2, three\nfour|\n\nend')
    it.keys('up')
    expect(it.at(), 'the column is kept').toBe('  one two_2, three|\nfour\n\nend')
    it.keys('pagedown')
    expect(it.at()).toMatch(/end\|$/)
    it.keys('pageup', 'ctrl-g')
    it.type('2')
    it.keys('enter')
    expect(it.at()).toBe('  one two_2, three\n|four\n\nend')
    it.keys('ctrl-g')
    it.type('x')
    it.keys('enter')
    it.keys('ctrl-home')
    expect(it.at()).toBe('|  one two_2, three\nfour\n\nend')
  })

  it('selects with shift, copies, cuts, pastes, and replaces what is selected', () => {
    const it = opened('one two\nthree\n')
    it.keys('ctrl-shift-right')
    expect(it.at()).toBe('[one] two\nthree\n')
    it.keys('ctrl-x', 'ctrl-end', 'ctrl-v', 'ctrl-v')
    expect(it.at()).toBe(' two\nthree\noneone|')
    it.keys('shift-left', 'shift-home')
    expect(it.at()).toBe(' two\nthree\n[oneone]')
    it.type('X')
    expect(it.at()).toBe(' two\nthree\nX|')
    it.keys('shift-up', 'left')
    expect(it.at(), 'left leaves a selection at its beginning').toBe(' two\nt|hree\nX')
    it.keys('ctrl-c', 'ctrl-v')
    expect(it.at(), 'without a selection it is the line').toBe(' two\ntthree\n|hree\nX')
    it.keys('ctrl-a', 'backspace')
    expect(it.at()).toBe('|')
    it.session.paste('a\r\nb\rc\0\ud800')
    expect(it.text()).toBe('a\nb\nc\ufffd')
    it.keys('ctrl-u', 'ctrl-v')
    expect(it.text()).toBe('a\nb\nc\ufffd')
  })

  it('enter indents as the line, tab as the file, several lines at once and back', () => {
    const it = opened('if\n    x\ny')
    it.keys('down', 'end', 'enter')
    it.type('z')
    expect(it.at()).toBe('if\n    x\n    z|\ny')
    it.keys('enter', 'shift-tab', 'backspace', 'ctrl-home', 'tab')
    expect(it.at()).toBe('    |if\n    x\n    z\ny')
    it.keys('ctrl-a', 'tab')
    expect(it.at()).toBe('[        if\n        x\n        z\n    y]')
    it.keys('shift-tab', 'shift-tab')
    expect(it.text()).toBe('if\nx\nz\ny')
    const crlf = opened('a\r\nb')
    crlf.keys('end', 'enter')
    expect(crlf.text()).toBe('a\r\n\r\nb')
  })

  it('[TUI-28] one table has every key: none is in it twice, each does something, and a terminal can send it', () => {
    const keys = EDITOR_KEYS.flatMap((row) => [...row.keys])
    expect(new Set(keys).size).toBe(keys.length)
    expect(Object.keys(ACTIONS).sort()).toEqual(EDITOR_KEYS.map(({ does }) => does).sort())
    for (const key of keys) expect(actionOf(key), key).not.toBeNull()
    expect(actionOf('shift-left')).toEqual({ does: 'left', selects: true })
    expect(actionOf('ctrl-shift-home')).toEqual({ does: 'first', selects: true })
    expect(actionOf('ctrl-]')).toBeNull()
    const none = Object.fromEntries(
      ['upArrow', 'downArrow', 'leftArrow', 'rightArrow', 'pageUp', 'pageDown', 'home', 'end']
        .concat(['return', 'escape', 'ctrl', 'shift', 'tab', 'backspace', 'delete', 'meta'])
        .map((name) => [name, false]),
    ) as never as Parameters<typeof editorPresses>[1]
    const pressed = (input: string, key: Partial<typeof none>) =>
      editorPresses(input, { ...none, ...key })
    expect(pressed('', { ctrl: true, shift: true, home: true })).toEqual([
      { key: 'ctrl-shift-home' },
    ])
    expect(pressed('', { meta: true, backspace: true })).toEqual([{ key: 'alt-backspace' }])
    expect(pressed('', { tab: true, shift: true })).toEqual([{ key: 'shift-tab' }])
    expect(pressed('f', { ctrl: true })).toEqual([{ key: 'ctrl-f' }])
    expect(pressed('日本 x', {})).toEqual([{ text: '日本 x' }])
  })
})

describe('the file', () => {
  it('[TUI-33] is limited in bytes, not in UTF-16 units: Chinese text has three per unit', () => {
    const units = Math.floor(MAX_FILE_BYTES / 3)
    const it = opened('日'.repeat(units))
    it.type('日')
    expect(it.session.message).toContain(`the limit is ${MAX_FILE_BYTES}`)
    expect(it.text()).toHaveLength(units)
    it.session.press({ text: 'a' }) // a byte is left
    expect(it.session.message).toBe('')
    expect(it.text()).toHaveLength(units + 1)
    it.type('b')
    expect(it.session.message).toContain(`the limit is ${MAX_FILE_BYTES}`)
    it.keys('backspace', 'delete')
    it.type('日')
    expect(it.session.message).toBe('')
  })

  it('[TUI-33] is made with the first edit, and edits are counted as its versions', () => {
    const it = open(new Y.Doc(), 'new/b.md', ann)
    expect(it.session.state.kind).toBe('new')
    expect(findLeaf(it.doc, 'new/b.md')).toBeNull()
    it.type('hello')
    expect(it.session.state.kind).toBe('there')
    expect(readFile(it.doc, 'new/b.md')).toMatchObject({ content: 'hello', last_editor: ann })
    const { version } = fileInfo(it.doc, 'new/b.md')
    it.type(' world')
    it.session.close()
    expect(fileInfo(it.doc, 'new/b.md').version).toBe(version + 1)
    const wrong = open(new Y.Doc(), '../x', ann)
    wrong.type('x')
    expect(wrong.session.state.kind).toBe('none')
    expect(filesOf(wrong.doc).size).toBe(0)
  })

  it('[TUI-34] is written on when others rename it, and comes back with an edit when they remove it', () => {
    const it = opened('text')
    moveFile(it.doc, 'a.md', 'b.md', bob, 2)
    expect(it.session.state).toEqual({ kind: 'renamed', to: 'b.md' })
    it.type('x')
    expect(readFile(it.doc, 'b.md').content).toBe('xtext')
    it.session.close()

    const gone = opened('text')
    removeFile(gone.doc, 'a.md', bob, 2)
    expect(gone.session.state).toEqual({ kind: 'removed', by: bob })
    expect(gone.at(), 'its text is still there').toBe('|text')
    gone.type('x')
    expect(gone.session.state.kind).toBe('there')
    expect(readFile(gone.doc, 'a.md').content).toBe('xtext')

    const other = opened('text')
    putFile(other.doc, { key: 'c.md', content: 'c', base: null, by: bob, now: 2 })
    moveFile(other.doc, 'c.md', 'a.md', bob, 3, true)
    expect(other.session.state.kind).toBe('replaced')
    other.type('x')
    expect(other.session.message).toMatch(/another file/)
    expect(readFile(other.doc, 'a.md').content).toBe('c')
  })

  it('[TUI-35] what is not text, and what a stranger opens, is not edited', () => {
    const doc = docWith('')
    filesOf(doc).set('a.md', { ...filesOf(doc).get('a.md')!, mediaType: 'image/png' })
    const it = open(doc, 'a.md', ann)
    it.type('x')
    it.session.paste('y')
    it.keys('enter', 'ctrl-z')
    expect(it.text()).toBe('')
    expect(it.session.message).toMatch(/not text/)
    const stranger = opened('text')
    stranger.attached.set({ me: null })
    stranger.type('x')
    stranger.keys('ctrl-a', 'ctrl-x')
    expect(stranger.text()).toBe('text')
    expect(stranger.session.message).not.toBe('')
  })

  it('[TUI-35] whose role does not write any more edits no further, and is not told that it was sent', () => {
    for (const role of ['read', 'suggest'] as const) {
      const it = opened('text')
      it.type('x')
      const status = () => rowText(statusRow(it.session, 100))
      expect(status()).toMatch(/ sent *$/)
      it.attached.set({ role })
      expect(status()).toContain(`read only: your link has the role ${role}`)
      expect(status()).not.toMatch(/ sent *$/)
      it.type('y')
      it.session.paste('z')
      it.keys('enter', 'ctrl-z', 'ctrl-a', 'ctrl-x')
      expect(it.text()).toBe('xtext')
      expect(it.session.message).toContain('read only')
    }
  })
})

it('finds while it is typed, goes on, back and around, and says how many there are', () => {
  const it = opened('foo bar\nFoo\nbar foo')
  it.keys('ctrl-f')
  it.type('fo')
  it.type('o')
  expect(it.at()).toBe('[foo] bar\nFoo\nbar foo')
  // The first enter stays at the first match.
  it.keys('enter')
  expect(it.at()).toBe('[foo] bar\nFoo\nbar foo')
  it.keys('enter')
  expect(it.at()).toBe('foo bar\n[Foo]\nbar foo')
  it.keys('enter', 'enter')
  expect(it.at()).toBe('[foo] bar\nFoo\nbar foo')
  it.keys('up')
  expect(it.at()).toBe('foo bar\nFoo\nbar [foo]')
  it.keys('esc')
  expect(it.session.prompt.open).toBeNull()
  it.keys('ctrl-n', 'ctrl-n')
  expect(it.at()).toBe('foo bar\n[Foo]\nbar foo')
  it.keys('esc')
  expect(it.at()).toBe('foo bar\nFoo|\nbar foo')
  expect(it.left()).toBe(0)
  it.keys('esc')
  expect(it.left()).toBe(1)
  it.keys('ctrl-f', 'ctrl-u')
  it.type('nowhere')
  expect(it.session.message).toBe('no "nowhere"')
})
