import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { Level } from 'level'
import { expect, it } from 'vitest'
import * as Y from 'yjs'
import type { AgentId } from '../../../protocol/ids.ts'
import { agentsOf, readText } from '../../../sync-server/history/attribution/blame.ts'
import { blobPath } from '../../../sync-server/ops/blob-files.ts'
import { verifyFolder } from '../../../sync-server/ops/verify/verify.ts'
import { seal } from '../../../sync-server/storage/integrity/checksummed.ts'
import { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'
import { filesOf, initWorkspace, renewServerClient } from '../../../workspace/document/schema.ts'
import { serverClientsOf } from '../../../workspace/document/server-clients.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { ask, type Member, member } from '../../support/auth/members.ts'
import { liveDoc } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { place, sync } from '../../support/ops/commands.ts'
import { copyOf } from '../../support/ops/lived-in.ts'
import { type ServerAt, startServer } from '../../support/server.ts'

const ROOT = 'file:t'

/** Writes under one's own Yjs client id, and deletes a part of it; returns that id. */
const write = async (server: ServerAt, { headers }: Member): Promise<number> => {
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
  const first = await startHere()
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
  const server = await startHere({ data })
  const again = await write(server, ben)
  await server.stop()
  const { inserts, deletes } = await attributionOf(data)
  expect(inserts.get(again)).toMatchObject([{ clock: 0, length: 10 }])
  expect(deletes.get(again)).toMatchObject([{ by: 'ben', length: 2 }])
})

it('[BLAME-11] a restored backup has the same authors, and verify finds nothing', async () => {
  const server = await startHere()
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

it('[BLAME-12] after restores the server’s text is still the server’s, and text that nothing tells of has an unknown author', () => {
  let doc = new Y.Doc()
  initWorkspace(doc, 'w', 1)
  const key = 'f.md'
  putFile(doc, { key, content: 'first\n', base: null, by: 'a-ann' as AgentId, now: 1 })
  const servers = [doc.clientID]
  for (let restores = 0; restores < 3; restores++) {
    const next = new Y.Doc()
    Y.applyUpdate(next, Y.encodeStateAsUpdate(doc))
    doc = next
    renewServerClient(doc)
    servers.push(doc.clientID)
    doc.getText(`file:${filesOf(doc).get(key)!.fileId}`).insert(0, `${restores}\n`)
  }
  expect([...serverClientsOf(doc)].sort()).toEqual(servers.sort())
  const inserts = new Map([[98, []]])
  const agentOf = agentsOf(new Map([[1, 'a-ann']]), readText(doc, key, false), inserts)
  const [named, ...rest] = [1, ...servers, 98, 99].map(agentOf)
  expect([named, rest]).toEqual(['a-ann', [...servers.map(() => 'server'), 'owner', 'unknown']])
})

it('[TIME-9] verify names a missing blob that only a checkpoint refers to', async () => {
  const server = await startServer()
  const ann = await member(server, 'ann')
  const at = '/api/workspaces/default'
  const call = (path: string, body: object) => ask(server, `${at}/${path}`, body, ann.headers)
  await call('register', { name: 'Ann' })
  const bytes = Buffer.from([0, 1, 2, 3])
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const send = (path: string, body: string | Buffer) =>
    globalThis.fetch(`${server.url}${at}/${path}`, { method: 'PUT', headers: ann.headers, body })
  await send(`blobs/${sha256}?size=4`, bytes)
  await send('files/bytes', JSON.stringify({ key: 'logo.png', sha256, size: 4 }))
  expect((await call('checkpoints', { name: 'one' })).error).toBeUndefined()
  expect((await call('files/remove', { key: 'logo.png' })).error).toBeUndefined()
  await server.stop()
  expect((await verifyFolder(server.data)).problems).toEqual([])
  rmSync(blobPath(server.data, { workspace: 'default', sha256 }))
  expect((await verifyFolder(server.data)).problems).toMatchObject([
    { where: `workspace default, blob ${sha256}`, what: expect.stringContaining('a checkpoint') },
  ])
})
