import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import type { AgentId } from '../../protocol/ids.ts'
import { statusRow } from '../../tui/editor/status.ts'
import { rowText } from '../../tui/ui/rows.ts'
import { registerAgent } from '../../workspace/agents/agents.ts'
import { putFile } from '../../workspace/files/put-file.ts'
import { moveTask } from '../../workspace/tasks/task-commands.ts'
import { addTask } from '../../workspace/tasks/tasks.ts'
import { root } from '../support/server.ts'
import { atDesk } from '../support/tui/at-desk.ts'
import { held } from '../support/tui/attached.ts'
import { open } from '../support/tui/editor-session.ts'
import { makeWorld, SMALL } from '../support/tui/world.ts'
import { agentId, settle, worldAt } from '../support/workspace/replicas.ts'

const NOW = Date.UTC(2026, 10, 25, 12, 0, 0)
const ME = agentId('000000000000')
const LEAD = agentId('000000000001')

beforeEach(() => {
  vi.useFakeTimers({ now: NOW })
})
afterEach(() => {
  vi.useRealTimers()
})

/** The largest number of keys that the table of docs/tui.md gives to a task of a person. */
const allowed = (task: string): number => {
  const page = readFileSync(join(root, 'docs/tui.md'), 'utf8')
  const row = page.split('\n').find((line) => line.startsWith(`| ${task}`))
  expect(row, task).toBeDefined()
  return Number(row!.split('|')[2])
}

/** A workspace in which one task waits, in the view that is furthest away, with a page open. */
const sit = async (
  task: object,
  moves: readonly (readonly ['working' | 'input-required' | 'completed', string])[],
) => {
  const world = makeWorld({ ...SMALL, tasks: 0 }, NOW)
  addTask(world.doc, {
    ...{ id: 't-one' as never, from: ME, to: LEAD, context: null, description: 'the task' },
    ...{ priority: 'normal', now: NOW - 9_000, ...task },
  })
  settle(world.doc, worldAt(NOW))
  for (const [state, message] of moves) {
    moveTask(world.doc, { task: 't-one' as never, by: LEAD, state, message, key: state, now: NOW })
  }
  const attached = held(world)
  const at = atDesk(attached, () => Date.now())
  at.keys('3', 'enter')
  await vi.advanceTimersByTimeAsync(200)
  return { attached, ...at }
}

const pressed = async (at: { keys: (...keys: string[]) => void }, keys: readonly string[]) => {
  at.keys(...keys)
  await vi.advanceTimersByTimeAsync(0)
  return keys.length
}

it('[TUI-84] answer a question, from anywhere', async () => {
  const at = await sit({}, [
    ['working', ''],
    ['input-required', 'Which?'],
  ])
  let count = await pressed(at, ['0', 'r'])
  at.type('Rust')
  count += await pressed(at, ['enter'])
  expect(at.attached.ran.map(({ argv }) => argv[0])).toEqual(['answer'])
  expect(count).toBeLessThanOrEqual(allowed('answer a question'))
  at.desk.close()
})

it('[TUI-84] approve a result, from anywhere', async () => {
  const at = await sit({ approver: ME, from: agentId('000000000002') }, [
    ['working', ''],
    ['completed', 'done'],
  ])
  const count = await pressed(at, ['0', 'a'])
  expect(at.attached.ran.map(({ argv }) => argv)).toEqual([['approve', '--task=t-one']])
  expect(count).toBeLessThanOrEqual(allowed('approve a result'))
  at.desk.close()
})

it('[TUI-84] open a file by four letters of its name', async () => {
  const at = await sit({}, [])
  for (const { info } of at.desk.look.snapshot.files) {
    const name = info.file_key.slice(info.file_key.lastIndexOf('/') + 1)
    const letters = [...`${name.slice(0, 3)}${name.match(/\d/)![0]}`]
    const count = await pressed(at, ['f', ...letters, 'enter'])
    expect(at.desk.look.state.pages.at(-1)).toEqual({ kind: 'editor', path: info.file_key })
    expect(count).toBeLessThanOrEqual(allowed('open a file by four letters'))
    at.desk.leavePage()
  }
  at.desk.close()
})

it('[TUI-84] undo a deletion', async () => {
  const at = await sit({}, [])
  at.keys('4', 'G', 'D', 'y', 'enter')
  await vi.advanceTimersByTimeAsync(0)
  at.keys('2')
  const count = await pressed(at, ['4', 'U'])
  expect(at.attached.ran.map(({ argv }) => argv[0])).toEqual(['file-rm', 'file-restore'])
  expect(count).toBeLessThanOrEqual(allowed('undo a deletion'))
  at.desk.close()
})

it('[TUI-84] find who wrote a line', () => {
  const doc = new Y.Doc()
  const ann = 'a-ann' as AgentId
  registerAgent(doc, {
    ...{ id: ann, name: 'Ann', capabilities: [], machine: '', description: '', now: 0 },
  })
  putFile(doc, { key: 'a.md', content: 'one', base: null, by: ann, now: 0 })
  const { session, keys } = open(doc, 'a.md', ann)
  keys('ctrl-t')
  expect(rowText(statusRow(session, 100))).toContain('by Ann')
  expect(1).toBeLessThanOrEqual(allowed('find who wrote a line'))
  session.close()
})

it('[TUI-84] invite somebody', async () => {
  const at = await sit({}, [])
  at.attached.answers = () => ({ code: 0, data: { link: 'http://x/#i=cli_1' }, stderr: '' })
  const count = await pressed(at, ['i'])
  expect(at.copied()).toEqual(['http://x/#i=cli_1'])
  expect(count).toBeLessThanOrEqual(allowed('invite somebody'))
  at.desk.close()
})
