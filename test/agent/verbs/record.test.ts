import { cpSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { StoryEvent } from '../../../protocol/story.ts'
import { type Agent, registeredHere } from '../../support/agent.ts'
import { startHere } from '../../support/in-process.ts'
import { type ServerAt, tempDir } from '../../support/server.ts'

let server: ServerAt
let ann: Agent & { id: string }
let bob: Agent & { id: string }
beforeAll(async () => {
  server = await startHere()
  ann = await registeredHere(server.url, 'Ann')
  bob = await registeredHere(server.url, 'Bob', 'alone-here')
})
afterAll(() => server.stop())

interface Story {
  events: StoryEvent[]
  more: boolean
}

const story = async (who: Agent, ...more: string[]) =>
  (await who.ask<Story>('record', 'show', ...more)).events.map(({ kind, agent_id, text }) => [
    kind,
    agent_id,
    text,
  ])

it('[RECORD-11] record show tells what happened, by agent, task and file', async () => {
  await ann.ask('broadcast', '--content', 'we begin', '--topic', 'plan')
  await ann.ask('send', '--to', bob.id, '--content', 'for you alone')
  await ann.ask('file-append', 'plan.md', 'one\n')
  const { task } = await ann.ask<{ task: { task_id: string } }>(
    ...(['delegate', '--to', bob.id, '--task', 'write two'] as const),
  )
  await bob.ask('claim', '--task', task.task_id)
  await bob.ask('file-append', 'plan.md', 'two\n')
  await bob.ask('file-append', 'other.md', 'three\n')
  const said = ['message', ann.id, 'said on plan: we begin']
  const secret = ['message', ann.id, `wrote to ${bob.id}: for you alone`]
  const first = ['file', ann.id, 'changed plan.md to version 1: +1 -0 lines']
  const second = ['file', bob.id, 'changed plan.md to version 2: +1 -0 lines']
  const steps = [
    ['task', ann.id, 'asked for: write two'],
    ['task', bob.id, 'working'],
  ]
  const whole = await story(ann)
  for (const event of [said, secret, first, second, ...steps]) expect(whole).toContainEqual(event)
  expect(await story(bob)).toContainEqual(secret)
  const cara = await registeredHere(server.url, 'Cara', 'alone-here')
  expect(await story(cara)).not.toContainEqual(secret)

  expect(await story(ann, '--file', 'plan.md')).toEqual([first, second])
  expect(new Set((await story(ann, '--agent', 'Bob')).map(([, by]) => by))).toEqual(
    new Set([bob.id]),
  )
  const forTask = await story(ann, '--task', task.task_id)
  expect(forTask).toContainEqual(['edit', bob.id, 'edited plan.md: +4 -0 characters'])
  expect(forTask).toContainEqual(['edit', bob.id, 'edited other.md: +6 -0 characters'])
  for (const step of steps) expect(forTask).toContainEqual(step)
  const { stdout } = await bob.atLink('record', 'show', '--file', 'other.md')
  expect(stdout).toMatch(/^20\S+ \S+ \(Bob\) changed other\.md to version 1: \+1 -0 lines\n$/)
})

it('[RECORD-10] record verify finds that the server went back to an older log, also after it went on', async () => {
  interface Verified {
    witnesses: { result: string; seq: number; file: string }[]
  }
  await bob.ask('file-append', 'plan.md', 'three\n')
  expect((await bob.ask<Verified>('record', 'verify')).witnesses).toMatchObject([
    { result: 'continued' },
  ])
  await server.stop()
  const copy = tempDir('rolled-back')
  cpSync(server.data, copy, { recursive: true })
  const { port, data } = server
  server = await startHere({ data, port })
  for (const text of ['four\n', 'five\n']) await bob.ask('file-append', 'plan.md', text)
  await server.stop()

  server = await startHere({ data: copy, port })
  const rolledBack = await bob.run('record', 'verify')
  expect(rolledBack.code, rolledBack.stderr).toBe(5)
  expect(rolledBack.stderr).toMatch(/the log of the server is not the one that this profile saw/)
  const dora = await registeredHere(server.url, 'Dora', 'alone-here')
  for (let i = 0; i < 5; i++) await dora.ask('file-append', 'other.md', 'more\n')
  const wentOn = await bob.run('record', 'verify')
  expect(wentOn.code).toBe(5)
  expect(wentOn.stderr).toMatch(/record \d+ or an earlier one is not the one that this profile saw/)
})
