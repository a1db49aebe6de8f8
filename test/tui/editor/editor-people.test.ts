import { describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import type { AgentId } from '../../../protocol/ids.ts'
import { caretCell, drawRows, fitInto } from '../../../tui/editor/draw.ts'
import { statusRow } from '../../../tui/editor/status.ts'
import { partsOf } from '../../../tui/highlight/highlighter.ts'
import { LANGUAGES } from '../../../tui/highlight/languages.ts'
import { rowText } from '../../../tui/ui/rows.ts'
import { registerAgent } from '../../../workspace/agents/agents.ts'
import type { Presence } from '../../../workspace/agents/presence.ts'
import { textOf } from '../../../workspace/document/schema.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { open } from '../../support/tui/editor-session.ts'

const ME = 'a-me' as AgentId
const BO = 'a-bo' as AgentId

const opened = (content: string, path = 'a.md', carets: readonly number[] = []) => {
  const doc = new Y.Doc()
  for (const id of [ME, BO]) {
    registerAgent(doc, {
      ...{ id, name: id.slice(2), capabilities: [], machine: '', description: '', now: 0 },
    })
  }
  putFile(doc, { key: path, content, base: null, by: ME, now: 0 })
  const { fileId } = doc.getMap<{ fileId: string }>('files').get(path)!
  const presences = (): Presence[] =>
    carets.map((index, i) => {
      const text = textOf(doc, fileId as never)
      const at: unknown = Y.relativePositionToJSON(
        Y.createRelativePositionFromTypeIndex(text, index),
      )
      return {
        agent: { id: `${BO}${i}` as AgentId, name: `Bo${i}`, kind: 'agent' },
        activity: { state: 'active' },
        cursor: { file: fileId as never, anchor: at, head: at },
      } as Presence
    })
  const it = open(doc, path, ME, presences)
  return { ...it, status: () => rowText(statusRow(it.session, 110)) }
}

describe('the bar of the editor (Confusing)', () => {
  it('[TUI-79] says how to leave, and whether the server has what was typed', () => {
    const { status, type, attached, session } = opened('one')
    expect(status()).toContain('esc back')
    expect(status()).not.toContain('sent')
    type('x')
    attached.set({ hasUnsent: true })
    expect(status()).toContain('sending …')
    attached.set({ hasUnsent: false })
    expect(status()).toMatch(/sent *$/)
    attached.set({ contact: { connected: false, since: 0, why: 'x' } })
    expect(status()).toContain('offline: edits are kept')
    attached.set({ contact: { connected: false, since: 0, why: 'x', code: 'revoked' } })
    expect(status()).toContain('access revoked: edits are not sent')
    session.press({ key: 'ctrl-s' })
    expect(session.message).toContain('nothing to save')
    attached.set({ hasUnsent: true })
    session.press({ key: 'ctrl-s' })
    expect(session.message).toContain('kept here, but your access was revoked')
    session.close()
  })

  it('[TUI-79] ctrl-q leaves as esc does; what is not the number of a line is said', () => {
    const { keys, type, left, session, text } = opened('one')
    keys('ctrl-g')
    type('abc')
    keys('enter')
    expect(session.message).toBe('"abc" is not the number of a line')
    keys('ctrl-q')
    expect(left()).toBe(1)
    expect(text()).toBe('one')
  })
})

describe('replacing', () => {
  it('[TUI-80] replaces what was found one by one, or all at once, and undo takes it back', () => {
    const { keys, type, text, session } = opened('foo a foo b foo')
    keys('ctrl-r')
    expect(session.message).toContain('look for something first')
    type('foo')
    keys('ctrl-r')
    type('x')
    keys('enter')
    expect(text()).toBe('x a foo b foo')
    keys('ctrl-r')
    expect(text()).toBe('x a x b x')
    expect(session.message).toContain('replaced 2')
    keys('ctrl-z')
    expect(text()).toBe('x a foo b foo')
    keys('ctrl-z')
    expect(text()).toBe('foo a foo b foo')
    session.close()
  })
})

it('[TUI-81] ctrl-l goes to the next one who is in the file, around the end', () => {
  const { keys, at, session } = opened('one\ntwo\nthree', 'a.md', [5, 10])
  keys('ctrl-l')
  expect(at()).toBe('one\nt|wo\nthree')
  expect(session.message).toBe('here is Bo0')
  keys('ctrl-l')
  expect(at()).toBe('one\ntwo\nth|ree')
  keys('ctrl-l')
  expect(at()).toBe('one\nt|wo\nthree')
  session.close()
  const alone = opened('one')
  alone.keys('ctrl-l')
  expect(alone.session.message).toBe('nobody else is in this file')
  alone.session.close()
})

describe('syntax colours', () => {
  const TEXT = 'const a = "b<&>" // c\n/* two\nlines */ let d = 1\n'

  it('[TUI-82] the parts of a text are the text, in every language, whatever it is', () => {
    for (const language of LANGUAGES) {
      for (const text of [TEXT, '<b class="x">&amp; &#x27;</b>\n', '日本\u0000 \u001b[31m🚀', '']) {
        const parts = partsOf(text, language)
        expect(parts.map((part) => part.text).join(''), language).toBe(text)
      }
    }
    expect(LANGUAGES.length).toBeGreaterThanOrEqual(20)
  })

  it('[TUI-82] words have colours after a pause, lines that move keep them, other files have none', async () => {
    const { session, pass, type, keys } = opened(TEXT, 'a.ts')
    fitInto(session, 80, 10)
    const looks = (row: number) => drawRows(session, 80, true)[row]!
    expect(looks(0).some(({ look }) => look.word === 'keyword')).toBe(false)
    pass(300)
    await vi.waitFor(
      () => expect(looks(0).find(({ text }) => text.includes('onst'))?.look.word).toBe('keyword'),
      20_000,
    )
    expect(looks(1).at(-2)?.look.dim).toBe(true)
    expect(looks(2).find(({ text }) => text === 'let')?.look.word).toBe('keyword')
    keys('ctrl-home')
    type('\n')
    expect(looks(3).find(({ text }) => text === 'let')?.look.word).toBe('keyword')
    expect(
      drawRows(session, 80, false)
        .flat()
        .some(({ look }) => look.word !== undefined),
    ).toBe(false)
    session.close()
    for (const name of ['a.txt', 'a.constructor', 'go', 'b.go/c']) {
      const plain = opened('const a = 1', name)
      expect(plain.session.syntax).toBe(null)
      plain.session.close()
    }
  })
})

it('[TUI-83] the cell of the caret is where its character is drawn', () => {
  const { session, keys } = opened('one\n日本two')
  fitInto(session, 80, 10)
  keys('down', 'right', 'right')
  expect(caretCell(session, 80)).toEqual({ x: 5 + 4, y: 1 })
  session.hasCursor = true
  const shown = drawRows(session, 80, true)[1]!
  expect(shown.every(({ look }) => look.inverse !== true)).toBe(true)
  session.close()
})
