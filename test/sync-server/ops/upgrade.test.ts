import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Level } from 'level'
import { beforeAll, expect, it } from 'vitest'
import { verifyFolder } from '../../../sync-server/ops/verify/verify.ts'
import { seal, unsealed } from '../../../sync-server/storage/integrity/checksummed.ts'
import { FORMAT } from '../../../sync-server/storage/integrity/format.ts'
import { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'
import { runSeed, seeded, stockClient } from '../../support/client.ts'
import { place, sync } from '../../support/ops/commands.ts'
import { copyOf, dump, livedIn } from '../../support/ops/lived-in.ts'
import { bin, startServer } from '../../support/server.ts'

type Raw = Level<string, Uint8Array>

const change = async (dir: string, how: (db: Raw) => Promise<unknown>): Promise<void> => {
  const db: Raw = new Level(dir, { valueEncoding: 'view' })
  await how(db)
  await db.close()
}

/** A data folder as versions before `f:` wrote it: the same keys, values as they are. */
const asFormat1 = async (data: string): Promise<string> => {
  const old = place('old')
  const records = await dump(data)
  await change(old, async (db) => {
    for (const [key, hex] of records) {
      if (key === 'f:') continue
      await db.put(key, unsealed(Buffer.from(hex, 'hex'))!)
    }
    // A crash left the name of a workspace with nothing in it.
    await db.put('w:begun', new Uint8Array([1]))
  })
  return old
}

let data: string
let whole: Map<string, string>
let old: string
beforeAll(async () => {
  data = (await livedIn('stop')).data
  whole = await dump(data)
  old = await asFormat1(data)
})

it('[OPS-11] a data folder of the format before is brought along, with all there was', async () => {
  const copy = copyOf(old)
  const refused = await sync('verify', '--data', copy)
  expect([refused.code, refused.stderr]).toEqual([5, expect.stringContaining('older version')])
  const log = await LevelUpdateLog.open(copy, Date.now)
  expect(await log.workspaces()).toEqual(['default', 'quiet'])
  await log.close()
  expect(await dump(copy)).toEqual(whole)
  const server = await startServer({ data: copy })
  const client = stockClient(server.sync, 'quiet')
  await client.synced
  expect(client.doc.getText('file:a.txt').toString()).toBe('quiet\n')
  client.close()
  await server.stop()
})

const KILLS = 8

it(`[OPS-11] killed ${KILLS} times on the way it goes on where it was`, async () => {
  const random = seeded(runSeed('kill in upgrade'))
  const copy = copyOf(old)
  // Large values, so that it is a way of many steps.
  await change(copy, async (db) => {
    for (let i = 1; i <= 400; i++) {
      await db.put(`a:other:${i.toString(16).padStart(13, '0')}`, new Uint8Array(64 * 1024).fill(i))
    }
  })
  const formats = new Set<string>()
  for (let kill = 0; kill < KILLS; kill++) {
    const server: ChildProcess = spawn(
      process.execPath,
      [bin('clawlink-sync.cjs'), '--data', copy, '--port', '0', '--log-level', 'silent'],
      { stdio: 'ignore' },
    )
    await new Promise((moment) => setTimeout(moment, 60 + random() * 250))
    server.kill('SIGKILL')
    await once(server, 'exit')
    await change(copy, async (db) => {
      const mark = await db.get('f:')
      formats.add(mark === undefined ? 'none' : Buffer.from(unsealed(mark)!).toString())
    })
  }
  console.log([...formats])
  const log = await LevelUpdateLog.open(copy, Date.now)
  const entries = await log.archived('other', 'broadcasts', 0, 1_000)
  expect(entries.map(({ value }) => [value.length, value[0]])).toEqual(
    entries.map(({ seq }) => [64 * 1024, seq & 255]),
  )
  expect(entries).toHaveLength(400)
  await log.close()
  const upgraded = await dump(copy)
  for (const key of whole.keys())
    if (/^[avch]:/.test(key)) expect(upgraded.get(key)).toBe(whole.get(key))
})

it('[OPS-10] a data folder of a newer version is refused, exit 5, and not touched', async () => {
  const copy = copyOf(data)
  const mark = Buffer.from(JSON.stringify({ format: FORMAT + 1 }))
  await change(copy, (db) => db.put('f:', seal(mark)))
  const before = await raw(copy)
  for (const args of [['--port', '0'], ['verify'], ['backup', place('no')], ['doctor']]) {
    const { code, stdout, stderr } = await sync(...args, '--data', copy)
    expect(code, args[0]).toBe(args[0] === 'doctor' ? 1 : 5)
    expect(stdout + stderr, args[0]).toContain('written by a newer version')
  }
  expect(await raw(copy)).toEqual(before)
})

it('[OPS-10] a data folder that lost its mark is not taken for an older one', async () => {
  const copy = copyOf(data)
  await change(copy, (db) => db.del('f:'))
  await expect(LevelUpdateLog.open(copy, Date.now)).rejects.toThrow('the format: it is missing')
  await change(copy, (db) => db.put('f:', new Uint8Array([1, 2, 3, 4, 5])))
  await expect(verifyFolder(copy)).rejects.toThrow('the format: its checksum is wrong')
})

/** All there is, in hex: to compare bytes one by one takes long. */
const raw = async (dir: string): Promise<string[]> => {
  let all: string[] = []
  await change(dir, async (db) => {
    const found = await db.iterator().all()
    all = found.map(([key, value]) => `${key} ${Buffer.from(value).toString('hex')}`)
  })
  return all
}
