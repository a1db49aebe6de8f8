import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import * as Y from 'yjs'
import { parseTarget } from '../../../client/http/target.ts'
import { Session } from '../../../client/session/session.ts'
import { registeredHere, WAYS_HERE } from '../../support/agent.ts'
import { member } from '../../support/auth/members.ts'
import { RawClient, until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { startProxy } from '../../support/proxy.ts'
import { fetch, type ServerAt } from '../../support/server.ts'

const closers: (() => unknown)[] = []
afterAll(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const closedAsFull = async ({ url }: ServerAt): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/closes_total\{code="4414"\} (\d+)/.exec(text)?.[1] ?? 0)
}

it.concurrent.each(WAYS_HERE)(
  '[LIM-32] a full document: %s, what is written is kept and said, reading goes on',
  async (way) => {
    const small = ['--limit', 'document=100000', '--heartbeat', '1', '--log-level', 'error']
    let server = await startHere({ args: small })
    closers.push(() => server.stop())
    const [ann, bob] = [
      await registeredHere(server.url, 'Ann', way),
      await registeredHere(server.url, 'Bob', way),
    ]
    const { task } = await ann.ask<{ task: { task_id: string } }>(
      ...['delegate', '--to', 'Bob', '--task', 'fill it'],
    )
    // Its receipt is written before the document is full.
    await bob.ask('poll', '--peek', '--wait', '20')
    const large = join(bob.cwd, 'large.txt')
    writeFileSync(large, randomBytes(90_000).toString('base64'))
    await bob.ask('file-put', '--key', 'large.txt', '--file', large)

    const refused = await ann.run('broadcast', '--content', 'one more')
    expect(refused.code).toBe(4)
    expect(refused.stderr).toMatch(/is full.*100000 bytes.*do not repeat them/)
    const again = await ann.run('broadcast', '--content', 'and another', '--json')
    expect(again.json().error?.code).toBe('quota')

    // Bob has written nothing since; what ends a task is taken, and Ann hears of it.
    await bob.ask('respond', '--to', 'Ann', '--msg-id', task.task_id, '--result', 'done')
    const heard = await ann.ask<{ messages: { type: string }[] }>(
      'poll',
      '--wait',
      '20',
      '--type',
      'task_response',
    )
    expect(heard.messages.map(({ type }) => type)).toEqual(['task_response'])
    if (way === 'link-here') {
      const tries = await closedAsFull(server)
      const { profiles } = await ann.ask<{ profiles: { connected: boolean; why: string }[] }>(
        'status',
      )
      const why = expect.stringMatching(/is full/)
      expect(profiles).toMatchObject([{ connected: true, why, unsent: true }])
      expect((await ann.run('status')).stdout).toMatch(/nothing is sent \(.*is full/)
      for (let i = 0; i < 5; i++) await ann.ask('tasks')
      expect(await closedAsFull(server)).toBe(tries)
    }

    const { data, port } = server
    await server.stop()
    server = await startHere({ data, port, args: ['--log-level', 'error'] })
    await until('what was kept is there, once', async () => {
      if (way === 'alone-here') await ann.ask('tasks')
      const { broadcasts } = await bob.ask<{ broadcasts: { content: string }[] }>('log')
      const said = broadcasts.map(({ content }) => content).sort()
      return said.join() === 'and another,one more'
    })
  },
)

it.concurrent('[LIM-32] [LIM-53] who is told to wait before it connects again (429) does', async () => {
  const server = await startHere({ args: ['--limit', 'handshakes=1', '--log-level', 'error'] })
  closers.push(() => server.stop())
  const ann = await member(server, 'a-ann000000001')
  const answers: string[] = []
  const proxy = await startProxy(server.port, (chunk) => {
    const [, status] = /^HTTP\/1\.1 (\d+)/.exec(String(chunk)) ?? []
    // Before each try the server proves itself (200).
    if (status !== undefined && status !== '200') answers.push(status)
  })
  closers.push(() => proxy.close())
  /** Whether a connection was let in. */
  const dial = async (): Promise<boolean> => {
    const client = new RawClient(`${server.sync}/default`, ann.headers)
    const opened = new Promise<boolean>((resolve) => client.ws.once('open', () => resolve(true)))
    const isIn = await Promise.race([opened, client.closed.then(() => false)])
    client.ws.terminate()
    return isIn
  }
  const target = { ...parseTarget(proxy.url), token: () => ann.token }
  const source = { doc: new Y.Doc(), commit: async () => {} }
  // On a busy machine the second in which it would be refused may have passed.
  await until('it was refused before it got in', async () => {
    while (await dial());
    answers.length = 0
    const session = new Session(target, 'default', source, null)
    await until('it is in', () => session.contact.connected)
    session.close()
    return answers[0] === '429'
  })
  expect(answers).toEqual(['429', '101'])
})
