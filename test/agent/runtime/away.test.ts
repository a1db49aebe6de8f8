import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import {
  agent,
  isAlive,
  killLink,
  linkPid,
  registered,
  registeredHere,
} from '../../support/agent.ts'
import { until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { type Message, type Poll, stageWithLead } from '../../support/lead.ts'
import { sync } from '../../support/ops/commands.ts'
import { fetch, ownPort, startServer, tempDir } from '../../support/server.ts'

const stage = stageWithLead()

it('[LINK-10] what was written offline is sent when the server is back, without another command', async () => {
  const [one, other] = [
    await registeredHere(stage.server.url, 'Off'),
    await registeredHere(stage.server.url, 'On'),
  ]
  const { port, data } = stage.server
  await stage.server.stop()
  const ran = await one.run('broadcast', '--content', 'from afar', '--json')
  expect(ran.json().data).toMatchObject({ durable: false })
  stage.server = await startHere({ port, data })
  const { messages } = await other.ask<Poll>(
    'poll',
    '--wait',
    '60',
    '--type',
    'knowledge_broadcast',
  )
  expect(messages).toMatchObject([{ content: 'from afar' }])
})

it('[LINK-11] answers given offline are sent in order, once, also by another link; a refusal comes by the inbox', async () => {
  const [one, boss] = [
    await registered(stage.server.url, 'Worker'),
    await registeredHere(stage.server.url, 'Boss'),
  ]
  const delegate = async (task: string) =>
    (await boss.ask<{ task: Message }>('delegate', '--to', 'Worker', '--task', task)).task
      .message_id
  const [kept, refused] = [await delegate('kept'), await delegate('refused')]
  await one.ask('poll')
  const { port, data } = stage.server
  await stage.server.stop()
  const respond = (id: string, result: string, state: string) =>
    one.ask('respond', '--to', 'Boss', '--msg-id', id, '--result', result, '--status', state)
  expect(await respond(kept, 'begun', 'in_progress')).toMatchObject({ durable: false })
  await killLink(one.home)
  expect(await respond(kept, 'done', 'completed')).toMatchObject({
    durable: false,
    queued: 'completed',
  })
  await respond(refused, 'my work', 'completed')
  const unknown = await one.atLink('respond', '--to', 'Boss', '--msg-id', 't-x', '--result', 'r')
  expect(unknown).toMatchObject({ code: 6 })
  expect(await one.ask('status')).toMatchObject({ profiles: [{ queued: 3, connected: false }] })
  await killLink(one.home)

  stage.server = await startHere({ port, data })
  const url = `${stage.server.url}/api/workspaces/default/tasks/${refused}/status`
  const canceled = { by: boss.id, state: 'canceled', message: 'no more', key: 'c' }
  await fetch(url, { method: 'POST', body: JSON.stringify(canceled) })
  await one.run('up')
  const { messages } = await one.ask<Poll>('poll', '--wait', '60', '--type', 'command_refused')
  expect(messages).toMatchObject([
    { message_id: refused, result: 'my work', error: { code: 'task_terminal' } },
  ])
  const answers = (await boss.ask<Poll>('poll')).messages
  expect(answers.filter(({ type }) => type === 'task_response')).toMatchObject([
    { message_id: kept, result: 'begun', status: 'in_progress' },
    { message_id: kept, result: 'done', status: 'completed' },
  ])
  expect(answers.filter(({ type }) => type === 'task_note')).toMatchObject([
    { message_id: refused, text: 'my work' },
  ])
})

interface Seen {
  name: string
  status: string
  activity?: { note: string }
}

it('[LINK-12] online, idle, stale, offline', async () => {
  const home = tempDir('home')
  const one = agent(stage.server.url, home)
  const env = { CLAWLINK_PRESENCE_IDLE: '1' }
  await one.runWith({ env }, 'register', '--name', 'Shy')
  const seen = async () => {
    const { agents } = await stage.lead.ask<{ agents: Seen[] }>('discover')
    return agents.find(({ name }) => name === 'Shy')
  }
  const becomes = (status: string) =>
    until(`it is ${status}`, async () => (await seen())?.status === status)
  await becomes('idle')
  // It is idle again a second later, which is soon on a busy machine: it says so until it is seen.
  await until('it is seen at work', async () => {
    await one.ask('status', '--set', 'parsing', '--task', 't-1')
    const now = (await stage.lead.atLink('discover')).stdout
    return /Shy {2}online .*parsing t-1\n/.test(now)
  })
  await becomes('idle')
  await killLink(home)
  await becomes('stale')
  expect((await stage.lead.atLink('discover')).stdout).toMatch(/Shy {2}stale .*last seen 20/)

  await until('it is back, with what it does', async () => {
    await one.ask('heartbeat')
    const { status, activity } = (await seen()) ?? {}
    return status === 'online' && activity?.note === 'parsing'
  })
  await one.ask('leave')
  await becomes('offline')
  await one.ask('heartbeat')
  await becomes('online')
  const pid = linkPid(home)!
  expect(await one.run('down')).toMatchObject({ code: 0 })
  await until('the link is gone', () => !isAlive(pid))
  await becomes('offline')
  await one.runWith({ env: { CLAWLINK_LINK: 'off' } }, 'heartbeat')
  await becomes('online')
})

it('[LINK-12] a reconnected agent is there once, and a link opens again what the last one had', async () => {
  const one = await registered(stage.server.url, 'Ghost')
  await one.ask('--as', 'second', 'register', '--name', 'Twin')
  const { port, data } = stage.server
  await stage.server.stop()
  stage.server = await startHere({ port, data })
  await killLink(one.home)
  await one.ask('discover')
  const twin = async () => {
    const { agents } = await stage.lead.ask<{ agents: Seen[] }>('discover')
    return agents.filter(({ name }) => name === 'Twin')
  }
  await until('the twin is seen', async () => (await twin())[0]?.status === 'idle')
  expect(await twin()).toHaveLength(1)
})

it('[LINK-13] an agent is woken by a command, coalesced, again by the next link', async () => {
  const one = await registered(stage.server.url, 'Sleeper')
  const hints = join(one.home, 'hints')
  await one.ask('poll')
  await one.ask('up', '--on-message', `cat >> ${hints}`)
  const read = () => (existsSync(hints) ? readFileSync(hints, 'utf8').split('\n').slice(0, -1) : [])
  await stage.say('1')
  await until('it is woken', () => read().length === 1)
  expect(JSON.parse(read()[0]!)).toMatchObject({ type: 'hint', count: 1, from: ['Lead'] })
  await stage.say('2')
  await stage.say('3')
  await until('it is woken again', () => read().length === 2)
  expect(JSON.parse(read()[1]!)).toMatchObject({ count: 3 })
  await killLink(one.home, 'SIGTERM')
  await one.ask('discover')
  await until('it is woken by the next link', () => read().length === 3)
  await one.ask('up', '--on-message', 'off')
  expect(existsSync(join(one.home, 'wake.json'))).toBe(false)
})

it('[LINK-13] a hook gets what OpenClaw’s /hooks/wake expects, and is tried again', async () => {
  const requests: { headers: IncomingMessage['headers']; body: string }[] = []
  const hook = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      requests.push({ headers: request.headers, body })
      response.statusCode = requests.length === 1 ? 503 : 200
      response.end()
    })
  })
  hook.listen(0, '127.0.0.1')
  await once(hook, 'listening')
  const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/hooks/wake`
  const one = await registeredHere(stage.server.url, 'Hooked')
  await one.ask('poll')
  const env = { CLAWLINK_HOOK_TOKEN: 'secret' }
  expect(await one.runWith({ env }, 'up', '--hook', url)).toMatchObject({ code: 0 })
  await stage.say('wake up')
  await until('it was tried twice', () => requests.length === 2)
  expect(requests[1]!.headers.authorization).toBe('Bearer secret')
  expect(JSON.parse(requests[1]!.body)).toEqual({
    mode: 'now',
    text: 'ClawLink: 1 knowledge_broadcast from Lead. Run: clawlink-agent poll',
  })
  expect(statSync(join(one.home, 'wake.json')).mode & 0o777).toBe(0o600)
  hook.closeAllConnections()
  hook.close()
})

it('[LINK-10] [LINK-22] status tells what waits to be sent, and why the server lets nobody in', async () => {
  const port = await ownPort()
  const data = tempDir('data')
  let server = await startServer({ port, data })
  const one = await registered(server.url, 'One')
  const profile = async () => {
    const { profiles } = await one.ask<{ profiles: { unsent: boolean; why: string | null }[] }>(
      'status',
    )
    return profiles[0]!
  }
  await until('all is sent', async () => (await profile()).unsent === false)
  await server.kill()
  await one.ask('broadcast', '--content', 'nobody hears')
  expect(await profile()).toMatchObject({ unsent: true })
  expect((await one.atLink('status')).stdout).toContain('waiting to be sent')
  await killLink(one.home)
  await one.run('up')
  expect(await profile()).toMatchObject({ unsent: null })
  server = await startServer({ port, data })
  await until('all is sent', async () => (await profile()).unsent === false)

  await fetch(`${server.url}/api/admin/revoke`, {
    method: 'POST',
    body: JSON.stringify({ which: one.id }),
  })
  await until('it is told', async () => (await profile()).why !== null)
  expect(await profile()).toMatchObject({ why: expect.stringContaining('was revoked') })
  expect((await one.atLink('status')).stdout).toContain(
    'not connected (revoked: ask for a new join',
  )
  const rotated = await sync('rotate', one.id, '--data', data)
  await one.runWith({ stdin: rotated.stdout }, 'join', '-')
  await until('it is back', async () => (await profile()).why === null)
  await server.kill()
})
