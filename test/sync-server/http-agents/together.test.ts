import { afterAll, beforeAll, expect, it } from 'vitest'
import type { BroadcastId } from '../../../protocol/ids.ts'
import { registerAgent } from '../../../workspace/agents/agents.ts'
import { archivedBroadcasts } from '../../../workspace/document/schema.ts'
import { addBroadcast } from '../../../workspace/messages/broadcasts.ts'
import { type Agent, registeredHere } from '../../support/agent.ts'
import { ask } from '../../support/auth/members.ts'
import { until } from '../../support/client.ts'
import { httpToken, Plain, polled } from '../../support/http-agents/plain-client.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'
import { fileClient } from '../../support/sync-server/file-client.ts'

let server: ServerAt
let httpAgent: Plain
let cli: Agent & { id: string }
beforeAll(async () => {
  server = await startHere()
  const [secret, agent] = await Promise.all([httpToken(server), registeredHere(server.url, 'Cleo')])
  httpAgent = new Plain(server.url, secret)
  cli = agent
  await httpAgent.post('/register', { agent_id: 'py-1', name: 'Pyton', capabilities: ['python'] })
})
afterAll(() => server.stop())

interface Messages {
  messages: { type: string; message_id: string; [field: string]: unknown }[]
}
/** Polls as the program does until a message of this type is there. */
const cliGets = async (type: string) => {
  const { messages } = await cli.ask<Messages>('poll', '--wait', '20', '--type', type)
  expect(messages).toHaveLength(1)
  return messages[0]!
}

it('[HTTP-2] a 1.x-only agent delegates to clawlink-agent, and is told how it goes', async () => {
  const { message_id, delivery } = await httpAgent.post('/delegate', {
    ...{ from_agent: 'py-1', to_agent: 'Cleo', task: 'find it', context: { in: 'docs' } },
    priority: 'urgent',
  })
  expect(delivery).toBe('websocket')
  expect(await cliGets('task_delegation')).toMatchObject({
    ...{ message_id, from_agent: 'py-1', to_agent: cli.id, task: 'find it' },
    ...{ context: { in: 'docs' }, priority: 'urgent' },
  })
  await cli.ask('claim', message_id)
  await cli.ask('respond', '--to', 'Pyton', '--msg-id', message_id, '--result', 'on page 3')
  const told = await polled(httpAgent, 'py-1', (all) =>
    all.some(({ status }) => status === 'completed'),
  )
  const answers = told.filter(({ type }) => type === 'task_response')
  expect(answers.map(({ status }) => status)).toEqual(['in_progress', 'completed'])
  expect(answers.at(-1)).toMatchObject({ message_id, from_agent: cli.id, result: 'on page 3' })
  const { task } = await cli.ask<{ task: object }>('task', message_id)
  expect(task).toMatchObject({ status: 'completed', from_agent: 'py-1', owner: cli.id })
})

it('[HTTP-2] clawlink-agent delegates to a 1.x-only agent, and waits for its answer', async () => {
  const { agents } = await cli.ask<{ agents: { name: string; status: string }[] }>('discover')
  expect(agents).toMatchObject([
    { name: 'Cleo', status: 'online' },
    { name: 'Pyton', status: 'online', agent_id: 'py-1', capabilities: ['python'] },
  ])
  const { task } = await cli.ask<{ task: { task_id: string } }>(
    ...(['delegate', '--to', 'Pyton', '--task', 'run it', '--approve-by', 'Cleo'] as const),
  )
  const [given] = await polled(httpAgent, 'py-1', (all) =>
    all.some(({ type }) => type === 'task_delegation'),
  )
  expect(given).toMatchObject({ message_id: task.task_id, task: 'run it', from_agent: cli.id })
  // Its receipts are as anybody's.
  await until('it is read', async () => {
    const { messages } = await cli.ask<Messages>('sent')
    return messages.some(({ message_id, state }) => message_id === task.task_id && state === 'read')
  })
  const respond = (result: unknown, status?: string) =>
    httpAgent.post('/respond', {
      ...{ from_agent: 'py-1', to_agent: cli.id, message_id: task.task_id, result },
      ...(status !== undefined && { status }),
    })
  expect(await respond('working on it', 'in_progress')).toMatchObject({ status: 'response_sent' })
  expect(await respond({ passed: 12 })).toMatchObject({ status: 'response_sent', http: 200 })
  await cli.ask('approve', task.task_id)
  expect((await cli.ask<{ task: object }>('task', task.task_id)).task).toMatchObject({
    ...{ status: 'completed', owner: 'py-1', result_json: { passed: 12 } },
  })
  // Finished is finished.
  expect(await respond('more')).toMatchObject({ http: 409, code: 'task_terminal' })
})

it('[HTTP-2] broadcasts and direct messages reach both sides', async () => {
  const sent = await httpAgent.post('/broadcast', {
    ...{ from_agent: 'py-1', content: 'use v2', topic: 'api', tags: ['x'] },
  })
  expect(sent.recipients).toBe(1)
  expect(await cliGets('knowledge_broadcast')).toMatchObject({
    ...{ message_id: sent.message_id, from_agent: 'py-1', content: 'use v2', topic: 'api' },
  })
  await cli.ask('broadcast', '--content', 'v2 is out', '--topic', 'api')
  await cli.ask('send', '--to', 'py-1', '--content', 'thanks')
  const got = await polled(httpAgent, 'py-1', (all) =>
    all.some(({ type }) => type === 'direct_message'),
  )
  expect(got.filter(({ type }) => /broadcast|direct/.test(type))).toMatchObject([
    { type: 'knowledge_broadcast', content: 'v2 is out', from_agent: cli.id },
    { type: 'direct_message', content: 'thanks', to_agent: 'py-1' },
  ])
})

const LINES = Array.from({ length: 20 }, (_, i) => `line ${i + 1}`)
const text = (change: Record<number, string> = {}): string =>
  LINES.map((line, i) => `${change[i + 1] ?? line}\n`).join('')

it('[HTTP-8] edits of both sides stand, and a put of what was never read is refused', async () => {
  await cli.runWith({ stdin: text() }, 'file-put', '--key', 'a/plan.md', '--file', '-')
  const key = { file_key: 'a/plan.md', agent_id: 'py-1' }
  const unread = await httpAgent.post('/files', { ...key, content: 'mine' })
  expect(unread).toMatchObject({ http: 409, code: 'no_base' })
  expect(await httpAgent.get('/files/a/plan.md')).toMatchObject({ version: 1, content: text() })
  // Meanwhile the other changes line 2, and then the httpAgent line 19 of what it has read.
  await cli.ask('file-edit', '--key', 'a/plan.md', '--find', 'line 2\n', '--replace', 'LINE 2\n')
  const put = await httpAgent.post('/files', { ...key, content: text({ 19: 'guest 19' }) })
  expect(put).toMatchObject({ http: 200, status: 'saved', version: 3 })
  const both = text({ 2: 'LINE 2', 19: 'guest 19' })
  expect((await httpAgent.get('/files/a/plan.md')).content).toBe(both)
  // It goes on with what it put, without having read what came of it, twice.
  await cli.ask('file-edit', '--key', 'a/plan.md', '--find', 'line 5\n', '--replace', 'LINE 5\n')
  await httpAgent.post('/files', { ...key, content: both.replace('line 10', 'guest 10') })
  await httpAgent.post('/files', {
    ...{ ...key, content: both.replace('line 10', 'guest 10').replace('line 11', 'guest 11') },
  })
  const got = await cli.run('file-get', '--key', 'a/plan.md')
  expect(got.stdout).toBe(
    text({ 2: 'LINE 2', 5: 'LINE 5', 10: 'guest 10', 11: 'guest 11', 19: 'guest 19' }),
  )
  // What both change is told, to both.
  await cli.ask('file-edit', '--key', 'a/plan.md', '--find', 'line 15', '--replace', 'cleo 15')
  const clash = await httpAgent.post('/files', {
    ...{ ...key, content: got.stdout.replace('line 15', 'guest 15') },
  })
  expect(clash).toMatchObject({ http: 200, conflicts: [{ by: cli.id }] })
  expect((await cliGets('direct_message')).content).toContain('you both changed')
  const { files } = await httpAgent.get('/files')
  expect(files).toMatchObject([{ file_key: 'a/plan.md', last_editor: 'py-1' }])
})

it('[HTTP-8] of what was handed to a token the oldest is the base of an agent that read nothing itself', async () => {
  await httpAgent.post('/register', { agent_id: 'py-2', name: 'Second' })
  const put = (agent_id: string, content: string) =>
    httpAgent.post('/files', { file_key: 'shared.md', agent_id, content })
  await put('py-1', text())
  // Nobody can tell whose reads these are.
  expect((await httpAgent.get('/files/shared.md')).version).toBe(1)
  await put('py-1', text({ 3: 'first 3' }))
  expect((await httpAgent.get('/files/shared.md')).version).toBe(2)
  expect((await put('py-2', text({ 18: 'second 18' }))).http).toBe(200)
  const whole = text({ 3: 'first 3', 18: 'second 18' })
  expect((await httpAgent.get('/files/shared.md?agent_id=py-2')).content).toBe(whole)
  // Each of two HTTP agents that write under the same token is told of the other's edit.
  const told = await polled(httpAgent, 'py-1', (all) =>
    all.some(({ type, from_agent }) => type === 'file_updated' && from_agent === 'py-2'),
  )
  expect(told.filter(({ type }) => type === 'file_updated').at(-1)).toMatchObject({
    ...{ file_key: 'shared.md', version: 3, last_editor: 'py-2' },
  })
})

it('[HTTP-2] a httpAgent that was away while broadcasts were archived gets each of them, once', async () => {
  await httpAgent.post('/register', { agent_id: 'py-3', name: 'Away' })
  await httpAgent.poll('py-3')
  const { doc, by, client } = await fileClient(`${server.sync}/default`, 'teller')
  registerAgent(doc, { id: by, name: 'T', capabilities: [], machine: '', description: '', now: 1 })
  const wanted = Array.from({ length: 2_200 }, (_, i) => `said ${i}`)
  for (const [i, content] of wanted.entries()) {
    const id = `m-${i.toString().padStart(12, '0')}` as BroadcastId
    addBroadcast(doc, { id, from: by, content, topic: 't', tags: [], now: Date.now() })
  }
  await client.barrier()
  await until('old ones are archived', () => archivedBroadcasts(doc) > 0)
  await client.close()
  const got = await polled(httpAgent, 'py-3', (all) => all.length >= wanted.length)
  const contents = got.flatMap(({ content }) => (content === undefined ? [] : [content as string]))
  expect(contents.sort()).toEqual(wanted.sort())
  expect(await httpAgent.poll('py-3')).toMatchObject({ http: 200, messages: [] })
})

it('[HTTP-11] [HTTP-25] a httpAgent is here while it asks, and gone after; a heartbeat writes nothing', async () => {
  const bytes = async () => {
    const answer = await globalThis.fetch(`${server.url}/metrics`, {
      headers: { authorization: `Bearer ${server.token}` },
    })
    return Number(/^clawlink_updates_total (\d+)/m.exec(await answer.text())?.[1])
  }
  await httpAgent.post('/heartbeat', { agent_id: 'py-1' })
  const before = await bytes()
  for (let i = 0; i < 20; i++) await httpAgent.post('/heartbeat', { agent_id: 'py-1' })
  expect(await bytes()).toBe(before)
  const { data } = await ask<{ agents: { agent_id: string; status: string }[] }>(
    server,
    '/api/workspaces/default/agents',
  )
  const py = data.agents.find(({ agent_id }) => agent_id === 'py-1')
  expect(py).toMatchObject({ status: 'online' })
})
