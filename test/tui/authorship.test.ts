import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { putFile } from '../../workspace/files/put-file.ts'
import { fileSuggestion } from '../../workspace/suggestions/filing.ts'
import { atDesk } from '../support/tui/at-desk.ts'
import { held } from '../support/tui/attached.ts'
import { suggestionAnswers, undoAnswer } from '../support/tui/authorship.ts'
import { makeWorld, SMALL } from '../support/tui/world.ts'

const NOW = Date.UTC(2026, 10, 25, 12, 0, 0)

beforeEach(() => {
  vi.useFakeTimers({ now: NOW })
})
afterEach(() => {
  vi.useRealTimers()
})

const settle = () => vi.advanceTimersByTimeAsync(1)

const sit = () => {
  const world = makeWorld(SMALL, NOW)
  const attached = held(world)
  const seat = atDesk(attached, () => Date.now(), { columns: 120, rows: 40 })
  return { world, attached, ran: () => attached.ran.map(({ argv }) => argv.join(' ')), ...seat }
}

describe('suggestions', () => {
  const atSuggestions = async () => {
    const seat = sit()
    const answer = suggestionAnswers(NOW)
    seat.attached.answers = (argv) => ({ code: 0, data: answer(argv), stderr: '' })
    seat.keys('E')
    await settle()
    return seat
  }

  it('[TUI-56] are listed, those that wait first: of a file, for a task, by an agent', async () => {
    const { desk, keys, text, ran, lines } = await atSuggestions()
    expect(ran().at(-1)).toBe('file-suggestions --all')
    expect(text()).toContain('Suggestions by Lead')
    expect(text()).not.toContain('s-3')
    keys('4', 'G', 'E')
    await settle()
    expect(ran().at(-1)).toMatch(/^file-suggestions --all --key=/)
    expect(lines()[3]).toMatch(/s-3 +open +notes\.md +Builder +2\/3 !1 +2h +the words of the field/)
    expect(lines()[4]).toMatch(/s-2 +rejected +docs\/a\.md/)
    keys('a')
    expect(text()).toContain('open a suggestion first')
    keys('enter')
    await settle()
    expect(ran().at(-1)).toBe('file-suggestions --id=s-3')
    expect(text()).toContain('s-3 for notes.md by Builder')
    desk.close()
  })

  it('[TUI-57] one is a diff by hunks; a hunk is accepted by a key, the rest is rejected with a reason', async () => {
    const { desk, keys, type, text, ran, lines, attached } = await atSuggestions()
    keys('esc', '4', 'G', 'E')
    await settle()
    keys('enter')
    await settle()
    expect(lines()[1]).toMatch(/2h ago, on version 4 {2}open, 2 of 3 hunks waiting/)
    // The first hunk that waits is picked.
    expect(lines()[2]).toContain('hunk 2 of 3')
    expect(text()).toContain('to be accepted by Lead')
    expect(text()).toContain('accepted hunk 1 by Lead')
    expect(text()).toMatch(/hunk 2 {2}line 14 {2}moved with the text\s+\n-two\s+\n-2\s+\n\+due/)
    expect(text()).toContain('no longer applies: its lines were changed')
    keys('a')
    await settle()
    expect(ran()).toContain('file-accept --id=s-3 --hunks=2')
    expect(text()).toContain('hunk 2 of s-3 accepted')
    // What has changed is read again.
    expect(ran().filter((line) => line === 'file-suggestions --id=s-3').length).toBe(2)
    keys('left', 'a')
    expect(text()).toContain('hunk 1 is accepted already')
    keys('A')
    await settle()
    expect(ran()).toContain('file-accept --id=s-3')
    keys('right', 'x')
    expect(text()).toContain('Reject s-3#2')
    keys('esc', 'X')
    expect(text()).toMatch(/Reject s-3 /)
    keys('ctrl-s')
    expect(text()).toContain('Reason is missing')
    type('-not now')
    keys('ctrl-s')
    await settle()
    const rejected = attached.ran.find(({ argv: [verb] }) => verb === 'file-reject')!
    expect(rejected.argv).toEqual(['file-reject', '--id=s-3', '--reason', '-'])
    expect(rejected.stdin).toBe('-not now')
    desk.close()
  })
})

it('[TUI-57] in For me the hunks stand beside the list; one that is seen is judged from there', async () => {
  const world = makeWorld({ ...SMALL, tasks: 0 }, NOW)
  const [me, by] = world.agents
  putFile(world.doc, { key: 'notes.md', content: 'one\n', base: null, by: me!, now: 1 })
  fileSuggestion(world.doc, {
    ...{ key: 'notes.md', by: by!, now: 2, base: null, propose: () => 'two\n', note: 'so' },
    ...{ mayAccept: () => true, steps: 1e6, approver: me! },
  })
  const attached = held(world)
  const answer = suggestionAnswers(NOW)
  attached.answers = (argv) => ({ code: 0, data: answer(argv), stderr: '' })
  const { desk, keys, text } = atDesk(attached, () => Date.now(), { columns: 140, rows: 30 })
  const ran = () => attached.ran.map(({ argv }) => argv.join(' '))
  keys('0')
  await settle()
  expect(text()).toMatch(/hunk 2 {2}line 14/)
  keys('a')
  await settle()
  const id = ran()[0]!.split('=')[1]!
  expect(ran()).toContain(`file-accept --id=${id} --hunks=2`)
  keys('x')
  expect(text()).toContain(`Reject ${id}#2`)
  desk.close()
  // Where it cannot be seen, it is opened first.
  const narrow = atDesk(attached, () => Date.now(), { columns: 100, rows: 30 })
  narrow.keys('0', 'a')
  expect(narrow.desk.look.state.pages.at(-1)).toMatchObject({ kind: 'suggestion' })
  narrow.desk.close()
})

describe('taking back', () => {
  it('[TUI-58] shows first what would go and where it meets others’ work; then it is a question, and can be taken back', async () => {
    const { desk, keys, type, text, ran, attached } = sit()
    attached.answers = (argv) => ({
      ...{ code: 0, stderr: '' },
      data: argv[0] === 'undo' ? undoAnswer(argv.includes('--dry-run')) : {},
    })
    keys('1', 'g', 'Z')
    expect(text()).toContain('reading …')
    await settle()
    expect(ran()).toEqual([expect.stringMatching(/^undo --agent=a-\d+ --dry-run$/)])
    expect(text()).toMatch(/Take back the work of \S+/)
    expect(text()).toContain('2 files, 121 characters taken out, 4 put back, 1 overlap')
    expect(text()).toMatch(/overlap line 4 with Lead, somebody/)
    expect(text()).toContain('2 characters cannot come back')
    expect(text()).toContain('-by Scout')
    keys('Z')
    expect(text()).toMatch(/Take back the work of \S+\?/)
    expect(text()).toContain('notes.md, big.md')
    keys('enter')
    await settle()
    expect(ran().filter((line) => !line.includes('--dry-run'))).toEqual([])
    keys('Z', 'y', 'enter')
    await settle()
    expect(ran().filter((line) => !line.includes('--dry-run'))).toEqual([
      expect.stringMatching(/^undo --agent=a-\d+$/),
    ])
    expect(text()).toContain(':take-back u-123 takes that back')
    keys('esc', ':')
    type('take-back u-123')
    keys('enter')
    await settle()
    expect(ran().at(-1)).toBe('undo --id=u-123 --dry-run')
    keys('esc', 'esc', '2', 'Z')
    await settle()
    expect(ran().at(-1)).toMatch(/^undo --task=t-\d+ --dry-run$/)
    desk.close()
  })

  it('[TUI-58] a refusal is said on the page', async () => {
    const { desk, keys, text, attached } = sit()
    const error = { message: 'undoing the work of others takes the role admin', hint: 'ask one' }
    attached.answers = () => ({ code: 5, error: error as never, stderr: '' })
    keys('1', 'Z')
    await settle()
    expect(text()).toContain('takes the role admin')
    keys('Z')
    expect(text()).toContain('it is not read yet')
    desk.close()
  })
})
