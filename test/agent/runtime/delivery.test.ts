import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Agent, registered, WAYS_HERE } from '../../support/agent.ts'
import { orLong, runSeed, seeded, until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { bin, type ServerAt } from '../../support/server.ts'

interface Message {
  message_id: string
  content?: string
  task?: string
}
type Poll = { messages: Message[]; count: number }

describe.each(WAYS_HERE)('by way of %s', (way) => {
  let server: ServerAt
  let teller: Agent
  let lead: Agent & { id: string }
  let scout: Agent & { id: string }

  beforeAll(async () => {
    server = await startHere()
    teller = await registered(server.url, 'Teller', 'link-here')
    lead = await registered(server.url, 'Lead', way)
    scout = await registered(server.url, 'Scout', way)
  })
  afterAll(() => server.stop())

  const environment = () => ({
    ...process.env,
    CLAWLINK_HOME: scout.home,
    CLAWLINK_SERVER: server.url,
    CLAWLINK_LINK: way === 'alone-here' ? 'off' : '',
  })
  const say = async (...contents: string[]) => {
    // After a restart of the server its link may not be there yet.
    await until('it can tell', async () => (await teller.atLink('discover')).code === 0)
    for (const content of contents) await teller.ask('broadcast', '--content', content)
  }
  const contents = async (...flags: string[]) =>
    (await scout.ask<Poll>('poll', ...flags)).messages.map(({ content }) => content)

  it('[INBOX-6] a poll that dies while it prints has acknowledged nothing', async () => {
    // Escaped it is more than a pipe and both its ends' buffers hold, so that it is still printing when it is killed.
    const long = `x${'\u0001'.repeat(64 * 1024 - 1)}`
    await say(long)
    const child = scout.start('poll', '--json')
    await once(child.stdout!, 'readable')
    child.kill('SIGKILL')
    await once(child, 'exit')
    child.stdout!.destroy()
    expect(await contents()).toEqual([long])
    expect(await contents()).toEqual([])
  })

  it('[INBOX-6] a poll that nobody reads has acknowledged nothing', async () => {
    await say('unread')
    const child = scout.start('poll')
    child.stdout!.destroy()
    await once(child, 'exit')

    const env = environment()
    const closed = `"${process.execPath}" "${bin('clawlink-agent.cjs')}" poll >&-`
    await promisify(execFile)('/bin/sh', ['-c', closed], { env })
    expect(await contents('--peek')).toEqual(['unread'])
    expect(await contents()).toEqual(['unread'])
    expect(await contents()).toEqual([])
  })

  it('[INBOX-6] output that the caller discards is acknowledged', async () => {
    await say('discarded')
    const env = environment()
    const discard = `"${process.execPath}" "${bin('clawlink-agent.cjs')}" poll >/dev/null`
    await promisify(execFile)('/bin/sh', ['-c', discard], { env })
    expect(await contents()).toEqual([])
  })

  it('[INBOX-6] polls at the same time hand out each message once', async () => {
    await say('1', '2', '3')
    const polls = await Promise.all([contents(), contents(), contents()])
    expect(polls.flat().sort()).toEqual(['1', '2', '3'])
  })

  it('[CLI-3] the same key and payload replay the first answer, another payload is refused', async () => {
    const delegate = ['delegate', '--to', 'Scout', '--idempotency-key', 'K1', '--task']
    const first = await lead.ask('delegate', ...delegate.slice(1), 'once')
    expect(await lead.ask('delegate', ...delegate.slice(1), 'once')).toEqual(first)
    const other = await lead.atLink(...delegate, 'twice', '--json')
    expect(other).toMatchObject({ code: 4 })
    expect(other.json().error).toMatchObject({ code: 'key_reused' })
    const { messages } = await scout.ask<Poll>('poll')
    expect(messages.map(({ task }) => task)).toEqual(['once'])

    const id = messages[0]!.message_id
    const respond = [
      'respond',
      '--to',
      'Lead',
      '--msg-id',
      id,
      '--idempotency-key',
      'K2',
      '--result',
    ]
    const done = await scout.ask(...respond, 'done')
    expect(await scout.ask(...respond, 'done')).toEqual(done)
    expect(await scout.atLink(...respond, 'different')).toMatchObject({ code: 4 })
    const answers = await lead.ask<Poll>('poll', '--type', 'task_response')
    expect(answers.messages.filter((m) => m.message_id === id)).toHaveLength(1)
  })

  it('[REPLICA-2] commands of one profile at the same time all land, each once', async () => {
    const sent = Array.from({ length: 8 }, (_, i) => `parallel ${i}`)
    await Promise.all(sent.map((content) => lead.ask('broadcast', '--content', content)))
    expect((await contents()).sort()).toEqual(sent)
  })

  it('[CLI-4] what is written offline is queued, and drains once, in order, by the next command', async () => {
    const { port, data } = server
    await server.stop()
    for (const content of ['a', 'b', 'c']) {
      const ran = await lead.atLink('broadcast', '--content', content, '--json')
      expect(ran).toMatchObject({ code: 0 })
      expect(ran.json().data).toMatchObject({ durable: false })
      expect(ran.stderr).toMatch(/^no answer from .*; saved here, queued (for|until) .*\n$/)
    }
    expect(await scout.atLink('poll')).toMatchObject({ code: 6 })
    expect(await lead.atLink('discover')).toMatchObject({ code: 6 })
    expect((await lead.ask<{ offline: boolean }>('file-list')).offline).toBe(true)

    server = await startHere({ port, data })
    await lead.ask('discover')
    expect(await contents()).toEqual(['a', 'b', 'c'])
    await lead.ask('discover')
    expect(await contents()).toEqual([])
  })

  it('[INBOX-6] unacknowledged messages are handed out offline, too', async () => {
    const { port, data } = server
    await say('kept')
    expect(await contents('--peek')).toEqual(['kept'])
    await server.stop()
    const ran = await scout.atLink('poll', '--json')
    expect(ran).toMatchObject({ code: 0 })
    expect(ran.json().data).toMatchObject({ offline: true, messages: [{ content: 'kept' }] })
    expect(ran.stderr).toMatch(/this is the local copy/)
    expect(await scout.atLink('poll')).toMatchObject({ code: 6 })
    server = await startHere({ port, data })
    expect(await contents()).toEqual([])
  })

  it('[CLI-3] kill -9 of a command at any moment: run again with its key it is carried out once', async () => {
    const random = seeded(runSeed('killed commands'))
    const tasks = Array.from({ length: orLong(4, 12) }, (_, i) => `task ${i}`)
    for (const [i, task] of tasks.entries()) {
      const args = ['delegate', '--to', 'Scout', '--task', task, '--idempotency-key', `kill-${i}`]
      const child = lead.start(...args)
      const timer = setTimeout(() => child.kill('SIGKILL'), random() * 500)
      await once(child, 'exit')
      clearTimeout(timer)
      await lead.ask(...args)
    }
    const { messages } = await scout.ask<Poll>('poll')
    expect(messages.map(({ task }) => task)).toEqual(tasks)
  })
})
