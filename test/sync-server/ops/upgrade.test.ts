import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { beforeAll, expect, it } from 'vitest'
import { writeRecords } from '../../../sync-server/ops/backup-file.ts'
import { newManifest } from '../../../sync-server/ops/manifest.ts'
import { verifyFolder } from '../../../sync-server/ops/verify/verify.ts'
import { seal, unsealed } from '../../../sync-server/storage/integrity/checksummed.ts'
import { FORMAT } from '../../../sync-server/storage/integrity/format.ts'
import { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'
import { ask, invite, member } from '../../support/auth/members.ts'
import { runSeed, seeded, stockClient } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { place, sync, syncHere, syncJsonHere } from '../../support/ops/commands.ts'
import { copyOf, dump, livedIn } from '../../support/ops/lived-in.ts'
import { bin } from '../../support/server.ts'

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
  const refused = await syncHere('verify', '--data', copy)
  expect([refused.code, refused.stderr]).toEqual([5, expect.stringContaining('older version')])
  const log = await LevelUpdateLog.open(copy, Date.now)
  expect(await log.workspaces()).toEqual(['default', 'quiet'])
  await log.close()
  expect(await dump(copy)).toEqual(whole)
  const server = await startHere({ data: copy })
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

/** A data folder as versions before format 3 wrote it: invites by id, one audit log for the server. */
const toFormat2 = async (data: string): Promise<void> => {
  await change(data, async (db) => {
    for (const [key, value] of await db.iterator({ gte: 'j:', lt: 'm' }).all()) {
      if (!/^[jl]:/.test(key)) continue
      expect(key).toContain('/')
      await db.del(key)
      if (key.startsWith('j:')) await db.put(`j:${key.slice(key.indexOf('/') + 1)}`, value)
      else await db.put(`l:${key.slice(-13)}`, value)
    }
    await db.put('f:', seal(Buffer.from(JSON.stringify({ format: 2 }))))
  })
}

it('[OPS-24] invites and the audit log of the format before are by workspace, and go on', async () => {
  const first = await startHere({ workspaces: ['docs'] })
  const ann = await member(first, 'ann', 'write', 'docs')
  const secret = await invite(first, { workspace: 'docs', uses: 1 })
  await invite(first, { http: 'bridge', uses: null })
  await first.stop()
  const seen = async () => ({
    invites: await syncJsonHere<object>('invites', '--data', first.data),
    agents: await syncJsonHere<object>('agents', '--data', first.data),
    audit: await syncJsonHere<{ entries: object[] }>('audit', '--data', first.data),
    docs: await syncJsonHere<object>('audit', '--workspace', 'docs', '--data', first.data),
  })
  const before = await seen()
  await toFormat2(first.data)
  const refused = await syncHere('verify', '--data', first.data)
  expect([refused.code, refused.stderr]).toEqual([5, expect.stringContaining('older version')])
  const server = await startHere({ data: first.data })
  expect(await seen()).toEqual(before)
  const joins = (invite: string, agent_id: string) =>
    ask(server, '/api/join', { invite, agent_id, workspace: 'docs' }, { authorization: '' })
  expect((await joins(secret, 'a-late000000001')).status).toBe(200)
  expect((await ask(server, '/api/admin/revoke', { which: 'ann' })).status).toBe(200)
  await server.stop()
  const { audit } = await seen()
  expect(audit.entries.slice(0, before.audit.entries.length)).toEqual(before.audit.entries)
  expect(audit.entries).toHaveLength(before.audit.entries.length + 2)
  const again = await startHere({ data: first.data })
  expect((await ask(again, '/api/workspaces/docs/tasks', undefined, ann.headers)).status).toBe(401)
  await again.stop()
  const keys = [...(await dump(first.data)).keys()].filter((key) => /^[jl]:/.test(key))
  expect(keys.every((key) => /^[jl]:(?:docs|default)?\/[0-9a-zi-]+$/.test(key))).toBe(true)
  expect((await syncHere('verify', '--data', first.data)).stdout).toContain('all well')
})

it('[OPS-24] a backup of the format before is restored in this one', async () => {
  const server = await startHere()
  await invite(server, { uses: 1 })
  await server.stop()
  const invites = await syncJsonHere<object>('invites', '--data', server.data)
  await toFormat2(server.data)
  const backup = place('backup')
  await mkdir(backup)
  const all: [string, Uint8Array][] = []
  await change(server.data, async (db) => all.push(...(await db.iterator().all())))
  const records = async function* () {
    yield* all
  }
  const written = await writeRecords(join(backup, 'records'), records(), () => {})
  const about = { version: '0', at: new Date().toISOString(), workspaces: ['default'] }
  const manifest = newManifest({ ...about, records: written, blobs: [], files: [] })
  await writeFile(join(backup, 'manifest.json'), JSON.stringify({ ...manifest, format: 2 }))
  expect((await syncHere('verify', backup)).stdout).toContain('all well')
  const restored = place('restored')
  expect((await syncHere('restore', backup, '--data', restored)).code).toBe(0)
  expect(await syncJsonHere<object>('invites', '--data', restored)).toEqual(invites)
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
