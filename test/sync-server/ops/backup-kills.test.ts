import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { AgentId } from '../../../protocol/ids.ts'
import { verifyFolder } from '../../../sync-server/ops/verify/verify.ts'
import { blobsOf } from '../../../workspace/document/schema.ts'
import { putBlob } from '../../../workspace/files/put-blob.ts'
import { findLeaf } from '../../../workspace/files/tree.ts'
import { blobFiles, putBytes, someBytes } from '../../support/blobs.ts'
import { liveDoc, orLong, runSeed, seeded, until } from '../../support/client.ts'
import { place, sync, syncJson } from '../../support/ops/commands.ts'
import { LIVE_ARGS, liveIn } from '../../support/ops/lived-in.ts'
import { startServer } from '../../support/server.ts'

it('[OPS-2] blobs that were referred to at its moment are in a backup, though they are replaced and swept meanwhile', async () => {
  const server = await startServer({
    env: { CLAWLINK_SWEEP: '0.02' },
    args: ['--log-level', 'error'],
  })
  const { client, doc } = await liveDoc(`${server.sync}/default`)
  const by = 'a-1' as AgentId
  let stop = false
  const churn = async (): Promise<void> => {
    if (stop) return
    const blob = someBytes(200)
    await putBytes(server, blob)
    putBlob(doc, { ...blob, key: 'a.png', known: null, by, now: Date.now(), force: true })
    await client.barrier()
    return churn()
  }
  const churning = churn()
  await until('there are some', () => blobFiles(server.data).length > 20)
  for (let round = 0; round < orLong(2, 6); round++) {
    const [dir, copy] = [place('backup'), place('restored')]
    await syncJson('backup', dir, '--data', server.data)
    await syncJson('restore', dir, '--data', copy)
    const { problems, counts } = await verifyFolder(copy)
    expect(problems).toEqual([])
    expect(counts.blobs).toBeGreaterThan(20)
  }
  stop = true
  await churning
  expect(blobsOf(doc, findLeaf(doc, 'a.png')!.entry.fileId).size).toBeGreaterThan(0)
  await client.close()
  await server.stop()
})

const KILLS = orLong(2, 12)

it(`[OPS-3] kill -9 of the server in ${KILLS} backups: there is a whole one, or nothing that passes for one`, async () => {
  const random = seeded(runSeed('kill in backup'))
  let server = await startServer({ args: LIVE_ARGS })
  await liveIn(server)
  const { data, port } = server
  for (let kill = 0; kill < KILLS; kill++) {
    const dir = place('killed')
    const ran = sync('backup', dir, '--data', data)
    const parent = join(dir, '..')
    await until('it has begun', () => readdirSync(parent).length > 0)
    await new Promise((moment) => setTimeout(moment, random() * 30))
    await server.kill()
    const { code } = await ran
    if (existsSync(dir)) {
      expect((await sync('verify', dir)).code).toBe(0)
    } else {
      expect(code).toBe(6)
      const [partial] = readdirSync(parent)
      const passed = await sync('restore', join(parent, partial!), '--data', place('no'))
      // The kill may have come between the manifest and the name: then it is whole all the same; or within the manifest.
      const refused = /is not a finished backup|manifest\.json is damaged/
      if (passed.code !== 0) expect(passed.stderr).toMatch(refused)
    }
    server = await startServer({ data, port, args: LIVE_ARGS })
  }
  const dir = place('after')
  expect((await sync('backup', dir, '--data', data)).code).toBe(0)
  await server.stop()
})
