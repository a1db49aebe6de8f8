import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type Agent, killLink, registered } from '../../support/agent.ts'
import { type Network, startProxy } from '../../support/proxy.ts'
import { type Server, startServer } from '../../support/server.ts'

interface Message {
  type: string
  message_id: string
  content?: string
  task?: string
  result?: string
}
type Poll = { messages: Message[] }

let server: Server
let other: Agent & { id: string }
beforeAll(async () => {
  server = await startServer()
  other = await registered(server.url, 'Other')
})
afterAll(() => server.stop())

let proxy: Network
afterEach(() => proxy.close())

/** Answers to barriers: type 100, a nonce below 128 and the head of the log, in a frame of their own. */
const barriersIn = (chunk: Buffer): number =>
  chunk.toString('latin1').match(/\x82[\x20-\x30]d[\x00-\x7f]/g)?.length ?? 0

/** An agent whose link never hears what the server says from the answer on that `isIt` tells. */
const deafAgent = async (name: string) => {
  let isIt: ((chunk: Buffer) => boolean) | null = null
  let lost = () => {}
  proxy = await startProxy(server.port, (chunk) => {
    if (isIt?.(chunk) !== true) return
    isIt = null
    proxy.stall()
    lost()
  })
  const one = await registered(proxy.url, name)
  /** Runs a command, and kills the link when it waits for that answer. */
  const run = async (loses: (chunk: Buffer) => boolean, ...args: string[]) => {
    const isLost = new Promise<void>((resolve) => {
      lost = resolve
    })
    isIt = loses
    const ran = one.run(...args)
    await isLost
    await killLink(one.home)
    return ran
  }
  return { ...one, run }
}

/** The second barrier of a write is behind what it wrote. */
const second = () => {
  let seen = 0
  return (chunk: Buffer) => {
    seen += barriersIn(chunk)
    return seen >= 2
  }
}

it('[LINK-15] what a killed link wrote and did not answer is answered by the next one, and is there once', async () => {
  const one = await deafAgent('Writer')
  await other.ask('poll')
  const said = await one.run(second(), 'broadcast', '--content', 'once', '--json')
  expect(said).toMatchObject({ code: 0, stderr: '' })
  expect(said.json()).toMatchObject({ ok: true, data: { message: { content: 'once' } } })
  expect(said.json().data).not.toHaveProperty('durable')

  const given = await one.run(second(), 'delegate', '--to', 'Other', '--task', 'one task')
  expect(given).toMatchObject({ code: 0, stderr: '' })
  expect(given.stdout).toMatch(/^delegated t-\w+ to a-\w+ \(Other\)\n$/)

  const { messages } = await other.ask<Poll>('poll')
  expect(messages.map(({ content, task }) => content ?? task)).toEqual(['once', 'one task'])
  expect(messages[0]).toMatchObject(said.json().data?.message as object)
})

it('[LINK-15] … and what only the server knows is done, too', async () => {
  const one = await deafAgent('Worker')
  const { task } = await other.ask<{ task: Message }>('delegate', '--to', 'Worker', '--task', 'x')
  await one.ask('poll')
  await other.ask('poll')
  const isAnswer = (chunk: Buffer) => chunk.toString('latin1').startsWith('HTTP/1.1 200')
  const answer = ['respond', '--to', 'Other', '--msg-id', task.message_id, '--result', 'done']
  const ran = await one.run(isAnswer, ...answer)
  expect(ran).toMatchObject({ code: 0, stdout: `${task.message_id} completed\n`, stderr: '' })
  const { messages } = await other.ask<Poll>('poll')
  expect(messages.map(({ type, result }) => [type, result])).toEqual([['task_response', 'done']])
})
