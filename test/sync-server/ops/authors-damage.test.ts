import { Level } from 'level'
import { expect, it } from 'vitest'
import { verifyFolder } from '../../../sync-server/ops/verify/verify.ts'
import { seal } from '../../../sync-server/storage/integrity/checksummed.ts'
import { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'
import { ask, type Member, member } from '../../support/auth/members.ts'
import { liveDoc } from '../../support/client.ts'
import { place, sync } from '../../support/ops/commands.ts'
import { copyOf } from '../../support/ops/lived-in.ts'
import { type Server, startServer } from '../../support/server.ts'

const ROOT = 'file:t'

/** Writes under one's own Yjs client id, and deletes a part of it; returns that id. */
const write = async (server: Server, { headers }: Member): Promise<number> => {
  const { client, doc } = await liveDoc(`${server.sync}/default`, undefined, headers)
  doc.getText(ROOT).insert(0, 'some words')
  doc.getText(ROOT).delete(4, 2)
  await client.barrier()
  await client.close()
  return doc.clientID
}

const attributionOf = async (data: string) => {
  const log = await LevelUpdateLog.open(data, Date.now)
  const map = await log.attribution('default', null)
  await log.close()
  return map
}

it('[BLAME-11] a damaged entry costs only its own authors: all else is told, verify names it, and the server works', async () => {
  const first = await startServer()
  const [anna, ben] = [await member(first, 'anna'), await member(first, 'ben')]
  const [annas, bens] = [await write(first, anna), await write(first, ben)]
  await first.stop()
  const db = new Level<string, Uint8Array>(first.data, { valueEncoding: 'view' })
  const keys = await db.keys({ gt: 'm:default:', lt: 'm:default;' }).all()
  await db.close()
  expect(keys).toContain(`m:default:i:${annas}:0000000000001`)
  expect(keys).toContain('m:default:s')
  for (const key of keys) {
    for (const value of [new Uint8Array([1, 2, 3]), seal(new Uint8Array([7, 200]))]) {
      const data = copyOf(first.data)
      const copy = new Level<string, Uint8Array>(data, { valueEncoding: 'view' })
      await copy.put(key, value)
      await copy.close()
      const { problems } = await verifyFolder(data)
      expect(problems.map(({ where }) => where).join()).toContain(key)
      const { inserts, deletes } = await attributionOf(data)
      if (!key.startsWith(`m:default:i:${bens}`)) expect(inserts.get(bens)).toHaveLength(1)
      if (!key.startsWith(`m:default:d:${bens}`)) {
        const isNamed = !key.startsWith('m:default:n')
        expect(deletes.get(bens)).toMatchObject([{ length: 2, by: isNamed ? 'ben' : '?' }])
      }
    }
  }
  // Of all entries damaged at once: the server starts, stores, folds, and credits from now on.
  const data = copyOf(first.data)
  const copy = new Level<string, Uint8Array>(data, { valueEncoding: 'view' })
  for (const key of keys) await copy.put(key, new Uint8Array([9]))
  await copy.close()
  const server = await startServer({ data })
  const again = await write(server, ben)
  await server.stop()
  const { inserts, deletes } = await attributionOf(data)
  expect(inserts.get(again)).toMatchObject([{ clock: 0, length: 10 }])
  expect(deletes.get(again)).toMatchObject([{ by: 'ben', length: 2 }])
})

it('[BLAME-11] a restored backup has the same authors, and verify finds nothing', async () => {
  const server = await startServer()
  const anna = await member(server, 'anna')
  await ask(server, '/api/workspaces/default/register', { name: 'Anna' }, anna.headers)
  const id = await write(server, anna)
  const backup = place('backup')
  expect((await sync('backup', backup, '--data', server.data)).code).toBe(0)
  await server.stop()
  const data = place('restored')
  expect((await sync('restore', backup, '--data', data)).code).toBe(0)
  const map = await attributionOf(data)
  expect(map.inserts.get(id)).toEqual((await attributionOf(server.data)).inserts.get(id))
  expect(map.deletes.get(id)).toMatchObject([{ by: 'anna', clock: 4, length: 2 }])
  expect((await verifyFolder(data)).problems).toEqual([])
})
