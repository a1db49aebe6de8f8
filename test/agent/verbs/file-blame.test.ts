import { afterAll, beforeAll, expect, it } from 'vitest'
import type { FileBlame } from '../../../client/http/api.ts'
import { type Agent, registeredHere } from '../../support/agent.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'

let server: ServerAt
let ann: Agent & { id: string }
let bob: Agent & { id: string }
beforeAll(async () => {
  server = await startHere()
  ann = await registeredHere(server.url, 'Ann')
  bob = await registeredHere(server.url, 'Bob', 'alone-here')
})
afterAll(() => server.stop())

const blame = (who: Agent, ...more: string[]) =>
  who.ask<FileBlame>('file-blame', '--key', 'plan.md', ...more)

it('[BLAME-6] file-blame says whose each line is, when and for which task, on both ways', async () => {
  await ann.ask('file-append', 'plan.md', 'one\ntwo\nthree')
  const delegated = await ann.ask<{ task: { task_id: string } }>(
    ...(['delegate', '--to', bob.id, '--task', 'write two'] as const),
  )
  const { task_id } = delegated.task
  await bob.ask('claim', '--task', task_id)
  await bob.ask('file-get', '--key', 'plan.md')
  await bob.ask('file-edit', '--key', 'plan.md', '--find', 'two', '--replace', 'number two')
  const { ranges, version } = await blame(ann)
  expect(version).toBe(2)
  const anns = { agent_id: ann.id, task_id: null, via: null, at: expect.stringMatching(/^20/) }
  const bobs = { agent_id: bob.id, task_id, via: null, at: expect.stringMatching(/^20/) }
  expect(ranges).toEqual([
    { from_line: 1, to_line: 1, ...anns },
    {
      ...{ from_line: 2, to_line: 2, ...bobs },
      parts: [{ from_column: 8, to_column: 10, text: 'two', ...anns }],
    },
    { from_line: 3, to_line: 3, ...anns },
  ])
  expect((await blame(bob, '--lines', '2-2')).ranges).toEqual([ranges[1]])
  const { stdout } = await bob.atLink('file-blame', '--key', 'plan.md')
  const [a, b] = [ranges[0]!.at, ranges[1]!.at]
  expect(stdout).toBe(
    [
      'plan.md version 2',
      `line 1  ${ann.id} (Ann)  ${a}`,
      `line 2  ${bob.id} (Bob)  task ${task_id}  ${b}`,
      `  columns 8-10  ${ann.id} (Ann)  ${a}  "two"`,
      `line 3  ${ann.id} (Ann)  ${a}`,
      '',
    ].join('\n'),
  )
})

it('[BLAME-7] file-blame --deleted shows what is gone, and by whom', async () => {
  await ann.ask('file-get', '--key', 'plan.md')
  await ann.ask('file-edit', '--key', 'plan.md', '--find', 'number two', '--replace', '2')
  const { deleted } = await blame(bob, '--deleted')
  const gone = deleted!.filter(({ agent_id }) => agent_id === ann.id)
  expect(gone.map(({ line, author_id, text }) => [line, author_id, text])).toEqual([
    [2, bob.id, 'number '],
    [2, ann.id, 'two'],
  ])
  const { stdout } = await bob.atLink('file-blame', '--key', 'plan.md', '--deleted')
  expect(stdout).toMatch(
    /^line 2 {2}deleted by \S+ \(Ann\) {2}20\S+ {2}of \S+ \(Bob\) {2}"number "$/m,
  )
  expect(stdout).toMatch(/^line 2 {2}deleted by \S+ \(Ann\) {2}20\S+ {2}their own {2}"two"$/m)
  const missing = await ann.atLink('file-blame', '--key', 'nothing.md', '--json')
  expect([missing.code, missing.json().error?.code]).toEqual([3, 'unknown_file'])
})
