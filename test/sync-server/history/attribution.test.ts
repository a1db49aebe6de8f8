import { expect, it } from 'vitest'
import * as Y from 'yjs'
import type { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'
import { openLog } from '../../../sync-server/storage/open-log.ts'
import { placeOf } from '../../../sync-server/storage/place.ts'
import { ask, type Member, member } from '../../support/auth/members.ts'
import { frame, liveDoc } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'

const join = (server: ServerAt, who: Member, doc = new Y.Doc()) =>
  liveDoc(`${server.sync}/default`, doc, who.headers)

/** The log of a server that has stopped. */
const logOf = async <T>(data: string, read: (log: LevelUpdateLog) => Promise<T>): Promise<T> => {
  const log = await openLog(placeOf(data, null), Date.now, false)
  return read(log).finally(() => log.close())
}

it('[BLAME-3] [BLAME-4] forged ids, repeated operations and repeated deletions change no attribution', async () => {
  const server = await startHere()
  const [anna, ben, mallory] = [
    await member(server, 'anna'),
    await member(server, 'ben'),
    await member(server, 'mallory'),
  ]
  const a = await join(server, anna)
  const b = await join(server, ben)
  a.doc.getText('file:t').insert(0, 'hello world')
  await a.client.barrier()
  await b.client.barrier()
  b.doc.getText('file:t').delete(3, 4)
  await b.client.barrier()
  // Mallory sends all that is there, as a client does that comes back.
  const copy = new Y.Doc()
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(b.doc))
  const m = await join(server, mallory, copy)
  const repeated = frame(0, 1, a.doc.clientID, 1, 2, 6)
  m.client.update(repeated)
  m.doc.getText('file:t').insert(0, 'me: ')
  await m.client.barrier()
  const forged = new Y.Doc()
  Y.applyUpdate(forged, Y.encodeStateAsUpdate(copy))
  forged.clientID = a.doc.clientID
  forged.getText('file:t').insert(0, 'anna: ')
  m.client.update(Y.encodeStateAsUpdate(forged, Y.encodeStateVector(copy)))
  expect(await m.client.closed).toBe(4430)
  await server.stop()
  await logOf(server.data, async (log) => {
    const clients = new Set([a.doc.clientID, b.doc.clientID, m.doc.clientID])
    const { inserts, deletes } = await log.attribution('default', clients)
    const owners = await log.owners('default')
    expect([...clients].map((client) => owners.get(client))).toEqual(['anna', undefined, 'mallory'])
    expect(inserts.get(a.doc.clientID)).toMatchObject([{ clock: 0, length: 11 }])
    expect(inserts.get(m.doc.clientID)).toMatchObject([{ clock: 0, length: 4 }])
    expect([...deletes]).toMatchObject([
      [
        a.doc.clientID,
        [
          { clock: 2, length: 1, by: 'mallory' },
          { clock: 3, length: 4, by: 'ben' },
          { clock: 7, length: 1, by: 'mallory' },
        ],
      ],
    ])
    expect(await log.deletedTexts('default', 'file:t')).toEqual([
      { client: a.doc.clientID, clock: 3, text: 'lo w' },
      { client: a.doc.clientID, clock: 2, text: 'l' },
      { client: a.doc.clientID, clock: 7, text: 'o' },
    ])
  })
})

it('[BLAME-5] an edit is for the task that its agent holds, and for no other that it names', async () => {
  const server = await startHere()
  const [anna, ben] = [await member(server, 'anna'), await member(server, 'ben')]
  for (const { agent, headers } of [anna, ben]) {
    await ask(server, '/api/workspaces/default/register', { name: agent }, headers)
  }
  const a = await join(server, anna)
  const text = a.doc.getText('file:t')
  const write = async (words: string) => {
    text.insert(text.length, words)
    await a.client.barrier()
  }
  const delegate = async (): Promise<string> => {
    const body = { to: 'anna', task: 'write' }
    const { data, error } = await ask<{ task: { task_id: string } }>(
      server,
      '/api/workspaces/default/tasks',
      body,
      ben.headers,
    )
    expect(error).toBeUndefined()
    return data.task.task_id
  }
  const claim = (task: string) =>
    ask(server, `/api/workspaces/default/tasks/${task}/claim`, {}, anna.headers)
  const [one, two] = [await delegate(), await delegate()]
  await write('none ')
  await claim(one)
  await write('one ')
  await claim(two)
  await write('either ')
  let clock = 0
  const name = (task: string) => {
    const state = { agent: { id: 'anna', name: 'x', kind: 'agent' }, activity: { task } }
    const entry = frame(1, a.doc.clientID, ++clock, Buffer.from(JSON.stringify(state)))
    a.client.send(frame(1, entry))
  }
  name(two)
  await write('two ')
  name('t-of-another')
  await write('none')
  await server.stop()
  await logOf(server.data, async (log) => {
    const { inserts } = await log.attribution('default', null)
    expect(inserts.get(a.doc.clientID)!.map(({ length, task }) => [length, task])).toEqual([
      [5, null],
      [4, one],
      [7, null],
      [4, two],
      [4, null],
    ])
  })
})
