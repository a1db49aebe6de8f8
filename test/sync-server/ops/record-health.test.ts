import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Level } from 'level'
import * as encoding from 'lib0/encoding'
import { expect, it } from 'vitest'
import * as Y from 'yjs'
import { Session } from '../../../client/session/session.ts'
import type { Witness } from '../../../protocol/witness.ts'
import { seal } from '../../../sync-server/storage/integrity/checksummed.ts'
import { seqKey } from '../../../sync-server/storage/integrity/level-keys.ts'
import { initWorkspace } from '../../../workspace/document/schema.ts'
import { orLong, runSeed, seeded } from '../../support/client.ts'
import { serveData, serveHere } from '../../support/in-process.ts'
import { place, syncHere } from '../../support/ops/commands.ts'
import { poison, putIn } from '../../support/poison.ts'
import { startServer, targetOf, tempDir } from '../../support/server.ts'

const KILLS = orLong(3, 20)
const TIMEOUT_MS = 30_000

/** A client that writes into `default`, and keeps the newest head. */
const keeperAt = (url: string, doc = new Y.Doc()) => {
  const session = new Session(targetOf(url), 'default', { doc, commit: async () => {} }, null)
  const keeper = { doc, session, witness: null as Witness | null, write: async () => {} }
  session.onHead = ({ seq, head }) => {
    const hex = Buffer.from(head).toString('hex')
    keeper.witness = { workspace: 'default', seq, head: hex, at: '' }
  }
  keeper.write = async () => {
    doc.getText('file:f').insert(0, 'text ')
    await session.barrier(TIMEOUT_MS)
  }
  return keeper
}

/** What `verify` says of a data folder or a backup, with this witness. */
const verify = async (witness: Witness | null, ...args: string[]) => {
  const file = join(tempDir('witness'), 'w')
  writeFileSync(file, `${JSON.stringify(witness)}\n`)
  const { code, stdout, stderr } = await syncHere('verify', ...args, '--witness', file)
  return { code, said: stdout + stderr }
}

it(`[RECORD-8] a log verifies with the newest witness after ${KILLS} times kill -9, and after checkpoints`, async () => {
  const random = seeded(runSeed('record kills'))
  const data = tempDir('record')
  const doc = new Y.Doc()
  for (let kill = 0; kill < KILLS; kill++) {
    const server = await startServer({ data, args: ['--log-level', 'fatal'] })
    const keeper = keeperAt(server.url, doc)
    for (let left = 5 + random() * 20; left > 0; left--) await keeper.write()
    const last = keeper.write().catch(() => {}) // one is under way
    await (random() < 0.7 ? server.kill() : server.stop())
    keeper.session.close()
    await last
    const { code, said } = await verify(keeper.witness, '--data', data)
    expect(said).toContain(`up to record ${keeper.witness!.seq} is unchanged`)
    expect(code).toBe(0)
  }
})

it('[RECORD-8] [RECORD-9] a restored backup verifies with a witness from before it; a newer one is told where it ends', async () => {
  const server = await serveHere()
  const keeper = keeperAt(server.url)
  await keeper.write()
  const before = keeper.witness
  const backup = place('backup')
  expect((await syncHere('backup', backup, '--data', server.data)).code).toBe(0)
  await keeper.write()
  await keeper.write()
  const after = keeper.witness!
  keeper.session.close()
  await server.close()
  expect(await verify(before, backup)).toMatchObject({ code: 0 })
  const cut = await verify(after, backup)
  expect(cut.code).toBe(1)
  expect(cut.said).toMatch(/cut off at record \d+; the witness saw record \d+/)

  const data = place('restored')
  expect((await syncHere('restore', backup, '--data', data)).code).toBe(0)
  const restored = await serveData(data)
  const newcomer = keeperAt(restored.url)
  for (let i = 0; i < 9; i++) await newcomer.write()
  newcomer.session.close()
  await restored.close()
  const healthy = await verify(newcomer.witness, '--data', data)
  expect(healthy.said).toMatch(/restored from a backup at record \d+/)
  expect(healthy.code).toBe(0)
  expect(await verify(before, '--data', data)).toMatchObject({ code: 0 })
  const other = await verify(after, '--data', data)
  expect(other.said).toMatch(/not the one that the witness saw; it was restored from a backup at/)
  expect(other.code).toBe(1)
})

it('[RECORD-9] a repair leaves an entry that says so', async () => {
  const server = await serveHere()
  const keeper = keeperAt(server.url)
  await keeper.write()
  const { witness } = keeper
  keeper.session.close()
  await server.close()
  await putIn(server.data, 'default', [poison('embed')])
  expect((await syncHere('repair', '--data', server.data)).code).toBe(0)
  const { code, said } = await verify(witness, '--data', server.data)
  expect(said).toMatch(/repaired at record \d+/)
  expect(code).toBe(0)
})

it('[RECORD-4] [RECORD-8] a folder of the version before gets a chain, and verifies', async () => {
  const data = tempDir('old')
  await writeOld(data)
  const server = await serveData(data)
  const keeper = keeperAt(server.url)
  await keeper.session.synced(TIMEOUT_MS)
  expect(keeper.doc.getText('file:f').toString()).toBe('third second first ')
  await keeper.write()
  const first = keeper.witness
  for (let i = 0; i < 5; i++) await keeper.write()
  keeper.session.close()
  await server.close()
  for (const witness of [first, keeper.witness]) {
    const { code, said } = await verify(witness, '--data', data)
    expect(said).toMatch(/older than its chain, which begins at record 2/)
    expect(code).toBe(0)
  }
})

/** A folder without a chain: a checkpoint up to record 2, and a record of format 1. */
const writeOld = async (data: string): Promise<void> => {
  const doc = new Y.Doc()
  initWorkspace(doc, 'default', 1_700_000_000_000)
  doc.getText('file:f').insert(0, 'second first ')
  const checkpoint = Y.encodeStateAsUpdate(doc)
  const before = Y.encodeStateVector(doc)
  doc.getText('file:f').insert(0, 'third ')
  const update = Y.encodeStateAsUpdate(doc, before)
  const db = new Level<string, Uint8Array>(data, { valueEncoding: 'view' })
  await db.open()
  const put = (key: string, write: (to: encoding.Encoder) => void) =>
    db.put(key, seal(encoding.encode(write)))
  await db.put('f:', seal(Buffer.from(JSON.stringify({ format: 2 }))))
  await put('w:default', (to) => encoding.writeVarUint(to, 1))
  await put('s:default', (to) => {
    for (const number of [1, 2]) encoding.writeVarUint(to, number)
    encoding.writeUint8Array(to, checkpoint)
  })
  await put(seqKey('u:default', 3), (to) => {
    for (const number of [1, 1_700_000_000_000, 1]) encoding.writeVarUint(to, number)
    encoding.writeVarUint8Array(to, update)
  })
  await db.close()
}
