import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { BroadcastId } from '../../protocol/ids.ts'
import { pickedForMe } from '../../tui/views/for-me.ts'
import { isoTime } from '../../workspace/document/schema.ts'
import { addBroadcast } from '../../workspace/messages/broadcasts.ts'
import type { Message } from '../../workspace/messages/message.ts'
import { moveTask } from '../../workspace/tasks/task-commands.ts'
import { addTask } from '../../workspace/tasks/tasks.ts'
import { atDesk } from '../support/tui/at-desk.ts'
import { held } from '../support/tui/attached.ts'
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

const direct = (id: string, content: string): Message => ({
  ...{ type: 'direct_message', message_id: id as never, from_agent: LEAD, to_agent: ME },
  ...{ timestamp: isoTime(NOW), content, topic: 'general', tags: [], reply_to: null },
})

/** A workspace in which a question, an approval, a task and a message wait for this person. */
const sit = async () => {
  const world = makeWorld({ ...SMALL, tasks: 0 }, NOW)
  const add = (name: string, more: object) =>
    addTask(world.doc, {
      ...{ id: `t-${name}` as never, from: ME, to: LEAD, context: null, description: name },
      ...{ priority: 'normal', now: NOW - 9_000, ...more },
    })
  add('asking', {})
  add('judged', { from: agentId('000000000002'), approver: ME })
  add('given', { from: LEAD, to: ME })
  add('anyone', { from: LEAD, to: null })
  add('others', { from: LEAD, to: agentId('000000000002') })
  settle(world.doc, worldAt(NOW))
  const move = (task: string, state: 'working' | 'input-required' | 'completed', message: string) =>
    moveTask(world.doc, {
      ...{ task: `t-${task}` as never, by: LEAD, state, message, key: `${task}${state}`, now: NOW },
    })
  move('asking', 'working', '')
  move('asking', 'input-required', 'Which language?')
  move('judged', 'working', '')
  move('judged', 'completed', 'all done')
  const attached = held(world)
  const at = atDesk(attached, () => Date.now(), { columns: 110 })
  addBroadcast(world.doc, {
    ...{ id: 'm-said' as BroadcastId, from: LEAD, to: ME, content: 'are you there?' },
    ...{ topic: 'general', tags: [], now: NOW },
  })
  const news = { ...direct('x', ''), type: 'file_updated', file_key: 'a.md' } as Message
  const forAll = { ...direct('m-all', 'x'), type: 'knowledge_broadcast' } as Message
  attached.set({ unread: [direct('m-said', 'are you there?'), news, forAll] })
  await vi.advanceTimersByTimeAsync(200)
  return { attached, ...at }
}

it('[TUI-64] (Confusing) what waits for me is one list, one key away, and the mark counts that alone', async () => {
  const { desk, keys, lines, text } = await sit()
  expect(lines()[0]).toContain('✉ 4 ')
  keys('2', 'enter', '0')
  expect(lines()[0]).toContain('[0 For me')
  const shown = lines().slice(2, 7)
  expect(shown[0]).toMatch(/answer .*Lead .*Which language\? \(asking\)/)
  expect(shown[1]).toMatch(/approve .*Lead .*all done \(judged\)/)
  expect(shown[2]).toMatch(/claim .*given/)
  expect(shown[3]).toMatch(/message .*are you there\?/)
  expect(shown[4]).toMatch(/open to all .*anyone/)
  expect(text()).not.toMatch(/others|a\.md/)
  desk.close()
})

it('[TUI-64] [TUI-65] (W2) each is answered, approved, claimed and replied to from there', async () => {
  const { desk, keys, type, attached, lines } = await sit()
  keys('0', 'r')
  type('Rust')
  keys('enter')
  await vi.advanceTimersByTimeAsync(0)
  keys('j', 'a')
  await vi.advanceTimersByTimeAsync(0)
  keys('j')
  expect(lines().at(-1)).toMatch(/c claim.*x decline/)
  keys('c')
  await vi.advanceTimersByTimeAsync(0)
  keys('j', 'r')
  type('yes')
  keys('enter')
  await vi.advanceTimersByTimeAsync(0)
  expect(attached.ran).toEqual([
    { argv: ['answer', '--task=t-asking', '--text', '-'], stdin: 'Rust' },
    { argv: ['approve', '--task=t-judged'], stdin: undefined },
    { argv: ['claim', '--task=t-given'], stdin: undefined },
    { argv: ['send', `--to=${LEAD}`, '--reply-to=m-said', '--content', '-'], stdin: 'yes' },
    // Whoever replies has read it: it waits no more.
    { argv: ['poll', '--id=m-said'], stdin: undefined },
  ])
  desk.close()
})

it('[TUI-65] (Confusing) reading marks read: a message, a task or a file that is opened', async () => {
  const { desk, keys, attached } = await sit()
  keys('0', 'G', 'k', 'enter')
  expect(attached.ran.at(-1)?.argv).toEqual(['poll', '--id=m-said'])
  attached.set({ unread: [{ ...direct('t-given', 'x'), type: 'task_delegation' } as Message] })
  await vi.advanceTimersByTimeAsync(200)
  keys('0', 'j', 'j', 'enter')
  expect(attached.ran.at(-1)?.argv).toEqual(['poll', '--id=t-given'])
  const count = attached.ran.length
  keys('esc', 'k', 'enter')
  expect(attached.ran).toHaveLength(count)
  desk.close()
})

it('[TUI-66] a message goes to several, by name or by mark; what is refused stays in the form', async () => {
  const { desk, keys, type, attached, text } = await sit()
  keys('1', 'g', '*', '*', '*', 's')
  expect(text()).toMatch(/To .*, /)
  keys('esc', 's', 'shift-tab', 'ctrl-u')
  type('Lead, Builder, Tester')
  keys('tab')
  type('stand up')
  attached.answers = (argv) =>
    argv.includes('--to=Builder')
      ? { code: 4, error: { message: 'no agent Builder', hint: '' } as never, stderr: '' }
      : { code: 0, data: {}, stderr: '' }
  keys('enter')
  await vi.advanceTimersByTimeAsync(0)
  expect(attached.ran.map(({ argv }) => argv[1])).toEqual(['--to=Lead', '--to=Builder'])
  expect(text()).toContain('no agent Builder')
  expect(text()).toContain('Builder, Tester')
  expect(text()).toContain('stand up')
  attached.answers = () => ({ code: 0, data: {}, stderr: '' })
  keys('enter')
  await vi.advanceTimersByTimeAsync(0)
  expect(attached.ran.map(({ argv }) => argv[1]).slice(2)).toEqual(['--to=Builder', '--to=Tester'])
  expect(desk.look.state.mode.kind).toBe('browse')
  desk.close()
})

it('[TUI-66] a command about marked tasks is carried out for each', async () => {
  const { desk, keys, attached } = await sit()
  keys('2')
  const open = desk.look.snapshot.tasks.filter(({ status }) => status === 'submitted')
  keys('*', '*', '*')
  expect(desk.look.state.marked.size).toBe(open.length)
  keys('X')
  keys('enter')
  await vi.advanceTimersByTimeAsync(0)
  const ids = attached.ran.map(({ argv }) => argv[1])
  expect(new Set(ids)).toEqual(new Set(open.map(({ task_id }) => `--task=${task_id}`)))
  expect(desk.look.state.marked.size).toBe(0)
  desk.close()
})

it('[TUI-67] a message is shown with the thread it is part of', async () => {
  const { desk, keys, attached, text, lines } = await sit()
  const say = (id: string, content: string, replyTo: string | undefined, at: number) =>
    addBroadcast(attached.doc, {
      ...{ id: id as BroadcastId, from: LEAD, content, topic: 'general', tags: [], now: NOW + at },
      ...(replyTo !== undefined && { replyTo: replyTo as BroadcastId }),
    })
  say('m-1', 'first words', undefined, 1)
  say('m-2', 'second words', 'm-1', 2)
  say('m-3', 'third words', 'm-2', 3)
  say('m-4', 'other words', undefined, 4)
  await vi.advanceTimersByTimeAsync(200)
  keys('3', 'k')
  expect(lines().find((line) => line.includes('third words'))).toContain('↳ third words')
  keys('enter')
  expect(text()).toContain('Thread of 3 messages')
  expect(text()).toMatch(/first words[\s\S]*second words[\s\S]*third words/)
  expect(text()).not.toContain('other words')
  desk.close()
})

describe('the words for what happens to a task', () => {
  const asks = (task: string, more: object): Message =>
    ({
      ...direct(`t-${task}`, ''),
      ...{ type: 'task_response', result: '', status: 'input-required', ...more },
    }) as Message

  it('[TUI-50] (wording) a message of a task says what its sender did, and the keys for it', async () => {
    const { desk, attached, text, keys } = await sit()
    const cases: [Message, RegExp][] = [
      [asks('asking', { result: 'Which language?' }), /Lead asks: Which language\?.*; r answers/],
      [
        asks('judged', { event: 'approval-asked', result: 'all done' }),
        /Lead asks for approval: all done.*a approves, x sends it back/,
      ],
      [
        {
          ...asks('judged', { event: 'approval-asked', text: '' }),
          type: 'task_update',
        } as Message,
        /Lead asks for approval: judged.*a approves, x sends it back/,
      ],
      // Another is to approve it.
      [asks('given', { event: 'approval-asked' }), /Lead asks for approval: given +enter/],
      [asks('others', { status: 'in_progress', result: '2 of 3' }), /Lead is at it: 2 of 3/],
      [asks('others', { status: 'completed' }), /Lead completed it: others/],
      [
        { ...direct('t-given', ''), type: 'task_delegation', task: 'dig' } as Message,
        /Lead gives you a task: dig/,
      ],
      [
        { ...direct('t-x', ''), type: 'task_delegation', task: 'dig', requires: [] } as Message,
        /Lead, open to anyone: dig/,
      ],
      [asks('gone', { status: 'later-word' }), /Lead later-word: t-gone/],
    ]
    for (const [message, words] of cases) {
      attached.arrive(message)
      expect(text().replace(/\n\s*/g, ' ')).toMatch(words)
      expect(text()).not.toMatch(/in_progress|input-required/)
      keys('esc')
    }
    desk.close()
  })

  it('[TUI-64] (wording) news names the task, not its id, nor a raw state', async () => {
    const { desk, attached, keys, text } = await sit()
    const news = asks('others', { status: 'in_progress', result: '2 of 3' })
    const more = asks('others', { status: 'in_progress', result: '3 of 3' })
    const sent = { ...asks('anyone', { event: 'sent-back', text: 'no' }), type: 'task_update' }
    attached.set({ unread: [news, more, sent as Message] })
    await vi.advanceTimersByTimeAsync(200)
    keys('0')
    expect(text()).toMatch(/news .*is at it: 2 of 3 \(others\)/)
    expect(text()).not.toMatch(/in_progress|t-others/)
    // Each is a line of its own, though they are of one task.
    keys('G')
    expect(pickedForMe(desk.look)?.text).toContain('3 of 3')
    keys('k')
    expect(pickedForMe(desk.look)?.text).toContain('2 of 3')
    desk.close()
  })

  it('[TUI-65] whoever does something about a task has read what was said of it', async () => {
    const { desk, attached, keys } = await sit()
    attached.set({ unread: [asks('judged', { event: 'approval-asked', result: 'all done' })] })
    await vi.advanceTimersByTimeAsync(200)
    keys('0', 'j', 'a')
    await vi.advanceTimersByTimeAsync(0)
    expect(attached.ran.map(({ argv }) => argv)).toEqual([
      ['approve', '--task=t-judged'],
      ['poll', '--id=t-judged'],
    ])
    expect(desk.look.state.toasts.map((toast) => toast.text)).toContain('approved: judged')
    desk.close()
  })

  it('[TUI-18] (wording) the page calls my own answer an answer, and each step by what was done', async () => {
    const { desk, attached, keys, text } = await sit()
    const seen = () =>
      text()
        .replace(/ *\n */g, '\n')
        .replace(/ +/g, ' ')
    keys('0', 'enter')
    expect(seen()).toMatch(/\nQuestion\nWhich language\?/)
    moveTask(attached.doc, {
      ...{ task: 't-asking' as never, by: ME, state: 'working', message: 'Rust' },
      ...{ key: 'said', now: NOW },
    })
    await vi.advanceTimersByTimeAsync(200)
    expect(seen()).toMatch(/\nAnswer\nRust/)
    expect(seen()).toMatch(
      /Lead ◐ claimed it\n.*Lead \? asks\nWhich language\?\n.*Scout ◐ answers\n/,
    )
    expect(seen()).not.toContain('Result')
    desk.close()
  })
})
