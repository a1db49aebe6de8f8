import { afterAll, beforeAll, expect, it } from 'vitest'
import { agent, killLink, linkPid, registered, registeredHere } from '../../support/agent.ts'
import { until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { drain, ERAS, hear, openHost } from '../../support/mcp/host.ts'
import type { ServerAt } from '../../support/server.ts'

let server: ServerAt
beforeAll(async () => {
  server = await startHere()
})
afterAll(() => server.stop())

const idIn = (text: string): string => /t-\w+/.exec(text)![0]

it.each(ERAS)(
  '[MCP-4] a delegation both ways takes five calls by tools alone (%s)',
  async (era) => {
    const ana = await registered(server.url, `ana-${era}`)
    const ben = await registered(server.url, `ben-${era}`)
    const a = await openHost({ home: ana.home, server: server.url, era })
    const b = await openHost({ home: ben.home, server: server.url, era })
    const text = 'which branch is released?'
    const asked = await a.call('task', { do: 'delegate', to: `ben-${era}`, text })
    expect(asked).toMatchObject({ isError: false })
    const inbox = await b.call('inbox', { wait: 60 })
    expect(inbox.text).toContain(text)
    const id = idIn(inbox.text.slice(inbox.text.indexOf('task_delegation t-')))
    expect(await b.call('task', { do: 'done', id, text: 'release/2' })).toMatchObject({
      isError: false,
    })
    const answer = await a.call('inbox', { wait: 60 })
    expect(answer.text).toContain('release/2')
    await Promise.all([a.close(), b.close()])
  },
)

it('[MCP-5] what inbox returned is acknowledged by the next call, and comes again without one', async () => {
  const cara = await registered(server.url, 'cara')
  const dan = await registeredHere(server.url, 'dan')
  await dan.ask('send', '--to', 'cara', '--content', 'the first')
  const dies = await openHost({ home: cara.home, server: server.url })
  await hear(dies, 'the first')
  process.kill(dies.pid, 'SIGKILL')
  const host = await openHost({ home: cara.home, server: server.url })
  await hear(host, 'the first')
  expect((await host.call('prime')).isError).toBe(false)
  expect((await host.call('inbox')).text).not.toContain('the first')
  await host.close()
})

it('[MCP-6] inbox waits with progress, ends at the host’s abort, and leaves nothing behind', async () => {
  const eve = await registered(server.url, 'eve')
  const fay = await registeredHere(server.url, 'fay')
  const env = { CLAWLINK_MCP_PROGRESS: '0.05' }
  const host = await openHost({ home: eve.home, server: server.url, env })
  await drain(host)
  let ticks = 0
  const abort = new AbortController()
  const waiting = host.call(
    'inbox',
    { wait: 600 },
    { signal: abort.signal, onprogress: () => (ticks += 1) },
  )
  const ended = expect(waiting).rejects.toThrow()
  await until('there is progress', () => ticks >= 3)
  abort.abort()
  await ended
  // The place is free: a wait that went on would take the message.
  await fay.ask('send', '--to', 'eve', '--content', 'after the abort')
  await hear(host, 'after the abort')
  await host.close()
})

it('[MCP-7] a home that never joined gets the CLI’s error, and may join without a restart', async () => {
  const nobody = agent(server.url)
  const host = await openHost({ home: nobody.home, server: server.url })
  const ran = await nobody.run('prime', '--json')
  const { code, hint } = ran.json().error!
  expect(await host.call('prime')).toMatchObject({ isError: true, code, hint })
  expect(await host.call('inbox')).toMatchObject({ isError: true, code, hint })
  await nobody.ask('register', '--name', 'newcomer')
  const { text } = await host.call('prime')
  expect(text).toContain('newcomer')
  expect(text).not.toContain('clawlink-agent')
  await host.close()
})

it.each(ERAS)(
  '[MCP-8] a link that is killed is replaced, and each call answered once (%s)',
  async (era) => {
    const gil = await registered(server.url, `gil-${era}`)
    const hal = await registeredHere(server.url, `hal-${era}`)
    const host = await openHost({ home: gil.home, server: server.url, era })
    await drain(host)
    const waiting = host.call('inbox', { wait: 600 })
    const others = Array.from({ length: 5 }, (_, n) =>
      host.call('say', { text: `said ${era} ${n}` }),
    )
    await killLink(gil.home)
    const answers = await Promise.all(others)
    expect(answers.map(({ isError }) => isError)).toEqual(others.map(() => false))
    await hal.ask('send', '--to', `gil-${era}`, '--content', 'after the kill')
    await hear(host, 'after the kill', waiting)
    const { broadcasts } = await hal.ask<{ broadcasts: { content: string }[] }>('log')
    const said = broadcasts.filter(({ content }) => content.startsWith(`said ${era}`))
    expect(said.map(({ content }) => content).sort()).toEqual(
      others.map((_, n) => `said ${era} ${n}`),
    )
    await host.close()
  },
)

it('[MCP-8] a link that is taken down stays down until the host calls', async () => {
  const ida = await registered(server.url, 'ida')
  const host = await openHost({ home: ida.home, server: server.url })
  await drain(host)
  const waiting = host.call('inbox', { wait: 600 })
  const [first] = await Promise.all([waiting, ida.run('down')])
  expect(first).toMatchObject({ isError: true, code: 'shutting_down' })
  await until('the link is down', () => linkPid(ida.home) === null)
  expect((await host.call('prime')).isError).toBe(false)
  expect(linkPid(ida.home)).not.toBeNull()
  await host.close()
})
