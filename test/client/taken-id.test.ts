import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import * as Y from 'yjs'
import { Replica } from '../../client/replica/replica.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { listAgents } from '../../workspace/agents/agents.ts'
import { reauthor } from '../../workspace/document/reauthor.ts'
import { broadcastsOf, editsOf } from '../../workspace/document/schema.ts'
import { readFile } from '../../workspace/files/file-info.ts'
import { putFile } from '../../workspace/files/put-file.ts'
import { liveBroadcasts } from '../../workspace/messages/live-log.ts'
import { agentHere, WAYS_HERE } from '../support/agent.ts'
import { member } from '../support/auth/members.ts'
import { frame, liveDoc, RawClient, until } from '../support/client.ts'
import { startHere } from '../support/in-process.ts'
import { tempDir } from '../support/server.ts'

const said = (doc: Y.Doc) => liveBroadcasts(doc, Date.now())

const stolen = (client: number, length: number): Uint8Array => {
  const doc = new Y.Doc()
  doc.clientID = client
  doc.getText('junk').insert(0, '.'.repeat(length))
  return Y.encodeStateAsUpdate(doc)
}

const replicaOf = (home: string): string => {
  const dir = join(home, 'replicas')
  return join(dir, readdirSync(dir).find((name) => !/\.(setup|witness)$/.test(name))!)
}

it.each(WAYS_HERE.flatMap((way) => [1, 500].map((length) => ({ way, length }))))(
  '[REPLICA-9] what was written under a client id that another has taken is sent under a new one: $way, $length operations taken',
  async ({ way, length }) => {
    const args = ['--limit', 'offences=1000']
    const first = await startHere({ args })
    const { data, port, url } = first
    const home = tempDir('home')
    // The credential is there, and nothing was written yet.
    const alone = agentHere(url, home, 'alone-here')
    await alone.run('discover')
    await first.stop()
    for (const [...command] of [
      ['register', '--name', 'Ben'],
      ['broadcast', '--content', 'one'],
      ['file-put', '--key', 'a.md', '--file', '-'],
      ['file-edit', '--key', 'a.md', '--find', '1', '--replace', '2'],
    ]) {
      const { code, stderr } = await alone.runWith({ stdin: 'ben 1\n' }, ...command)
      expect([command[0], code, stderr]).toEqual([command[0], 0, expect.stringContaining('queued')])
    }
    const closed = await Replica.open(replicaOf(home), () => {})
    const { clientID } = closed.doc
    await closed.close()

    const server = await startHere({ data, port, args })
    const mallory = await member(server, 'a-mallory')
    const thief = await RawClient.open(`${server.sync}/default`, mallory.headers)
    thief.send(frame(0, 1, stolen(clientID, length)))
    await thief.barrier()
    const ben = agentHere(url, home, way)
    const during = await ben.run('broadcast', '--content', 'two')
    // Either it is queued, or nothing was done and it is to be given again.
    expect([0, 4]).toContain(during.code)
    if (during.code === 4) {
      expect(during.stderr).toContain('give the same command again')
      await until(
        'it is taken',
        async () => (await ben.run('broadcast', '--content', 'two')).code === 0,
      )
    }
    await until('all is there', async () => {
      await ben.run('poll')
      const { client, doc } = await liveDoc(`${server.sync}/default`)
      const isThere = said(doc).some(({ content }) => content === 'two')
      await client.close()
      return isThere
    })
    expect((await ben.run('broadcast', '--content', 'three')).code).toBe(0)
    const { client, doc } = await liveDoc(`${server.sync}/default`)
    await until('the last one is there', () => said(doc).length === 3)
    expect(
      said(doc)
        .map(({ content }) => content)
        .sort(),
    ).toEqual(['one', 'three', 'two'])
    expect(readFile(doc, 'a.md')).toMatchObject({ content: 'ben 2\n', version: 2 })
    const here = { present: new Set<AgentId>(), now: Date.now() }
    expect(listAgents(doc, here).map(({ name }) => name)).toEqual(['Ben'])
    expect([...editsOf(doc, 'a.md' as never).keys()]).not.toContain(String(clientID))
    await client.close()
    await ben.run('down')
    const after = await Replica.open(replicaOf(home), () => {})
    expect(after.doc.clientID).not.toBe(clientID)
    // A deletion of ben's that was sent before may have met a letter of hers.
    expect(after.doc.getText('junk').length).toBeGreaterThan(length - 4)
    await after.close()
    await thief.close()
    await server.stop()
  },
)

it('[REPLICA-9] the move to another client id is whole or not at all', async () => {
  const dir = join(tempDir('replica'), 'r')
  const replica = await Replica.open(dir, () => {})
  const taken = replica.doc.clientID
  replica.doc.getText('t').insert(0, 'kept')
  const theirs = stolen(taken, 3)
  expect(await replica.takeNewId(theirs)).toBe(true)
  // What is written after it, by mistake, is refused.
  replica.doc.getText('t').insert(0, 'lost')
  await expect(replica.commit()).rejects.toMatchObject({ code: 'busy' })
  await replica.close()
  expect(existsSync(dir)).toBe(true)
  const again = await Replica.open(dir, () => {})
  expect(again.doc.getText('t').toString()).toBe('kept')
  expect(again.doc.getText('junk').toString()).toBe('...')
  expect(again.doc.clientID).not.toBe(taken)
  expect(again.wroteUnder(taken)).toBe(false)
  again.doc.getText('t').insert(4, '!')
  await again.close()
  const third = await Replica.open(dir, () => {})
  expect(third.doc.getText('t').toString()).toBe('kept!')
  await third.close()
})

it('[REPLICA-9] text, lists, maps, nested types, deletions and counts come along, beside what others wrote', () => {
  const server = new Y.Doc()
  server.getText('file:a').insert(0, 'server text')
  server.getArray('broadcasts').push([{ id: 'm-0' }])
  const local = new Y.Doc()
  Y.applyUpdate(local, Y.encodeStateAsUpdate(server))
  const { clientID } = local
  const text = local.getText('file:a')
  text.insert(7, 'BIG ')
  text.delete(0, 1)
  text.insert(text.length, '!')
  text.delete(7, 2)
  const put = { key: 'b.md', by: 'a-1' as AgentId, now: 1 }
  putFile(local, { ...put, content: 'x\n', base: null })
  putFile(local, { ...put, content: 'x\ny\n', base: 'x\n' })
  const record = new Y.Map<unknown>([['name', 'N']])
  local.getMap('agents').set('a-1', record)
  record.set('name', 'M')
  local.getArray('broadcasts').insert(0, [{ id: 'm-1' }, { id: 'm-2' }])
  const own = { client: clientID, end: Y.getState(local.store, clientID) }
  const json = (doc: Y.Doc) => ({
    text: doc.getText('file:a').toString(),
    file: readFile(doc, 'b.md'),
    agents: doc.getMap('agents').toJSON(),
    broadcasts: broadcastsOf(doc).toJSON(),
  })
  // Others went on meanwhile, and somebody took the id.
  server.getText('file:a').insert(0, '> ')
  Y.applyUpdate(server, stolen(clientID, 40))
  const made = reauthor(local, Y.encodeStateAsUpdate(server), own, 12345)!
  expect(json(made)).toEqual({ ...json(local), text: `> ${json(local).text}` })
  expect([...editsOf(made, 'b.md' as never).keys()]).toEqual(['12345'])
  expect(Y.getState(made.store, 12345)).toBe(own.end)
  // All of it can be sent, by itself.
  Y.applyUpdate(server, Y.encodeStateAsUpdate(made, Y.encodeStateVector(server)))
  expect(json(server)).toEqual(json(made))
  expect((server.store as { pendingStructs: unknown }).pendingStructs).toBe(null)
})

it('[REPLICA-9] what stands where no server has it is not moved', () => {
  const other = new Y.Doc()
  other.getText('t').insert(0, 'abc')
  const local = new Y.Doc()
  Y.applyUpdate(local, Y.encodeStateAsUpdate(other))
  local.getText('t').insert(1, 'x')
  const own = { client: local.clientID, end: 1 }
  const made = reauthor(local, Y.encodeStateAsUpdate(new Y.Doc()), own, 5)
  // What others wrote and only this replica has goes along: the server says whose it is.
  expect(made?.getText('t').toString()).toBe('axbc')
})
