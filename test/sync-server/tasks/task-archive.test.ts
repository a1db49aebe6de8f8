import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Agent, registeredHere } from '../../support/agent.ts'
import { until } from '../../support/client.ts'
import { fetch, type Server, startServer } from '../../support/server.ts'

interface Task {
  task_id: string
  status: string
  message: string
  archived?: true
  notes: { text: string }[]
  blocked_by?: string[]
}

const ARGS = ['--archive-after', '0.00002'] // 1.7 s
let server: Server
let lead: Agent & { id: string }
let scout: Agent & { id: string }

beforeAll(async () => {
  server = await startServer({ args: ARGS })
  lead = await registeredHere(server.url, 'Lead')
  scout = await registeredHere(server.url, 'Scout')
})
afterAll(() => server.stop())

const give = async (...flags: string[]): Promise<string> =>
  (await lead.ask<{ task: Task }>('delegate', '--to', 'Scout', '--task', 'dig', ...flags)).task
    .task_id
const end = (id: string, result: string, status = 'completed', to = 'Lead') =>
  scout.ask('respond', '--to', to, '--msg-id', id, '--result', result, '--status', status)
const show = async (id: string) => (await lead.ask<{ task: Task }>('task', id)).task
const archived = (id: string) =>
  until(`${id} is archived`, async () => (await show(id)).archived === true, 60_000)

it('[TASK-16] ended tasks leave the document, and are found by id and in pages', async () => {
  const ids = [await give(), await give(), await give()]
  for (const [i, id] of ids.entries()) await end(id, `r${i}`)
  for (const id of ids) await archived(id)
  const { tasks } = await lead.ask<{ tasks: Task[] }>('tasks', '--state', 'completed')
  expect(tasks).toEqual([])
  const page = await lead.ask<{ tasks: Task[]; next: number }>(
    'tasks',
    '--archived',
    '--limit',
    '2',
  )
  const rest = await lead.ask<{ tasks: Task[] }>('tasks', '--archived', '--before', `${page.next}`)
  expect([...page.tasks, ...rest.tasks].map(({ task_id }) => task_id)).toEqual(ids.toReversed())
  expect(await show(ids[0]!)).toMatchObject({
    ...{ status: 'completed', message: 'r0' },
    history: [{ state: 'completed', by: scout.id, message: 'r0' }],
  })
  expect((await lead.run('task', ids[0]!)).stdout).toMatch(
    /^t-\w+ completed priority=normal archived\n/,
  )
  expect((await lead.run('wait', ids[0]!)).code).toBe(0)
})

it('[TASK-21] a command on an archived task answers what its key answered, or that the task has ended', async () => {
  const id = await give()
  const post = async (what: string, body: object) => {
    const answer = await fetch(`${server.url}/api/workspaces/default/tasks/${id}/${what}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ by: scout.id, ...body }),
    })
    return { http: answer.status, ...((await answer.json()) as object) }
  }
  const completed = { state: 'completed', message: 'r', key: 'k-1' }
  const claimed = await post('claim', { key: 'k-0' })
  const ended = await post('status', completed)
  expect(ended).toMatchObject({ http: 200, data: { task: { status: 'completed', message: 'r' } } })
  await archived(id)
  expect(await post('status', completed)).toEqual(ended)
  expect(await post('claim', { key: 'k-0' })).toMatchObject({
    ...{ http: 200, data: { task: { status: 'working', revision: 1 } } },
  })
  expect(claimed).toMatchObject({ data: { task: { status: 'working', revision: 1 } } })
  const refused = (code: string) => ({ http: 409, error: { code } })
  expect(await post('status', { ...completed, message: 'R' })).toMatchObject(refused('key_reused'))
  expect(await post('cancel', { key: 'k-0' })).toMatchObject(refused('key_reused'))
  expect(await post('status', { ...completed, key: 'k-2' })).toMatchObject(refused('task_terminal'))
  expect(await post('cancel', {})).toMatchObject(refused('task_terminal'))
  const cli = await scout.run('respond', '--to', 'Lead', '--msg-id', id, '--result', 'late')
  expect(cli).toMatchObject({ code: 4 })
  expect(cli.stderr).toContain(`${id} completed; a finished task stays as it is`)
})

it('[TASK-16] what comes after an archived task knows how that ended', async () => {
  const [good, bad] = [await give(), await give()]
  await end(good, 'r')
  await end(bad, 'r', 'failed')
  await archived(good)
  await archived(bad)
  const after = await give('--after', good)
  const fails = await give('--after', bad)
  await lead.ask('wait', fails)
  expect((await show(fails)).message).toBe(`${bad}, for which it waits, is failed`)
  await scout.ask('claim', after)
  await end(after, 'r')
})

it('[TASK-17] who was away over the archiving is told, once, though the server is killed in the midst', async () => {
  const away = await registeredHere(server.url, 'Away')
  const given = async () =>
    (await away.ask<{ task: Task }>('delegate', '--to', 'Scout', '--task', 'dig')).task.task_id
  const ids = [await given(), await given(), await given()]
  await away.ask('poll').catch(() => {})
  await away.ask('down')
  const { port, data } = server
  for (const [i, id] of ids.entries()) {
    await scout.ask('note', id, `n${i}`)
    await end(id, `r${i}`, 'completed', 'Away')
    if (i !== 1) continue
    await server.kill()
    server = await startServer({ port, data, args: ARGS })
  }
  for (const id of ids) await archived(id)
  const seen: string[] = []
  for (let i = 0; i < 3; i++) {
    const { messages } = await away.ask<{
      messages: { type: string; message_id: string; result?: string; text?: string }[]
    }>('poll')
    for (const { type, message_id, result, text } of messages) {
      if (ids.includes(message_id)) seen.push(`${type} ${message_id} ${result ?? text}`)
    }
  }
  const expected = ids.flatMap((id, i) => [`task_note ${id} n${i}`, `task_response ${id} r${i}`])
  expect(seen.sort()).toEqual(expected.sort())
})
