import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Agent, agentHere } from '../../support/agent.ts'
import { invite } from '../../support/auth/members.ts'
import { until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { type ServerAt, tempDir } from '../../support/server.ts'

interface Message {
  type: string
  message_id: string
  [field: string]: unknown
}
type Poll = { messages: Message[]; count: number }

let server: ServerAt
let lead: Agent
let scout: Agent
let scoutId: string
let leadId: string

beforeAll(async () => {
  server = await startHere()
  lead = agentHere()
  scout = agentHere()
})
afterAll(() => server.stop())

/** Runs it, expects success, and gives its stdout. */
const text = async (who: Agent, ...args: string[]): Promise<string> => {
  const ran = await who.run(...args)
  expect(ran, args.join(' ')).toMatchObject({ code: 0 })
  return ran.stdout
}

it('[CLI-1] two agents register; the server is remembered, the identity is private', async () => {
  const line = await text(
    lead,
    ...['--relay', server.url, 'register', '--name', 'Lead', '--caps', 'plan,review'],
    ...['--description', 'plans things'],
  )
  leadId = /a-[0-9a-z]{12}/.exec(line)![0]
  expect(line).toBe(`registered Lead as ${leadId} in default of ${server.url}\n`)
  // ClawLink 1.x's way in: a token, here an invite, as on another machine.
  const token = await invite(server, { workspace: 'default', role: 'write' })
  const far = await scout.runWith(
    { env: { CLAWLINK_RUN_DIR: tempDir('run') } },
    ...['--relay', server.url, '--token', token, 'register', '--name', 'Scout', '--caps', 'web'],
  )
  expect(far).toMatchObject({ code: 0 })
  scoutId = /a-[0-9a-z]{12}/.exec(far.stdout)![0]
  expect(scoutId).not.toBe(leadId)

  const file = join(lead.home, 'agent_state.json')
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
    agent_id: leadId,
    name: 'Lead',
    server: server.url,
    workspace: 'default',
  })
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

it('[CLI-5] registering again keeps the id and changes what is known', async () => {
  const again = await lead.ask<{ agent: object }>('register', '--name', 'Lead', '--caps', 'plan')
  expect(again.agent).toMatchObject({ agent_id: leadId, capabilities: ['plan'], description: '' })
})

it('[CLI-1] discover shows both, with status, machine and capabilities', async () => {
  const discover = () => lead.ask<{ agents: { status: string }[]; count: number }>('discover')
  // The link of one hears of the other's presence a moment later.
  await until('both are online', async () =>
    (await discover()).agents.every(({ status }) => status === 'online'),
  )
  const { agents, count } = await discover()
  expect(count).toBe(2)
  expect(agents).toMatchObject([
    { agent_id: leadId, name: 'Lead', capabilities: ['plan'], status: 'online' },
    { agent_id: scoutId, name: 'Scout', capabilities: ['web'], status: 'online' },
  ])
  for (const one of agents) {
    expect(one).toMatchObject({
      machine: expect.any(String),
      description: expect.any(String),
      registered_at: expect.stringMatching(/Z$/),
      last_heartbeat: expect.stringMatching(/Z$/),
    })
  }
  const lines = (await text(scout, 'discover')).trimEnd().split('\n')
  expect(lines).toHaveLength(2)
  expect(lines[1]).toMatch(new RegExp(`^${scoutId}  Scout  online  .*  web$`))
})

it('[CLI-1] delegate, poll, respond in_progress, respond completed, poll', async () => {
  await lead.run('poll')
  const delegated = await text(
    lead,
    ...['delegate', '--to', scoutId, '--task', 'find the changelog'],
    ...['--context', '{"repo":"clawlink"}', '--priority', 'high'],
  )
  const id = /t-[0-9a-z]{12}/.exec(delegated)![0]

  const polled = await text(scout, 'poll')
  expect(polled).toContain(
    `task_delegation ${id} from ${leadId} (Lead) priority=high context={"repo":"clawlink"} task: find the changelog\n`,
  )
  expect(await scout.ask<Poll>('poll')).toMatchObject({ messages: [], count: 0 })

  const responding = ['respond', '--to', leadId, '--msg-id', id, '--result']
  expect(await text(scout, ...responding, 'looking', '--status', 'in_progress')).toBe(
    `${id} is working\n`,
  )
  expect(await text(scout, ...responding, 'in docs/', '--status', 'completed')).toBe(
    `${id} completed\n`,
  )
  const { messages } = await lead.ask<Poll>('poll')
  expect(messages).toMatchObject([
    {
      type: 'task_response',
      message_id: id,
      from_agent: scoutId,
      to_agent: leadId,
      result: 'looking',
      status: 'in_progress',
    },
    { type: 'task_response', message_id: id, result: 'in docs/', status: 'completed' },
  ])
})

it('[CLI-1] a delegation by name carries 1.x fields', async () => {
  const { task } = await lead.ask<{ task: Message }>('delegate', '--to', 'scout', '--task', 'two')
  expect(task).toMatchObject({ task_id: task.message_id, priority: 'normal', status: 'submitted' })
  const { messages } = await scout.ask<Poll>('poll')
  expect(messages).toEqual([
    {
      type: 'task_delegation',
      message_id: task.message_id,
      from_agent: leadId,
      to_agent: scoutId,
      timestamp: expect.stringMatching(/Z$/),
      task: 'two',
      context: null,
      priority: 'normal',
    },
  ])
})

it('[CLI-1] a broadcast with topic and tags reaches the other and not its sender', async () => {
  const said = await scout.ask<{ message: Message; recipients: number }>(
    ...['broadcast', '--content', 'main is\nfrozen \u001b[31m', '--topic', 'release'],
    ...['--tags', 'ci,main'],
  )
  expect(said.recipients).toBe(1)
  const polled = await text(lead, 'poll')
  expect(polled).toBe(
    `knowledge_broadcast ${said.message.message_id} from ${scoutId} (Scout) ` +
      'topic=release tags=ci,main content:\n    main is\n    frozen \\u001b[31m\n',
  )
  expect(await scout.ask<Poll>('poll')).toMatchObject({ count: 0 })
})

it('[CLI-1] both edit different lines from the same base, both put: both edits are in the file', async () => {
  const [mine, theirs] = [join(lead.cwd, 'plan.md'), join(scout.cwd, 'plan.md')]
  writeFileSync(mine, 'one\ntwo\nthree\n')
  await text(lead, 'file-put', '--key', 'notes/plan.md', '--file', 'plan.md', '--type', 'text')
  await text(
    scout,
    '--token',
    'as-for-1.x',
    'file-get',
    '--key',
    'notes/plan.md',
    '--output',
    'plan.md',
  )
  expect(readFileSync(theirs, 'utf8')).toBe('one\ntwo\nthree\n')

  writeFileSync(mine, 'ONE\ntwo\nthree\n')
  writeFileSync(theirs, 'one\ntwo\nTHREE\n')
  await text(lead, 'file-put', '--key', 'notes/plan.md', '--file', 'plan.md')
  const put = await scout.ask<{ conflicts: object[] }>(
    ...['file-put', '--key', 'notes/plan.md', '--file', 'plan.md'],
  )
  expect(put.conflicts).toEqual([])
  expect(await text(lead, 'file-get', '--key', 'notes/plan.md')).toBe('ONE\ntwo\nTHREE\n')

  const { files } = await lead.ask<{ files: object[] }>('file-list')
  expect(files).toMatchObject([
    { file_key: 'notes/plan.md', version: 3, last_editor: scoutId, size: 14 },
  ])
  // Lead has read the file since; what is left to tell is that both changes are close.
  expect(await lead.ask<Poll>('poll')).toMatchObject({ messages: [{ type: 'look_together' }] })
})

it('[FILE-2] what both changed in one line is kept and reported', async () => {
  const put = ['file-put', '--key', 'notes/plan.md', '--file', 'plan.md']
  for (const who of [lead, scout]) {
    await text(who, 'file-get', '--key', 'notes/plan.md', '--output', 'plan.md')
  }
  writeFileSync(join(lead.cwd, 'plan.md'), 'ONE\ntwo by lead\nTHREE\n')
  writeFileSync(join(scout.cwd, 'plan.md'), 'ONE\ntwo by scout\nTHREE\n')
  await text(lead, ...put)
  const ran = await scout.run(...put, '--json')
  expect(ran.json().data?.conflicts).toMatchObject([{ by: leadId }])
  expect(ran.stderr).toMatch(/^conflict in notes\/plan\.md, lines \d+-\d+: a-/)
  const merged = await text(lead, 'file-get', '--key', 'notes/plan.md')
  expect(merged).toContain('two by lead')
  expect(merged).toContain('two by scout')
})

it('[CLI-1] heartbeat, info, scan, whoami', async () => {
  expect(await text(lead, 'heartbeat')).toBe(`${leadId} is online\n`)
  expect(await lead.ask('info')).toMatchObject({
    server: { url: server.url, service: 'clawlink-sync', workspaces: ['default'] },
  })
  const { servers } = await lead.ask<{ servers: object[] }>('scan')
  expect(servers).toContainEqual(expect.objectContaining({ url: server.url }))
  expect(await lead.ask('whoami')).toMatchObject({ agent_id: leadId, profile: 'default' })
})

it('[CLI-5] two profiles of one home are two agents', async () => {
  const { agent_id } = await lead.ask<{ agent_id: string }>(
    ...['--as', 'second', '--relay', server.url, 'register', '--name', 'Second'],
  )
  expect(agent_id).not.toBe(leadId)
  const by = await lead.runWith({ env: { CLAWLINK_AGENT: 'second' } }, 'whoami', '--json')
  expect(by.json().data).toMatchObject({ agent_id, profile: 'second' })
})

it('[CLI-5] a join link names the workspace; workspaces are apart', async () => {
  const link = `${server.url}/#w=other`
  const joined = agentHere()
  await text(joined, 'register', '--relay', link, '--name', 'Lone', '--create')
  expect(await joined.ask('discover')).toMatchObject({ count: 1 })
  expect(await joined.ask('whoami')).toMatchObject({ server: server.url, workspace: 'other' })
})

it('[CLI-6] bodies come from stdin or a file, and may begin with dashes', async () => {
  await scout.run('poll')
  await lead.runWith({ stdin: '- from\n- stdin' }, 'delegate', '--to', 'Scout', '--task', '-')
  writeFileSync(join(lead.cwd, 'brief.md'), '--from a file')
  await text(lead, 'delegate', '--to', 'Scout', '--file', 'brief.md')
  await text(lead, 'delegate', '--to', 'Scout', '--task', '- from a flag')
  const { messages } = await scout.ask<Poll>('poll')
  expect(messages.map(({ task }) => task)).toEqual([
    '- from\n- stdin',
    '--from a file',
    '- from a flag',
  ])
})

it('[INBOX-7] a newcomer gets a digest, shown as the only broadcast if it is one, not the history; poll takes --limit and --peek', async () => {
  const late = agentHere(server.url)
  await text(late, 'register', '--name', 'Late')
  const first = await late.ask<Poll>('poll', '--peek')
  expect(first).toMatchObject({ count: 1, messages: [{ type: 'digest' }] })
  expect(await text(late, 'poll')).toMatch(
    /^knowledge_broadcast m-\w+ from .* content:\n {4}main is\n/,
  )
  for (const content of ['1', '2', '3']) await text(lead, 'broadcast', '--content', content)
  expect(await late.ask<Poll>('poll', '--peek')).toMatchObject({ count: 3, remaining: 0 })
  expect(await late.ask<Poll>('poll', '--limit', '2')).toMatchObject({ count: 2, remaining: 1 })
  expect(await late.ask<Poll>('poll')).toMatchObject({ messages: [{ content: '3' }] })
})
