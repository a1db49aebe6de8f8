import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Args } from '../../agent/command/verb.ts'
import { readArgs } from '../../agent/verb-table/args.ts'
import type { Ran } from '../../client/resident/run.ts'
import { FORMS, type FormName, openForm, runOf } from '../../tui/control/forms.ts'
import type { Snapshot } from '../../tui/model/snapshot.ts'
import { lineOf } from '../../tui/terminal/line.ts'
import { atDesk } from '../support/tui/at-desk.ts'
import { held } from '../support/tui/attached.ts'
import { makeWorld, SMALL } from '../support/tui/world.ts'

const NOW = Date.UTC(2026, 10, 25, 12, 0, 0)

const sit = (registered = true) => {
  const attached = held(makeWorld(SMALL, NOW), registered)
  return { attached, ...atDesk(attached, () => NOW) }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const TASK = 't-000000000001'
const AGENT = 'a-000000000001'
const SUBJECTS: Partial<Record<FormName, string>> = {
  ...{ claim: TASK, release: TASK, approve: TASK, decline: TASK, respond: TASK, note: TASK },
  ...{ cancel: TASK, reply: 'm-000000000001', pause: AGENT, resume: AGENT },
  ...{ rename: 'docs/a.md', remove: 'docs/a.md', undo: 'docs/a.md', answer: TASK },
  ...{ accept: 's-3#2', reject: 's-3#2', 'take-back': `agent ${AGENT}` },
  ...{ restore: 'm1', 'restore-version': '3 a b.md', 'restore-file': 'm1 a b.md' },
}

/** What the form runs when this is typed. */
const runWith = (
  snapshot: Snapshot,
  name: FormName,
  values: Readonly<Record<string, string>>,
  subject = SUBJECTS[name] ?? '',
) => {
  const form = openForm(name, snapshot, subject, 'it')
  const fields = form.fields.map((field) => {
    const value = values[field.name]
    return value === undefined ? field : { ...field, line: lineOf(value) }
  })
  return runOf({ ...form, fields }, snapshot)
}

describe('what a form runs', () => {
  it('[TUI-6] each form is one command line of clawlink-agent', () => {
    const { desk } = sit()
    const { snapshot } = desk.look
    const from = snapshot.taskById.get(TASK)!.from_agent
    const sender = snapshot.feed.find(({ id }) => id === 'm-000000000001')!
    const cases: [FormName, Record<string, string>, string[], string?][] = [
      [
        ...(['register', { name: ' Ann ', description: '-d' }] as const),
        ['register', '--name=Ann', '--person', '--description=-d'],
      ],
      [
        'delegate',
        { task: 'x' },
        ['delegate', '--anyone', '--priority=normal', '--task', '-'],
        'x',
      ],
      [
        ...([
          'delegate',
          { to: '--json', task: '--x\ny', priority: 'high', deadline: '2h' },
        ] as const),
        ['delegate', '--to=--json', '--priority=high', '--deadline=2h', '--task', '-'],
        '--x\ny',
      ],
      [
        'delegate',
        { caps: 'a,b', task: 'x', context: '{}', after: TASK, 'approve-by': 'Lead' },
        [
          ...['delegate', '--caps=a,b', '--priority=normal', '--context={}', `--after=${TASK}`],
          ...['--approve-by=Lead', '--task', '-'],
        ],
        'x',
      ],
      ['claim', {}, ['claim', `--task=${TASK}`]],
      ['release', {}, ['release', `--task=${TASK}`]],
      ['approve', {}, ['approve', `--task=${TASK}`]],
      ['decline', { reason: 'no' }, ['decline', `--task=${TASK}`, '--reason', '-'], 'no'],
      [
        ...(['respond', { result: 'r', status: 'failed' }] as const),
        ['respond', `--to=${from}`, `--msg-id=${TASK}`, '--status=failed', '--result', '-'],
        'r',
      ],
      ['note', { text: '- n' }, ['note', `--task=${TASK}`, '--text', '-'], '- n'],
      ['cancel', {}, ['cancel', `--task=${TASK}`]],
      ['cancel', { reason: 'r' }, ['cancel', `--task=${TASK}`, '--reason', '-'], 'r'],
      ['broadcast', { content: 'c' }, ['broadcast', '--content', '-'], 'c'],
      [
        ...(['broadcast', { content: 'c', topic: 'ci', tags: 'a,b' }] as const),
        ['broadcast', '--topic=ci', '--tags=a,b', '--content', '-'],
        'c',
      ],
      ['send', { to: 'Lead', content: 'c' }, ['send', '--to=Lead', '--content', '-'], 'c'],
      [
        ...(['reply', { content: 'c' }] as const),
        ['broadcast', `--topic=${sender.topic}`, '--reply-to=m-000000000001', '--content', '-'],
        'c',
      ],
      [
        ...(['reply', { content: 'c', whom: 'the sender' }] as const),
        ['send', `--to=${sender.from}`, '--reply-to=m-000000000001', '--content', '-'],
        'c',
      ],
      ['status', { text: 'writing' }, ['status', '--set=writing']],
      ['pause', { note: 'wait' }, ['pause', `--name=${AGENT}`, '--note=wait']],
      ['resume', {}, ['resume', `--name=${AGENT}`]],
      ['new', { path: 'a b.md' }, ['file-put', '--key=a b.md', '--file', '-', '--new'], ''],
      ['rename', { to: 'b.md' }, ['file-mv', '--key=docs/a.md', '--to=b.md']],
      ['remove', { sure: 'yes' }, ['file-rm', '--key=docs/a.md', '--force']],
      ['undo', {}, ['file-restore', '--key=docs/a.md']],
      ['answer', { text: 'Rust' }, ['answer', `--task=${TASK}`, '--text', '-'], 'Rust'],
      ['read', {}, ['poll']],
      ['checkpoint', { name: 'm1', note: '-g' }, ['checkpoint', '--name=m1', '--note=-g']],
      ['restore', { sure: 'yes' }, ['restore', '--name=m1']],
      [
        ...(['restore-version', { sure: 'yes' }] as const),
        ['file-restore', '--key=a b.md', '--version=3'],
      ],
      [
        ...(['restore-file', { sure: 'yes' }] as const),
        ['file-restore', '--key=a b.md', '--checkpoint=m1'],
      ],
      ['accept', {}, ['file-accept', '--id=s-3', '--hunks=2']],
      [
        ...(['reject', { reason: 'no' }] as const),
        ['file-reject', '--id=s-3', '--hunks=2', '--reason', '-'],
        'no',
      ],
      ['take-back', { sure: 'yes' }, ['undo', `--agent=${AGENT}`]],
    ]
    for (const [name, values, argv, stdin] of cases) {
      const run = runWith(snapshot, name, values)!
      expect(run.argv, name).toEqual(argv)
      expect(run.stdin, name).toBe(stdin)
      expect(readArgs(run.argv).verb?.name).toBe(argv[0])
    }
    expect(new Set(cases.map(([name]) => name))).toEqual(new Set(Object.keys(FORMS)))
    // An answer to what happened to a task is a note on it.
    const happened = snapshot.feed.find(({ kind }) => kind === 'task')!
    const note = runWith(snapshot, 'reply', { content: 'c' }, happened.id)
    expect(note?.argv).toEqual(['note', `--task=${happened.task}`, '--text', '-'])
    desk.close()
  })

  const REJECTED = /is not a (number|value|time span|size)|^both --[\w-]+ and --[\w-]+ are given$/

  it('[TUI-6] whatever is typed, and whatever the ids are, is taken as it is', () => {
    const { desk } = sit()
    const { snapshot } = desk.look
    const hard = fc.oneof(
      fc.string({ minLength: 1, maxLength: 12 }),
      fc.constantFrom('--force', '--next', '-h', '--json', '--', '=x', '--to=x', 'claim'),
    )
    const names = Object.keys(FORMS) as FormName[]
    fc.assert(
      fc.property(fc.constantFrom(...names), hard, hard, (name, typed, subject) => {
        const form = openForm(name, snapshot, subject, 'it')
        const fields = form.fields.map((field) =>
          field.kind === 'choice' ? field : { ...field, line: lineOf(typed) },
        )
        const run = runOf({ ...form, fields }, snapshot)
        const blank = typed.trim() === ''
        if (blank || run === null) return
        const { argv, stdin } = run
        let args: Args
        try {
          args = readArgs(argv)
        } catch (error) {
          // A value of the wrong type, or two ways at once: the form shows it. Nothing was read as another flag.
          expect(error).toMatchObject({ code: 'usage', message: expect.stringMatching(REJECTED) })
          return
        }
        const { verb, values, has } = args
        expect(verb?.name).toBe(argv[0])
        expect(has).not.toContain('json')
        expect(has).not.toContain('next')
        expect(has).not.toContain('force')
        if (form.subject !== '' && values.has('task') && name !== 'delegate' && name !== 'reply') {
          expect(values.get('task')).toBe(subject)
        }
        if (stdin !== undefined) expect(stdin).toBe(typed)
      }),
    )
    desk.close()
  })
})

describe('a form', () => {
  it('[TUI-7] that is refused has all that was typed, and says why; it is sent once', async () => {
    const { attached, desk, keys, type, text } = sit()
    const answers: ((ran: Ran) => void)[] = []
    attached.answers = () => new Promise((resolve) => answers.push(resolve))
    keys('b')
    type('hello')
    keys('enter', 'enter', 'ctrl-s')
    type('!')
    expect(text()).toContain('on its way')
    expect(attached.ran).toHaveLength(1)
    const error = { code: 'slow_down', message: 'too many', hint: 'wait a bit' }
    answers[0]!({ code: 5, error: error as never, stderr: '' })
    await vi.advanceTimersByTimeAsync(0)
    expect(text()).toContain('too many — wait a bit')
    expect(text()).toContain('hello')
    type('!')
    expect(text()).not.toContain('too many')
    keys('enter')
    expect(attached.ran[1]?.stdin).toBe('hello!')
    answers[1]!({ code: 0, data: { durable: false }, stderr: '' })
    await vi.advanceTimersByTimeAsync(0)
    expect(desk.look.state.mode.kind).toBe('browse')
    expect(text()).toContain('queued until the server is back')
    desk.close()
  })

  it('[TUI-7] a command line that is refused comes back as its form, one that was left, too', async () => {
    const { attached, desk, keys, type, text } = sit()
    attached.answers = () => ({ code: 6, stderr: 'error: no server\n' })
    keys(':')
    type('send Lead which branch?')
    keys('enter')
    await vi.advanceTimersByTimeAsync(0)
    expect(attached.ran[0]).toEqual({
      ...{ argv: ['send', '--to=Lead', '--content', '-'], stdin: 'which branch?' },
    })
    expect(text()).toContain('Send a message')
    expect(text()).toContain('which branch?')
    expect(text()).toContain('no server')
    keys('enter', 'esc', 'b')
    type('something else')
    await vi.advanceTimersByTimeAsync(0)
    expect(text()).toContain('something else')
    expect(text()).toContain('✗ error: no server')
    keys('enter', 'esc')
    attached.answers = () => {
      throw new Error('broken')
    }
    await vi.advanceTimersByTimeAsync(0)
    expect(text()).toContain('Tell everybody')
    desk.close()
  })

  it('[TUI-7] what is missing is named; a click beside it, the wheel and a paste of lines lose nothing', () => {
    const { attached, desk, keys, type, text, click } = sit()
    keys('s', 'shift-tab', 'ctrl-u')
    keys('enter')
    expect(text()).toContain('To is missing')
    type('Lead')
    click('2 Tasks')
    desk.mouse({ kind: 'down', x: 3, y: 5 })
    expect(text()).toContain('Send a message')
    click('Text *')
    desk.paste('one\r\ntwo')
    keys('enter')
    expect(attached.ran[0]?.stdin).toBe('one\ntwo')
    keys('esc', 'b', 'tab')
    desk.paste('a\nb')
    expect(text()).toContain('a b')
    desk.close()
  })

  it('[TUI-11] who is not registered is asked who they are once, and watches after esc', async () => {
    const { attached, desk, keys, text, quits, click } = sit(false)
    expect(text()).toContain('Who are you?')
    click('2 Tasks')
    expect(text()).toContain('Who are you?')
    keys('esc')
    expect(quits()).toBe(0)
    expect(text()).toContain('watching')
    await vi.advanceTimersByTimeAsync(20_000)
    expect(desk.look.state.mode.kind).toBe('browse')
    keys('J', 'enter')
    expect(attached.ran[0]?.argv).toEqual(['register', '--name=ann', '--person'])
    await vi.advanceTimersByTimeAsync(0)
    expect(desk.look.state.mode.kind).toBe('browse')
    expect(text()).toContain('welcome, ann')
    desk.close()
    const other = sit(false)
    other.attached.set({ me: 'a-000000000000' as never })
    await vi.advanceTimersByTimeAsync(100)
    expect(other.desk.look.state.mode.kind).toBe('browse')
    other.desk.close()
  })
})

describe('removing, making and answering', () => {
  it('[TUI-47] enter removes nothing; who has the file open is named; yes removes it, and U brings it back', async () => {
    const { attached, desk, keys, text } = sit()
    const { files, me } = desk.look.snapshot
    const line = files.find(({ editors }) => editors.some((id) => id !== me))!
    const path = line.info.file_key
    keys('4', 'g')
    for (let i = 0; i < 40 && desk.look.state.selected.files !== path; i++) keys('j')
    keys('D')
    expect(text()).toContain(`Remove ${path}?`)
    expect(text()).toContain('Open now: ')
    expect(text()).toMatch(/Remove it\? +\[no\]/)
    keys('enter')
    expect(desk.look.state.mode.kind).toBe('browse')
    keys('D', 'y', 'n', 'enter', 'U')
    expect(attached.ran).toEqual([])
    expect(text()).toContain('you have removed no file')

    keys('D', 'y', 'enter')
    expect(attached.ran[0]?.argv).toEqual(['file-rm', `--key=${path}`, '--force'])
    await vi.advanceTimersByTimeAsync(0)
    expect(text()).toContain('U in the files brings it back')
    attached.answers = () => ({ code: 6, stderr: 'error: no server\n' })
    keys('U')
    await vi.advanceTimersByTimeAsync(0)
    attached.answers = () => ({ code: 0, data: {}, stderr: '' })
    keys('U')
    expect(attached.ran[2]?.argv).toEqual(['file-restore', `--key=${path}`])
    await vi.advanceTimersByTimeAsync(0)
    keys('U')
    expect(attached.ran).toHaveLength(3)
    desk.close()
  })

  it('[TUI-46] a new file is one that was not there, and is open then, whatever was filtered or closed', async () => {
    const { attached, desk, keys, type, text } = sit()
    keys('4', '/')
    desk.paste('nothing has this')
    keys('enter', 'n')
    type('plan.md')
    const error = { code: 'file_exists', message: 'there is a file plan.md already', hint: '' }
    attached.answers = () => ({ code: 4, error: error as never, stderr: '' })
    keys('enter')
    await vi.advanceTimersByTimeAsync(0)
    expect(attached.ran[0]?.argv).toContain('--new')
    expect(text()).toContain('there is a file plan.md already')
    const data = { file: { file_key: 'plan.md' } }
    attached.answers = () => ({ code: 0, data, stderr: '' })
    keys('ctrl-s')
    await vi.advanceTimersByTimeAsync(0)
    expect(desk.look.state).toMatchObject({
      ...{ view: 'files', selected: { files: 'plan.md' }, filters: { files: '' } },
      pages: [{ kind: 'editor', path: 'plan.md' }],
    })
    desk.close()
  })

  it('[TUI-48] a question that an agent asks me is answered with r, and only that', () => {
    const { attached, desk, keys, type, text } = sit()
    const { tasks } = desk.look.snapshot
    const asks = tasks.find(({ status }) => status === 'input-required')!
    attached.set({ me: asks.from_agent })
    vi.advanceTimersByTime(200)
    keys('2')
    keys('/')
    desk.paste(`id:${asks.task_id}`)
    keys('enter', 'j')
    expect(text()).toContain('r answer')
    keys('r')
    expect(text()).toContain(' asks: ')
    type('in Rust')
    keys('enter')
    expect(attached.ran[0]).toEqual({
      ...{ argv: ['answer', `--task=${asks.task_id}`, '--text', '-'], stdin: 'in Rust' },
    })
    keys('esc')
    attached.set({ me: asks.owner })
    vi.advanceTimersByTime(200)
    keys('r')
    expect(text()).toContain('Respond to')
    desk.close()
  })
})
