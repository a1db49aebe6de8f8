import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import * as Y from 'yjs'
import type { AgentId, TaskId } from '../../../protocol/ids.ts'
import { submissionsOf } from '../../../workspace/document/schema.ts'
import { taskRecord } from '../../../workspace/document/shape.ts'
import { putBlob } from '../../../workspace/files/put-blob.ts'
import { addTask, listTasks } from '../../../workspace/tasks/tasks.ts'
import { blobFiles, putBytes, someBytes } from '../../support/blobs.ts'
import { liveDoc, RawClient, stockClient, until, untilDoc } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { place, syncHere, syncJsonHere } from '../../support/ops/commands.ts'
import { dump, LIVE_ARGS, liveIn } from '../../support/ops/lived-in.ts'
import { type ServerAt, startServer } from '../../support/server.ts'

interface Summary {
  records: number
  blobs: number
}

const ownerOf = ({ data }: ServerAt) =>
  JSON.parse(readFileSync(join(data, 'owner.json'), 'utf8')) as { token: string; url: string }

it('[OPS-1] what was acknowledged before a backup is in it, and what is in it fits together, with writers at work', async () => {
  const server = await startHere({ args: ['--log-level', 'error'] })
  let stop = false
  const acknowledged: number[] = []
  const writers = await Promise.all(
    [0, 1, 2].map(async (w) => {
      const { client, doc } = await liveDoc(`${server.sync}/w${w}`)
      const write = async (n: number): Promise<void> => {
        if (stop) return client.close()
        doc.transact(() => {
          doc.getArray('list').push([n])
          doc.getMap('newest').set('n', n)
        })
        await client.barrier()
        acknowledged[w] = n
        return write(n + 1)
      }
      return { done: write(1) }
    }),
  )
  for (let round = 0; round < 2; round++) {
    await until(
      'there is more',
      () => acknowledged.filter((n) => n > 20 * (round + 1)).length === 3,
    )
    const before = [...acknowledged]
    const dir = place('backup')
    await syncJsonHere('backup', dir, '--data', server.data)
    const copy = place('restored')
    expect((await syncHere('restore', dir, '--data', copy)).code).toBe(0)
    const restored = await startHere({ data: copy })
    for (const [w, least] of before.entries()) {
      const reader = stockClient(restored.sync, `w${w}`)
      await reader.synced
      const list = reader.doc.getArray<number>('list').toArray()
      expect(list.length).toBeGreaterThanOrEqual(least)
      expect(list).toEqual(Array.from(list, (_, i) => i + 1))
      expect(reader.doc.getMap('newest').get('n')).toBe(list.length)
      reader.close()
    }
    await restored.stop()
  }
  stop = true
  await Promise.all(writers.map(({ done }) => done))
  await server.stop()
})

it('[OPS-1] a backup of a stopped server is what one of it running is; restored, it has the same records', async () => {
  const server = await startServer({ args: LIVE_ARGS })
  await liveIn(server)
  const [hot, cold, copy] = [place('hot'), place('cold'), place('restored')]
  const running = await syncJsonHere<Summary>('backup', hot, '--data', server.data)
  expect(running.records).toBeGreaterThan(1_000)
  await server.kill()
  const stopped = await syncJsonHere<Summary>('backup', cold, '--data', server.data)
  expect(stopped.records).toBeGreaterThan(1_000)
  await syncJsonHere('restore', cold, '--data', copy)
  const restored = await dump(copy)
  for (const [key, value] of await dump(server.data)) expect(restored.get(key)).toBe(value)
  expect(blobFiles(copy)).toEqual(blobFiles(server.data))
  for (const dir of [hot, cold, copy]) expect(statSync(dir).mode & 0o077).toBe(0)
})

it('[OPS-4] a backup with anything changed in it is not restored; what is not empty is not written over', async () => {
  const server = await startHere({ args: ['--log-level', 'error'] })
  const { client, doc } = await liveDoc(`${server.sync}/default`)
  const blob = someBytes(300)
  await putBytes(server, blob)
  const put = { ...blob, key: 'a.png', known: null, by: 'a-1' as AgentId, now: 1 }
  putBlob(doc, put)
  await client.barrier()
  await client.close()
  writeFileSync(join(server.data, 'members.json'), '{}', { mode: 0o600 })
  const dir = place('backup')
  await syncJsonHere('backup', dir, '--data', server.data)
  expect((await syncHere('backup', dir, '--data', server.data)).stderr).toContain('is not empty')
  expect((await syncHere('restore', dir, '--data', server.data)).code).toBe(4)
  const all = readdirSync(dir, { recursive: true, withFileTypes: true })
  const paths = all.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name))
  expect(paths.length).toBe(5) // the server’s key among them
  for (const path of paths) {
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.subarray(0, bytes.length - 2))
    const copy = place('restored')
    const { code, stderr } = await syncHere('restore', dir, '--data', copy)
    expect([code, stderr], path).toEqual([4, expect.stringContaining('damaged')])
    expect(existsSync(copy), path).toBe(false)
    expect(readdirSync(join(copy, '..')), path).toEqual([])
    expect((await syncHere('verify', dir)).code, path).toBe(1)
    writeFileSync(path, bytes)
  }
  const copy = place('restored')
  await syncJsonHere('restore', dir, '--data', copy)
  expect(statSync(join(copy, 'members.json')).mode & 0o777).toBe(0o600)
  expect(existsSync(join(copy, 'owner.json'))).toBe(false)
  await server.stop()
})

it('[OPS-4] [OPS-20] replicas that are ahead of a restored server get on with it: it numbers nothing as it did before', async () => {
  const server = await startHere({ args: ['--log-level', 'error'] })
  const { client, doc } = await liveDoc(`${server.sync}/default`)
  const dir = place('backup')
  const hand = (to: Y.Doc, id: string) => {
    const task = { from: 'a-1' as AgentId, to: null, context: null, priority: 'normal' as const }
    addTask(to, { ...task, id: id as TaskId, description: id, now: 1 })
  }
  const isFiled = (of: Y.Doc, id: string) =>
    untilDoc(of, () => submissionsOf(of).length === 0 && taskRecord(of, id) !== undefined)
  hand(doc, 't-before000000')
  await isFiled(doc, 't-before000000')
  await syncJsonHere('backup', dir, '--data', server.data)
  // The server writes, and the replica has it.
  for (let i = 0; i < 5; i++) {
    hand(doc, `t-after${i}000000`)
    await isFiled(doc, `t-after${i}000000`)
  }
  await client.close()
  await server.stop()

  const copy = place('restored')
  await syncJsonHere('restore', dir, '--data', copy)
  const restored = await startHere({ data: copy, args: ['--log-level', 'error'] })
  const other = await liveDoc(`${restored.sync}/default`)
  for (let i = 0; i < 5; i++) {
    hand(other.doc, `t-other${i}000000`)
    await isFiled(other.doc, `t-other${i}000000`)
  }
  const back = await liveDoc(`${restored.sync}/default`, doc)
  const ids = (of: Y.Doc) =>
    listTasks(of)
      .map(({ task_id }) => task_id as string)
      .sort()
  await untilDoc(other.doc, () => ids(other.doc).length === 11)
  await untilDoc(doc, () => ids(doc).length === 11)
  expect(ids(doc)).toEqual(ids(other.doc))
  await back.client.barrier()
  await other.client.barrier()
  expect(Y.encodeStateVector(doc)).toEqual(Y.encodeStateVector(other.doc))
  expect(doc.getMap('tasks').toJSON()).toEqual(other.doc.getMap('tasks').toJSON())
  await Promise.all([back.client.close(), other.client.close()])
  await restored.stop()
})

it('[OPS-14] the owner alone can ask for a backup; its token is in a file that nobody else can read', async () => {
  const server = await startHere({ args: ['--log-level', 'error'] })
  const { token, url } = ownerOf(server)
  expect(url).toBe(server.url)
  expect(statSync(join(server.data, 'owner.json')).mode & 0o777).toBe(0o600)
  const ask = async (authorization: string | null, dir: string) => {
    const answer = await globalThis.fetch(`${server.url}/api/admin/backup`, {
      method: 'POST',
      body: JSON.stringify({ dir }),
      headers: authorization === null ? {} : { authorization },
    })
    return answer.status
  }
  for (const wrong of [null, 'Bearer x', `Bearer ${token}x`, `Basic ${token}`, token]) {
    expect(await ask(wrong, place('no'))).toBe(401)
  }
  expect(await ask(`Bearer ${token}`, 'not/absolute')).toBe(400)
  expect(await ask(`Bearer ${token}`, place('yes'))).toBe(200)
  expect(server.log()).not.toContain(token)
  await server.stop()
  const again = await startHere({ data: server.data })
  expect(ownerOf(again).token).toBe(token)
  await again.stop()
})

it('[OPS-1] a document that is large, and one that is being compacted, are in it whole', async () => {
  const server = await startHere({ args: ['--log-level', 'error'] })
  const client = await RawClient.open(`${server.sync}/w`)
  const doc = new Y.Doc()
  doc.on('update', (update: Uint8Array) => client.update(update))
  doc.getText('t').insert(0, 'x'.repeat(3_000_000))
  for (let i = 0; i < 2_500; i++) doc.getText('t').insert(i, 'y')
  const copying = syncJsonHere('backup', place('during'), '--data', server.data)
  await client.barrier()
  await copying
  const [dir, copy] = [place('backup'), place('restored')]
  await syncJsonHere('backup', dir, '--data', server.data)
  await syncJsonHere('restore', dir, '--data', copy)
  const restored = await startHere({ data: copy })
  const reader = stockClient(restored.sync, 'w')
  await reader.synced
  expect(reader.doc.getText('t').length).toBe(3_002_500)
  reader.close()
  await client.close()
  await Promise.all([restored.stop(), server.stop()])
})
