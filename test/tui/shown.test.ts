import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { ErrorBody } from '../../protocol/errors.ts'
import type { AgentId, BroadcastId, TaskId } from '../../protocol/ids.ts'
import { nameOfNeed } from '../../tui/model/reads.ts'
import { rowText, rowWidth } from '../../tui/ui/rows.ts'
import { registerAgent } from '../../workspace/agents/agents.ts'
import { putFile } from '../../workspace/files/put-file.ts'
import { addBroadcast } from '../../workspace/messages/broadcasts.ts'
import { addNote, addTask } from '../../workspace/tasks/tasks.ts'
import { atDesk } from '../support/tui/at-desk.ts'
import { held } from '../support/tui/attached.ts'
import { makeWorld, SMALL } from '../support/tui/world.ts'

const NOW = Date.UTC(2026, 10, 25, 12, 0, 0)
const HARMFUL = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\ufeff]|\p{Surrogate}/u

const hard = fc.string({
  unit: fc.constantFrom(
    ...['a', 'Z', ' ', '  ', '日本', '한', '👩‍👩‍👧', '🇩🇪', 'e\u0301', 'ß', '\t', '\n', '\r\n'],
    ...['\u001b[2J', '\u001b]0;title\u0007', '\u001b[31m', '\u009b5n', '\u0000', '\u007f', '\b'],
    ...['\u202e', '\u2066', '\u200f', '\u2028', '\ufeff', '\ud800', 'a-long-word-without-spaces'],
  ),
  minLength: 1,
  maxLength: 60,
})

const sizes = fc.constantFrom(
  ...([
    [40, 8],
    [80, 24],
    [97, 31],
    [120, 40],
    [200, 60],
    [12, 3],
  ] as const),
)

const wellFormed = (text: string) => text.replace(/\p{Surrogate}/gu, '?')

/** Keys that lead through every view, page, form and overlay. */
const WAYS: readonly (readonly string[])[] = [
  ...[['1'], ['1', 'enter'], ['1', 'G', 'enter'], ['2'], ['2', 'l', 'l', 'enter'], ['2', 'enter']],
  ...[['3'], ['3', 'enter'], ['3', 'g', 'enter'], ['4'], ['4', 'G', 'h'], ['?'], ['?', 'G']],
  ...[['d'], ['b'], ['s'], ['2', 'r'], ['2', 'x'], ['3', 'r'], ['1', 'p'], ['4', 'n'], ['4', 'm']],
  ...[
    ['C'],
    ['C', 'n'],
    ['T'],
    ['T', 'p', 'G'],
    ['2', 'T', 'p', '['],
    ['4', 'G', 'H'],
    ['4', 'G', 'T'],
  ],
  ...[[':'], [':', 's', 'e', 'n', 'd', ' '], ['/', 'a'], ['i'], ['S']],
]

it('[TUI-16] [TUI-1] whatever others write and is typed: no row is wider than the screen, none has a control in it', () => {
  fc.assert(
    fc.property(
      ...[hard, hard, hard, sizes, fc.boolean(), fc.boolean()],
      (name, text, typed, [columns, rows], plain, connected) => {
        const world = makeWorld({ agents: 3, tasks: 6, broadcasts: 3, files: 3 }, NOW, 7)
        const { doc, agents } = world
        const [me, other] = [agents[0]!, agents[1]!]
        // A peer that keeps to no rule writes straight into the document.
        doc.transact(() => {
          const record = doc.getMap<import('yjs').Map<unknown>>('agents').get(other)!
          record.set('name', name)
          record.set('machine', text)
          record.set('description', text)
          record.set('capabilities', [name, text])
          record.set('paused', { by: other, at: NOW, note: text })
        })
        addTask(doc, {
          ...{
            id: 't-hard' as TaskId,
            from: other,
            to: me,
            context: { [`x${name}`]: text },
          },
          ...{ description: wellFormed(`${text}x`), priority: 'high', now: NOW },
        })
        addNote(doc, world.tasks[0]!, other, wellFormed(`${text}x`), NOW)
        addBroadcast(doc, {
          ...{ id: 'm-hard' as BroadcastId, from: other, content: wellFormed(`${text}x`) },
          ...{ topic: 'general', tags: [], now: NOW },
        })
        putFile(doc, {
          ...{ key: 'a/日本語/very-long-name-of-a-file-that-is-somewhere.md', content: 'x' },
          ...{ base: null, by: other, now: NOW },
        })
        const attached = held(world)
        attached.set({ contact: { connected, since: NOW - 1_000, why: text } })
        const at = atDesk(attached, () => NOW, { columns, rows, plain })
        try {
          for (const way of WAYS) {
            at.keys('esc', 'esc', 'esc', 'esc', ...way)
            if (at.desk.look.state.mode.kind !== 'browse') at.desk.paste(typed)
            at.desk.toast('bad', text, name)
            const shown = at.rows()
            for (const row of shown) {
              const line = rowText(row)
              const where = `${way.join(' ')} at ${columns}×${rows}: ${JSON.stringify(line)}`
              expect(rowWidth(row), where).toBe(columns)
              expect(HARMFUL.test(line), where).toBe(false)
            }
            expect(shown.length).toBe(rows)
          }
        } finally {
          at.desk.close()
        }
      },
    ),
    { numRuns: 40 },
  )
})

it('[TUI-1] in random workspaces of every size each row is as wide as the screen, and cut text ends in an ellipsis', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000_000 }), sizes, (seed, [columns, rows]) => {
      const world = makeWorld({ ...SMALL, agents: 2 + (seed % 9), tasks: seed % 40 }, NOW, seed)
      const at = atDesk(held(world), () => NOW, { columns, rows })
      for (const way of WAYS) {
        at.keys('esc', 'esc', 'esc', ...way)
        for (const row of at.rows()) expect(rowWidth(row), `seed ${seed}`).toBe(columns)
      }
      at.keys('esc', 'esc', 'esc', '3')
      if (columns >= 120) at.keys('V')
      const { feed } = at.desk.look.snapshot
      const newest = feed.at(-1)!
      if (columns >= 80) {
        const line = at.lines().findLast((shown) => shown.trim() !== '' && !shown.includes('help'))!
        const words = newest.text.replace(/^delegated: /, '').slice(0, 12)
        expect(line).toContain(words)
        expect(
          /^delegated: /.test(newest.text) ||
            line.includes(newest.text) ||
            line.trimEnd().endsWith('…'),
        ).toBe(true)
      }
      at.desk.close()
    }),
    { numRuns: 40 },
  )
})

it('[TUI-18] a page tells all there is of its thing, also what this version does not know; what is gone is said', () => {
  const world = makeWorld(SMALL, NOW)
  const { doc } = world
  registerAgent(doc, {
    ...{ id: 'a-new' as AgentId, name: 'Ann', kind: 'person', capabilities: ['x', 'y'] },
    ...{ machine: 'mac', description: 'writes', topics: ['ci'], now: NOW },
  })
  const at = atDesk(held(world), () => NOW, { columns: 100, rows: 60 })
  at.keys('/')
  at.type('ann')
  at.keys('enter', 'enter')
  for (const text of ['Ann  person', 'mac', 'x, y', 'ci', 'writes', 'a-new', 'Open tasks: 0']) {
    expect(at.text()).toContain(text)
  }
  const { snapshot } = at.desk.look
  const task = snapshot.tasks.find(({ notes, context }) => notes.length > 0 && context !== null)!
  const shown = { ...task, task_id: 't-x', future_field: { a: 1 } } as unknown as typeof task
  const look = (id: string) => ({
    ...at.desk.look,
    snapshot: { ...snapshot, taskById: new Map([['t-x', shown]]) },
    state: { ...at.desk.look.state, pages: [{ kind: 'task' as const, id, top: 0 }] },
  })
  at.desk.look = look('t-x')
  for (const text of [task.task, 'future fiel', '{"a":1}', 'branch', 'Notes', 'History']) {
    expect(at.text()).toContain(text)
  }
  // A task that is not in the document may be in the archive.
  at.desk.look = look('t-gone')
  expect(at.text()).toContain('reading …')
  const error = { code: 'unknown_task', message: 'no task "t-gone"', hint: '', retryable: false }
  const read = { stamp: '', data: undefined, error: error as ErrorBody }
  at.desk.look = {
    ...look('t-gone'),
    reads: new Map([[nameOfNeed(['task', '--task=t-gone']), read]]),
  }
  expect(at.text()).toContain('no task "t-gone"')
  at.desk.close()
})
