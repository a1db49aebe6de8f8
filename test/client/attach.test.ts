import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import * as Y from 'yjs'
import { bundle } from '../../bench/programs.ts'
import type { Attached } from '../../client/resident/attach.ts'
import {
  type Agent,
  agent,
  agentHere,
  isAlive,
  killLink,
  linkPid,
  registered,
  registeredHere,
} from '../support/agent.ts'
import { attachTo, linkAt } from '../support/attach.ts'
import { liveDoc, runSeed, seeded, stockClient, until } from '../support/client.ts'
import { startHere } from '../support/in-process.ts'
import { root, type ServerAt, startServer } from '../support/server.ts'

let server: ServerAt
beforeAll(async () => {
  server = await startHere()
})
afterAll(() => server.stop())

const open = new Set<Attached>()
afterEach(async () => {
  for (const attached of open) await attached.close()
  open.clear()
})

const attachedTo = async ({ home }: Pick<Agent, 'home'>, url = server.url): Promise<Attached> => {
  const attached = await attachTo(linkAt(home), url)
  open.add(attached)
  return attached
}

const textOf = ({ doc }: { doc: Y.Doc }, file = 'shared.txt') => doc.getText(`file:${file}`)

it('[ATTACH-1] what an attached program writes reaches everybody, and what they write reaches it', async () => {
  const one = await registeredHere(server.url, 'Both ways')
  const attached = await attachedTo(one)
  expect(attached.me).toBe(one.id)
  expect(attached.where).toEqual({
    profile: 'default',
    name: 'Both ways',
    server: server.url,
    workspace: 'default',
  })
  await until('the link is connected', () => attached.contact.connected)
  const stock = stockClient(server.sync)
  await stock.synced
  textOf(attached).insert(0, 'mine\n')
  await until('the server has it', () => textOf(stock).toString() === 'mine\n')
  textOf(stock).insert(0, 'theirs\n')
  await until('it comes back', () => textOf(attached).toString() === 'theirs\nmine\n')
  stock.close()
})

it('[ATTACH-2] without a server, and without a link for a while, nothing that was typed is lost', async () => {
  const own = await startServer()
  const one = await registered(own.url, 'Away')
  const attached = await attachedTo(one, own.url)
  await until('the link is connected', () => attached.contact.connected)
  await own.kill()
  await until('that is seen', () => !attached.contact.connected)
  textOf(attached).insert(0, 'offline\n')

  const pid = linkPid(one.home)!
  process.kill(pid, 'SIGKILL')
  textOf(attached).insert(0, 'no link\n')
  await until('there is another link', () => {
    const now = linkPid(one.home)
    return now !== null && now !== pid && isAlive(now)
  })
  textOf(attached).insert(0, 'typed meanwhile\n')
  const back = await startServer({ data: own.data, port: own.port })
  await until('the link is connected again', () => attached.contact.connected)
  const { client, doc } = await liveDoc(`${back.sync}/default`)
  const wanted = 'typed meanwhile\nno link\noffline\n'
  await until('the server has it all', () => textOf({ doc }).toString() === wanted)
  await client.close()
  await open.values().next().value!.close()
  open.clear()
  await back.stop()
})

it('[ATTACH-2] a link that is killed and replaced again and again: both sides have all in the end', async () => {
  const random = seeded(runSeed('links of an attachment'))
  const one = await registered(server.url, 'Replaced')
  const attached = await attachedTo(one)
  const id = attached.doc.clientID
  const stock = stockClient(server.sync)
  await stock.synced
  const wanted: string[] = []
  for (let round = 0; round < 6; round++) {
    const pid = linkPid(one.home)
    for (let i = 0; i < 20; i++) {
      wanted.push(`${round}.${i}`)
      textOf(attached, 'replaced.txt').insert(0, `${round}.${i}\n`)
      textOf(stock, 'others.txt').insert(0, `${round}.${i}\n`)
      await new Promise((next) => setTimeout(next, random() * 8))
      if (i === 10 && pid !== null) process.kill(pid, round % 2 === 0 ? 'SIGKILL' : 'SIGTERM')
    }
    const expected = textOf(attached, 'replaced.txt').toString()
    await until('there is another link', () => linkPid(one.home) !== pid)
    await until('all have it', () => textOf(stock, 'replaced.txt').toString() === expected)
  }
  const sorted = (text: Y.Text) => text.toString().trim().split('\n').sort()
  expect(sorted(textOf(stock, 'replaced.txt'))).toEqual([...wanted].sort())
  await until(
    'it has the others’',
    () => textOf(attached, 'others.txt').length === textOf(stock, 'others.txt').length,
  )
  expect(attached.doc.clientID).toBe(id)
  stock.close()
})

it('[ATTACH-3] two that are attached write under two client ids, which are used again after them', async () => {
  const one = await registered(server.url, 'Two')
  const first = await attachedTo(one)
  const second = await attachedTo(one)
  const ids = [first.doc.clientID, second.doc.clientID]
  expect(new Set(ids).size).toBe(2)
  textOf(first, 'two.txt').insert(0, 'first\n')
  await until('the second has it', () => textOf(second, 'two.txt').toString() === 'first\n')
  textOf(second, 'two.txt').insert(0, 'second\n')
  await until('the first has it', () => textOf(first, 'two.txt').toString() === 'second\nfirst\n')
  for (const attached of [first, second]) await attached.close()
  open.clear()
  const third = await attachedTo(one)
  expect(ids).toContain(third.doc.clientID)
  await killLink(one.home, 'SIGTERM')
  const fourth = await attachedTo(one)
  expect(ids).toContain(fourth.doc.clientID)
  expect(fourth.doc.clientID).not.toBe(third.doc.clientID)
})

it('[ATTACH-3] the id of an attachment whose link ended is not given to another that comes first', async () => {
  const one = await registered(server.url, 'First come')
  const first = await attachedTo(one)
  const id = first.doc.clientID
  await killLink(one.home)
  textOf(first, 'kept.txt').insert(0, 'typed without a link\n')
  const second = await attachedTo(one)
  expect(second.doc.clientID).not.toBe(id)
  textOf(second, 'kept.txt').insert(0, 'typed by another\n')
  await until('both have both', () =>
    [first, second].every((it) => textOf(it, 'kept.txt').length === 38),
  )
  expect(first.doc.clientID).toBe(id)
})

it('[ATTACH-3] kill -9 of who types: the next one has its id, the replicas agree, nothing is doubled', async () => {
  const random = seeded(runSeed('attachment kills'))
  const one = await registered(server.url, 'Typist')
  const ids = new Set<string>()
  const writer = await bundle('../test/support/client/attach-writer.ts')
  for (let round = 0; round < 4; round++) {
    const link = JSON.stringify(linkAt(one.home))
    const child = spawn(process.execPath, [writer, link, server.url], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const id = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
    ids.add(String(id[0]).trim())
    await new Promise((moment) => setTimeout(moment, random() * 300))
    if (round === 2) await killLink(one.home)
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  expect(ids.size).toBe(1)
  const attached = await attachedTo(one)
  expect(String(attached.doc.clientID)).toBe([...ids][0])
  textOf(attached, 'typed.txt').insert(0, 'after\n')
  const { client, doc } = await liveDoc(`${server.sync}/default`)
  const typed = () => textOf({ doc }, 'typed.txt').toString()
  await until('the server has all', () => typed() === textOf(attached, 'typed.txt').toString())
  expect(Y.encodeStateVector(doc)).toEqual(Y.encodeStateVector(attached.doc))
  // Each writer counts from 0: what was cut off is at the end of a run, and no number is missing or there twice.
  const runs = typed().trim().split('\n').slice(1).map(Number)
  expect(runs.length).toBeGreaterThan(4)
  for (const [i, n] of runs.entries()) if (i > 0 && n !== 0) expect(n).toBe(runs[i - 1]! + 1)
  await client.close()
})

it('[ATTACH-4] a person is seen as one, where it is and what it does; the attachment keeps it from being idle', async () => {
  const one = agentHere(server.url)
  const attached = await attachedTo(one)
  expect(attached.me).toBeNull()
  const ran = await attached.run(['register', '--name', 'Pat', '--person'])
  expect(ran).toMatchObject({ code: 0, data: { agent: { name: 'Pat', kind: 'person' } } })
  await until('it knows who it is', () => attached.me !== null && attached.where.name === 'Pat')
  const cursor = { file: 'a.txt' as never, anchor: { tname: 'file:a.txt' }, head: null }
  attached.show({ cursor, activity: { note: 'reads' } })
  const stock = stockClient(server.sync)
  const shown = () =>
    [...stock.provider.awareness.getStates().values()].find((state) => state.agent?.name === 'Pat')
  await until('others see it', () => shown()?.cursor !== undefined)
  expect(shown()).toEqual({
    agent: { id: attached.me, name: 'Pat', kind: 'person' },
    activity: { state: 'active', note: 'reads' },
    cursor,
  })
  const seen = () => JSON.stringify(attached.presences())
  await until('it sees itself', () => seen().includes('reads'))
  expect(attached.presences()).toContainEqual(shown())
  attached.show({ cursor: null })
  await until('it is nowhere', () => shown()?.cursor === undefined)
  expect(shown()).toMatchObject({ activity: { note: 'reads' } })
  await attached.close()
  open.clear()
  await until('it is idle', () => shown()?.activity.state === 'idle')
  expect(shown()).not.toHaveProperty('activity.note')
  stock.close()
})

it('[ATTACH-5] messages are shown as they come, and are unread until they are acknowledged', async () => {
  const [one, other] = await Promise.all([
    registered(server.url, 'Reader'),
    registeredHere(server.url, 'Writer'),
  ])
  await one.ask('poll')
  const attached = await attachedTo(one)
  const came: string[] = []
  attached.onMessages((messages) => {
    for (const message of messages) if ('content' in message) came.push(message.content)
  })
  await other.ask('send', '--to', 'Reader', '--content', 'hello')
  await until('it came', () => came.length === 1)
  const unread = () => attached.unread().flatMap((it) => ('content' in it ? it.content : []))
  expect(unread()).toEqual(['hello'])
  await killLink(one.home)
  await other.ask('send', '--to', 'Reader', '--content', 'again')
  await until('the next came', () => came.length === 2)
  expect([came, unread()]).toEqual([
    ['hello', 'again'],
    ['hello', 'again'],
  ])
  expect(await attached.run(['poll'])).toMatchObject({ code: 0, data: { count: 2 } })
  await until('nothing is unread', () => attached.unread().length === 0)
})

it('[ATTACH-6] it does what a verb does, by the verb, and is told what is wrong', async () => {
  const one = await registeredHere(server.url, 'Doer')
  const attached = await attachedTo(one)
  const said = await attached.run(['broadcast', '--content', '-'], 'a long body\n')
  expect(said).toMatchObject({ code: 0, data: { message: { content: 'a long body\n' } } })
  const wrong = await attached.run(['send', '--to', 'Doers', '--content', 'x'])
  expect(wrong).toMatchObject({ code: 3, error: { code: 'unknown_agent' } })
  expect(await attached.run(['no-such-verb'])).toMatchObject({ code: 2, error: { code: 'usage' } })
})

it('[ATTACH-6] flags that cannot be are refused', async () => {
  const one = agentHere(server.url)
  await expect(attachTo(linkAt(one.home), 'no server')).rejects.toMatchObject({ code: 'bad_url' })
})

it('[ATTACH-7] a link of another version makes way for one of this, and both sides keep what they have', async () => {
  const one = await registered(server.url, 'Newer')
  const attached = await attachedTo(one)
  textOf(attached, 'newer.txt').insert(0, 'before\n')
  const pid = linkPid(one.home)!
  const socket = connect(linkAt(one.home).socket)
  socket.write(`${JSON.stringify({ version: '0.0.1', argv: ['discover'] })}\n`)
  socket.resume() // to its end
  await until('the first one is gone', () => !isAlive(pid))
  textOf(attached, 'newer.txt').insert(0, 'after\n')
  await until('it is attached to the next', () => attached.contact.connected)
  const { doc, client } = await liveDoc(`${server.sync}/default`)
  await until('all is there', () => textOf({ doc }, 'newer.txt').toString() === 'after\nbefore\n')
  await client.close()
})

it('[ATTACH-8] who is attached keeps the link from stopping; `down` ends it all the same, and none is started', async () => {
  const one = agent(server.url)
  // Longer than it takes to attach on a busy machine: else there would be another link by then.
  await one.runWith({ env: { CLAWLINK_LINK_IDLE: '3' } }, 'register', '--name', 'Stays')
  const attached = await attachedTo(one)
  const pid = linkPid(one.home)!
  await until('its idle time is over', async () => {
    const { link } = await one.ask<{ link: { since: string } }>('status')
    return Date.now() - Date.parse(link.since) > 6_000
  })
  expect(linkPid(one.home)).toBe(pid)
  await one.run('down')
  await until('it is told', () => attached.contact.why === 'the link was taken down')
  textOf(attached, 'stays.txt').insert(0, 'typed without a link\n')
  await until('there is no link', () => linkPid(one.home) === null)
  await one.ask('discover')
  await until('it is attached again', () => attached.contact.connected)
  const { doc, client } = await liveDoc(`${server.sync}/default`)
  await until('all is there', () => textOf({ doc }, 'stays.txt').length === 21)
  await client.close()
})
