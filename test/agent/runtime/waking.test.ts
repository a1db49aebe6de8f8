import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Agent, linkPid, registered, registeredHere, WAYS_HERE } from '../../support/agent.ts'
import { until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'

interface Message {
  type: string
  message_id: string
  content?: string
}
type Poll = { messages: Message[]; count: number }

let server: ServerAt
let lead: Agent & { id: string }
beforeAll(async () => {
  server = await startHere()
  lead = await registeredHere(server.url, 'Lead')
})
afterAll(() => server.stop())

const say = (content: string, ...flags: string[]) =>
  lead.ask('broadcast', '--content', content, ...flags)
const linesOf = (child: ChildProcess) => {
  const lines: string[] = []
  createInterface(child.stdout!).on('line', (line) => lines.push(line))
  return lines
}
/** To be called before anything that may end it: an end that has been is not told again. */
const endOf = async (child: ChildProcess) => {
  const [code] = (await once(child, 'close')) as [number | null]
  return code
}

describe.each(WAYS_HERE)('by way of %s', (way) => {
  let scout: Agent & { id: string }
  beforeAll(async () => {
    scout = await registeredHere(server.url, `Scout-${way}`, way)
  })

  it('[LINK-6] wait ends at once for what is there, and when something comes; it acknowledges nothing', async () => {
    await scout.ask('poll')
    const waiting = scout.start('wait', '--any')
    const lines = linesOf(waiting)
    const ended = endOf(waiting)
    const said = await say('wake up', '--topic', 'news')
    expect(await ended).toBe(0)
    const { message_id } = (said as { message: Message }).message
    expect(lines).toEqual([`1 knowledge_broadcast: ${message_id}`])
    const again = await scout.ask('wait', '--any', '--timeout', '60')
    expect(again).toEqual({
      count: 1,
      kinds: { knowledge_broadcast: 1 },
      from: ['Lead'],
      message_ids: [message_id],
    })
    expect(await scout.ask<Poll>('poll')).toMatchObject({ count: 1 })
  })

  it('[LINK-6] a wait whose time is up exits 7', async () => {
    const ran = await scout.run('wait', '--timeout', '0.2')
    expect(ran).toMatchObject({ code: 7, stdout: '' })
    expect(ran.stderr).toMatch(/^error: nothing came in within 0.2 s — wait again\n$/)
  })

  it('[LINK-7] poll and wait look at types, topics and senders', async () => {
    const waiting = scout.start('wait', '--topic', 'b', '--from', 'Lead')
    const ended = endOf(waiting)
    await say('one', '--topic', 'a')
    await say('two', '--topic', 'b')
    expect(await ended).toBe(0)
    expect(await scout.ask('poll', '--type', 'task_delegation')).toMatchObject({ count: 0 })
    expect(await scout.ask<Poll>('poll', '--topic', 'b')).toMatchObject({
      messages: [{ content: 'two' }],
    })
    expect(await scout.ask<Poll>('poll')).toMatchObject({ messages: [{ content: 'one' }] })
    expect(await scout.run('poll', '--type', 'task_delegatoin')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/did you mean task_delegation\?/),
    })
    expect(await scout.run('wait', '--from', 'Laed')).toMatchObject({ code: 3 })
  })

  it('[LINK-7] poll --wait prints what comes, or nothing when its time is up', async () => {
    const polling = scout.runWith({}, 'poll', '--any', '--wait', '60', '--json')
    await say('polled')
    expect((await polling).json().data).toMatchObject({ messages: [{ content: 'polled' }] })
    expect(await scout.ask<Poll>('poll', '--wait', '0.1')).toMatchObject({ count: 0 })
  })

  it('[LINK-8] watch prints what comes, a line a batch, and acknowledges it', async () => {
    const watching = scout.start('watch')
    const lines = linesOf(watching)
    const seen = () =>
      lines.flatMap((line) => (JSON.parse(line) as Poll).messages.map(({ content }) => content))
    await say('w1')
    await until('the first is seen', () => seen().includes('w1'))
    await say('w2')
    await until('the second is seen', () => seen().includes('w2'))
    expect(seen()).toEqual(['w1', 'w2'])
    await until(
      'both are acknowledged',
      async () => (await scout.ask<Poll>('poll', '--peek')).count === 0,
    )
    watching.kill('SIGTERM')
    await once(watching, 'exit')
  })

  it('[LINK-8] watch --hints tells of each once, without bodies, and acknowledges nothing', async () => {
    await scout.ask('poll')
    const watching = scout.start('watch', '--hints', '--json')
    const ended = endOf(watching)
    const lines = linesOf(watching)
    await say('secret 1')
    await until('the first hint', () => lines.length === 1)
    await say('secret 2')
    await until('the second hint', () => lines.length === 2)
    expect(lines.map((line) => JSON.parse(line))).toEqual(
      [1, 2].map(() => ({
        type: 'hint',
        count: 1,
        kinds: { knowledge_broadcast: 1 },
        from: ['Lead'],
      })),
    )
    expect(await scout.ask<Poll>('poll')).toMatchObject({ count: 2 })
    watching.stdout!.destroy()
    await say('nobody reads this')
    expect(await ended).toBe(0)
    await scout.ask('poll')
  })
})

it('[LINK-21] [INBOX-17] [INBOX-18] an active file is one message and one hint; a task that ended is not handed out', async () => {
  const one = await registeredHere(server.url, 'Reader')
  const log = join(one.home, 'hints')
  await one.ask('poll')
  await one.ask('up', '--on-message', `cat >> ${log}`)
  const watching = one.start('watch', '--hints')
  const lines = linesOf(watching)
  const woken = () => (existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1) : [])
  const append = () => lead.ask('file-append', '--key', 'server.log', '--text', 'line\n')
  const files = () => one.ask<Poll>('poll', '--peek', '--type', 'file_updated')
  const version = async () => (await files()).messages[0] as { version?: number } | undefined
  await append()
  await until('a hint and a waking', () => lines.length === 1 && woken().length === 1)
  for (let i = 0; i < 3; i++) await append()
  await until('all is there', async () => (await version())?.version === 4)
  expect(await files()).toMatchObject({ count: 1, messages: [{ version: 4, from_version: 1 }] })
  expect(await one.run('poll')).toMatchObject({
    stdout: expect.stringMatching(/version=4 from_version=1 \+4 -0 lines=1-4 file: server.log/),
  })
  await append()
  await until('it is news again', async () => (await files()).count === 1)

  const { task } = await lead.ask<{ task: { task_id: string } }>(
    ...['delegate', '--to', 'Reader', '--task', 'done before it is polled'],
  )
  await until('the task is there', async () => {
    const { count } = await one.ask<Poll>('poll', '--peek', '--type', 'task_delegation')
    return count === 1
  })
  await one.ask('respond', '--to', 'Lead', '--msg-id', task.task_id, '--result', 'done')
  await say('something else')
  await until('a hint of it', () => /knowledge_broadcast/.test(lines.at(-1)!))
  await until('a waking for it', () => /knowledge_broadcast/.test(woken().at(-1)!))
  expect(lines.filter((line) => /file_updated/.test(line))).toHaveLength(1)
  expect((await one.ask<Poll>('poll')).messages).toMatchObject([
    { type: 'file_updated', version: 5 },
    { type: 'knowledge_broadcast' },
  ])
  watching.kill('SIGTERM')
  await once(watching, 'exit')
})

it('[LINK-8] watch goes on over a restart of the server and of its link, silently', async () => {
  const scout = await registered(server.url, 'Watcher')
  const watching = scout.start('watch')
  const lines = linesOf(watching)
  let errors = ''
  watching.stderr!.on('data', (chunk) => {
    errors += chunk
  })
  const seen = () =>
    lines.flatMap((line) => (JSON.parse(line) as Poll).messages.map(({ content }) => content))
  await say('before')
  await until('it watches', () => seen().includes('before'))

  const { port, data } = server
  await server.stop()
  server = await startHere({ port, data })
  await say('after the server')
  await until('it sees on', () => seen().includes('after the server'))

  process.kill(linkPid(scout.home)!, 'SIGKILL')
  await say('after the link')
  await until('it sees on', () => seen().includes('after the link'))
  process.kill(linkPid(scout.home)!, 'SIGTERM')
  await say('after its end')
  await until('it sees on', () => seen().includes('after its end'))

  expect(errors).toBe('')
  watching.kill('SIGTERM')
  await once(watching, 'exit')
})

it('[LINK-8] watch and wait end when their agent leaves, instead of listening where nothing comes any more', async () => {
  const scout = await registeredHere(server.url, 'Leaver')
  await scout.ask('poll')
  const watching = scout.start('watch')
  const watched = endOf(watching)
  const lines = linesOf(watching)
  await say('here')
  await until('it watches', () => lines.length === 1)
  const waiting = scout.run('wait', '--topic', 'never')
  let ended = 0
  for (const one of [watched, waiting]) one.finally(() => ended++)
  // One that does not listen yet when its agent leaves is a next command of it, and brings it back.
  await until('both have ended', async () => {
    await scout.ask('leave')
    return ended === 2
  })
  expect(await watched).toBe(0)
  expect(await waiting).toMatchObject({ code: 6, stderr: expect.stringMatching(/agent left/) })
})
