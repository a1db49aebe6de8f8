import { afterAll, beforeAll, expect, it } from 'vitest'
import { MAX_HOPS } from '../../../workspace/messages/trace.ts'
import { type Agent, registeredHere } from '../../support/agent.ts'
import { until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'

interface Message {
  type: string
  message_id: string
  [field: string]: unknown
}
type Poll = { messages: Message[] }
type Said = { message: Message }
type Log = { broadcasts: Message[]; more: boolean; next: string; offline?: true }
type Sent = { messages: { message_id: string; state: string; replies: number }[] }
type Given = { task: { task_id: string } }

let server: ServerAt
let lead: Agent & { id: string }
let scout: Agent & { id: string }
let third: Agent & { id: string }

beforeAll(async () => {
  server = await startHere()
  lead = await registeredHere(server.url, 'Lead')
  scout = await registeredHere(server.url, 'Scout')
  third = await registeredHere(server.url, 'Third')
  for (const one of [lead, scout, third]) await one.atLink('poll')
})
afterAll(() => server.stop())

const poll = async (who: Agent) => (await who.ask<Poll>('poll')).messages
const sent = async (who: Agent) =>
  Object.fromEntries(
    (await who.ask<Sent>('sent')).messages.map(({ message_id, state, replies }) => [
      message_id,
      [state, replies],
    ]),
  )

/** A receipt comes with whatever its writer sends next: its link at once, a single command at its next one. */
const becomes = (id: string, state: string) =>
  until(`${id} is ${state}`, async () => (await sent(lead))[id]?.[0] === state)

it('[MSG-1] a direct message and its answer reach their addressees only', async () => {
  const { message } = await lead.ask<Said>('send', '--to', 'scout', '--content', 'which branch?')
  const id = message.message_id
  expect(await poll(third)).toEqual([])
  const peeked = await scout.atLink('poll', '--peek')
  expect(peeked.stdout).toBe(
    `direct_message ${id} from ${lead.id} (Lead) topic=general content: which branch?\n`,
  )
  await becomes(id, 'delivered')
  expect(await poll(scout)).toEqual([message])
  await becomes(id, 'read')

  const answer = ['send', '--to', lead.id, '--content', 'main', '--reply-to', id]
  const { message: main } = await scout.ask<Said>(...answer)
  expect(main).toMatchObject({ type: 'direct_message', reply_to: id, trace: { id, hops: 1 } })
  expect(await poll(lead)).toEqual([main])
  expect(await sent(lead)).toEqual({ [id]: ['answered', 1] })
  expect(await scout.atLink('send', '--to', 'Nobody', '--content', 'x')).toMatchObject({ code: 3 })
})

it('[MSG-3] [MSG-16] a task is delivered, read, answered; a broadcast is answered', async () => {
  const { task } = await lead.ask<Given>('delegate', '--to', 'Scout', '--task', 'look')
  const { message } = await lead.ask<Said>('broadcast', '--content', 'who knows?')
  expect(await sent(lead)).toMatchObject({ [message.message_id]: ['stored', 0] })
  await scout.atLink('poll')
  await becomes(task.task_id, 'read')
  await scout.ask('broadcast', '--content', 'I do', '--reply-to', message.message_id)
  expect(await sent(lead)).toMatchObject({ [message.message_id]: ['answered', 1] })
  await scout.atLink(...['respond', '--to', 'Lead', '--msg-id', task.task_id, '--result', 'done'])
  expect(await sent(lead)).toMatchObject({ [task.task_id]: ['answered', 0] })
  expect((await lead.atLink('sent', '--limit', '1')).stdout).toMatch(
    /^answered knowledge_broadcast m-\w+ to all replies=1 content: who knows\?\n$/,
  )
})

it('[MSG-7] a note reaches creator and addressee; a canceled task is told and stays canceled', async () => {
  for (const one of [lead, scout]) await one.atLink('poll')
  const { task } = await lead.ask<Given>('delegate', '--to', 'Scout', '--task', 'try it')
  const id = task.task_id
  await poll(scout)
  await scout.ask('note', id, 'which one?')
  expect(await poll(lead)).toMatchObject([
    { type: 'task_note', message_id: id, text: 'which one?' },
  ])
  expect(await lead.runWith({ stdin: 'both' }, 'note', id, '-')).toMatchObject({ code: 0 })
  expect(await poll(scout)).toMatchObject([{ type: 'task_note', text: 'both' }])
  expect((await scout.atLink('note', id)).stderr).toMatch(/TEXT or --file is missing/)
  expect(await scout.atLink('note', 't-none', 'x')).toMatchObject({ code: 3 })

  expect(await scout.atLink('cancel', id)).toMatchObject({ code: 5 })
  expect((await lead.atLink('cancel', id, '--reason', 'done by hand')).stdout).toBe(
    `${id} is canceled\n`,
  )
  expect(await poll(scout)).toMatchObject([
    { type: 'task_canceled', message_id: id, from_agent: lead.id, reason: 'done by hand' },
  ])
  expect(await lead.atLink('cancel', id)).toMatchObject({ code: 4 })
})

it('[MSG-2] log: by topic, sender, time and place; direct messages of others are not in it', async () => {
  for (const one of [lead, scout]) await one.atLink('poll')
  for (const n of ['1', '2', '3']) await lead.ask('broadcast', '--content', n, '--topic', 'builds')
  const contents = async (who: Agent, ...flags: string[]) =>
    (await who.ask<Log>('log', ...flags)).broadcasts.map(({ content }) => content)
  expect(await contents(third, '--topic', 'builds')).toEqual(['1', '2', '3'])
  const page = await third.ask<Log>('log', '--topic', 'builds', '--limit', '2')
  expect(page).toMatchObject({ more: true, broadcasts: [{ content: '2' }, { content: '3' }] })
  const first = (await third.ask<Log>('log', '--topic', 'builds')).broadcasts[0]!.message_id
  expect(await contents(third, '--topic', 'builds', '--since', first)).toEqual(['2', '3'])
  expect(await contents(third, '--from', 'Scout')).toEqual(['I do'])
  expect(await contents(third, '--since', '1h', '--from', 'Scout')).toEqual(['I do'])
  expect(await contents(lead)).toContain('which branch?')
  expect(await contents(third)).not.toContain('which branch?')
  expect((await third.atLink('log', '--topic', 'builds', '--limit', '1')).stdout).toMatch(
    new RegExp(`^\\S+Z m-\\w+ from ${lead.id} \\(Lead\\) topic=builds content: 3\\n$`),
  )
  expect(await third.atLink('log', '--since', 'whenever')).toMatchObject({ code: 2 })
  expect(await third.atLink('log', '--from', 'Nobody')).toMatchObject({ code: 3 })
})

it('[MSG-2] [MSG-15] without the server the log is what the replica has', async () => {
  const { port, data } = server
  await third.atLink('poll')
  await server.stop()
  const away = await third.ask<Log>('log', '--topic', 'builds', '--limit', '2')
  expect(away).toMatchObject({ offline: true, more: true })
  expect(away.broadcasts.map(({ content }) => content)).toEqual(['2', '3'])
  expect((await third.ask<Log>('log')).broadcasts.map(({ content }) => content)).not.toContain(
    'which branch?',
  )
  server = await startHere({ port, data })
})

it('[INBOX-25] poll --id acknowledges the named messages alone', async () => {
  await third.atLink('poll')
  const ids: string[] = []
  for (const content of ['one', 'two', 'three']) {
    const { message } = await lead.ask<Said>('send', '--to', 'Third', '--content', content)
    ids.push(message.message_id)
  }
  const contents = async (...flags: string[]) =>
    (await third.ask<Poll>('poll', ...flags)).messages.map(({ content }) => content)
  await until('all are here', async () => (await contents('--peek')).length === 3)
  expect(await contents('--id', `${ids[2]},${ids[0]},m-unknown`)).toEqual(['one', 'three'])
  expect(await contents()).toEqual(['two'])
})

it('[INBOX-9] topics are chosen at register and changed later', async () => {
  await third.ask('register', '--name', 'Third', '--topics', 'builds')
  await third.atLink('poll')
  const both = async () => {
    await lead.ask('broadcast', '--content', 'b', '--topic', 'builds')
    await lead.ask('broadcast', '--content', 'l', '--topic', 'lunch')
    return (await poll(third)).map(({ content }) => content)
  }
  expect(await both()).toEqual(['b'])
  await third.ask('register', '--name', 'Third')
  expect(await both()).toEqual(['b'])
  await third.ask('register', '--name', 'Third', '--topics', 'all')
  expect(await both()).toEqual(['b', 'l'])
})

it('[INBOX-7] a newcomer’s digest is a line for each of the newest', async () => {
  await lead.ask('broadcast', '--content', `long ${'x'.repeat(5_000)}`, '--reset-trace')
  const late = await registeredHere(server.url, 'Late')
  const { stdout } = await late.atLink('poll')
  expect(stdout).toMatch(
    /^digest digest@\S+ \d+ broadcasts? before you joined \(all: clawlink-agent log\); newest:\n(?: {4}".*"\n){1,10}$/,
  )
  expect(stdout.length).toBeLessThan(1_000)
})

it('[MSG-5] [MSG-17] two that only answer each other are stopped, and --reset-trace starts anew', async () => {
  const pair = [
    await registeredHere(server.url, 'Ping'),
    await registeredHere(server.url, 'Pong'),
  ] as const
  let refused: string | null = null
  let turns = 0
  for (; refused === null && turns <= MAX_HOPS + 2; turns++) {
    const [who, other] = turns % 2 === 0 ? pair : [pair[1], pair[0]]
    await who.atLink('poll')
    const ran = await who.atLink('send', '--to', other.id, '--content', 'no, you')
    if (ran.code !== 0) {
      expect(ran.code).toBe(4)
      refused = ran.stderr
      expect(await who.atLink('send', '--to', other.id, '--content', 'x')).toMatchObject({
        code: 4,
      })
      const reset = ['send', '--to', other.id, '--content', 'x', '--reset-trace']
      expect((await who.ask<Said>(...reset)).message.trace).toBeUndefined()
    }
  }
  expect(refused).toMatch(
    /^error: answer 17 in the chain of m-\w+; the limit is 16: .* — .*--reset-trace\n$/,
  )
  expect(turns).toBeGreaterThan(MAX_HOPS)
})

it('[MSG-6] prime fits on a page, says what changed, acknowledges nothing', async () => {
  await scout.ask('prime')
  await scout.atLink('poll', '--limit', '50')
  const long = 'many words '.repeat(40)
  for (const priority of ['low', 'urgent', 'normal', 'high', 'low', 'low', 'low']) {
    await lead.ask(
      'delegate',
      '--to',
      'Scout',
      '--task',
      long,
      '--priority',
      priority,
      '--reset-trace',
    )
  }
  await lead.runWith({ stdin: 'x' }, 'file-put', '--key', 'plan.md', '--file', '-')
  const text = await scout.atLink('prime')
  expect(text.code).toBe(0)
  expect(text.stdout.length).toBeLessThanOrEqual(2_000)
  expect(text.stdout).toMatch(/^you: a-\w+ \(Scout\) in default of http/)
  expect(text.stdout).toMatch(/your open tasks: 7\n {2}t-\w+ submitted urgent many words/)
  expect(text.stdout).toMatch(/unread: 8 \(.*1 task_delegation urgent.*\)/)
  expect(text.stdout).toMatch(/files changed since you looked: 1\n {2}plan\.md version 1\n/)
  expect(text.stdout).toMatch(/ more\n/)
  const json = await scout.atLink('prime', '--json')
  expect(json.stdout.length).toBeLessThanOrEqual(2_000)
  expect(json.json().data).toMatchObject({ unread: { total: 8 }, files_changed: { items: [] } })
  expect(await poll(scout)).toHaveLength(8)
})
