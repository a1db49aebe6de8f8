import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Level } from 'level'
import { beforeAll, expect, it } from 'vitest'
import { Corruption, causeOf } from '../../../sync-server/storage/integrity/corruption.ts'
import { checkTable } from '../../../sync-server/storage/integrity/table.ts'
import { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'
import { liveDoc, RawClient, runSeed, seeded } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { sync } from '../../support/ops/commands.ts'
import { copyOf, livedIn } from '../../support/ops/lived-in.ts'
import { fetch, tempDir } from '../../support/server.ts'

let data: string
beforeAll(async () => {
  data = (await livedIn('kill')).data
  // Opened once, so that LevelDB has made tables of its journal; then a journal of its own again.
  const log = await LevelUpdateLog.open(data, Date.now)
  const { seq } = await log.load('quiet')
  await log.append('quiet', [(await log.load('quiet')).tail.at(-1)!])
  expect((await log.load('quiet')).seq).toBe(seq + 1)
  await log.close()
})

const files = (dir: string, pattern: RegExp): string[] =>
  readdirSync(dir)
    .filter((name) => pattern.test(name))
    .sort((a, b) => statSync(join(dir, b)).size - statSync(join(dir, a)).size)
    .map((name) => join(dir, name))

const flip = (path: string, at: number): void => {
  const bytes = readFileSync(path)
  bytes[at < 0 ? bytes.length + at : at]! ^= 0xff
  writeFileSync(path, bytes)
}

const table = (dir: string) => files(dir, /\.ldb$/)[0]!
const journal = (dir: string) => files(dir, /^\d+\.log$/)[0]!
const manifest = (dir: string) => files(dir, /^MANIFEST/)[0]!

const DAMAGES: [string, (dir: string) => void][] = [
  ['CURRENT is missing', (dir) => rmSync(join(dir, 'CURRENT'))],
  ['CURRENT is empty', (dir) => truncateSync(join(dir, 'CURRENT'), 0)],
  [
    'CURRENT names another manifest',
    (dir) => writeFileSync(join(dir, 'CURRENT'), 'MANIFEST-999999\n'),
  ],
  ['the manifest is missing', (dir) => rmSync(manifest(dir))],
  ['the manifest is empty', (dir) => truncateSync(manifest(dir), 0)],
  ['the manifest ends too soon', (dir) => truncateSync(manifest(dir), 60)],
  ['a bit of the manifest flipped', (dir) => flip(manifest(dir), 30)],
  ['a table is missing', (dir) => rmSync(table(dir))],
  ['a table ends too soon', (dir) => truncateSync(table(dir), 10_000)],
  ['a bit of a table flipped', (dir) => flip(table(dir), 1_000)],
  ['a bit of its index flipped', (dir) => flip(table(dir), -100)],
  ['the journal is missing', (dir) => rmSync(journal(dir))],
  ['the journal ends too soon', (dir) => truncateSync(journal(dir), 10)],
]

it.each(DAMAGES)(
  '[OPS-5] [OPS-21] %s: it does not open, and nothing in the folder is changed',
  async (_, damage) => {
    const dir = copyOf(data)
    damage(dir)
    const before = files(dir, /^(?!LOCK|LOG)/).map((path) => [path, statSync(path).size])
    const error = await LevelUpdateLog.open(dir, Date.now).then(
      () => null,
      (error: Error) => error,
    )
    expect(causeOf(error, Corruption), String(error)).not.toBeNull()
    // Cut short as a crash cuts it, a journal is found to be too short by what is not in it.
    if (!String(error).includes('acknowledged')) {
      expect(files(dir, /^(?!LOCK|LOG)/).map((path) => [path, statSync(path).size])).toEqual(before)
    }
  },
)

it('[OPS-5] no byte of a table can be another: it is said which table, before LevelDB meets it', async () => {
  const dir = copyOf(data)
  const path = table(dir)
  await checkTable(path, 'it')
  const bytes = readFileSync(path)
  const random = seeded(runSeed('table'))
  for (let i = 0; i < 60; i++) {
    const at = i < 30 ? bytes.length - 1 - i : Math.floor(random() * bytes.length)
    // What pads the footer stands for nothing.
    const isPadding = at >= bytes.length - 48 && at < bytes.length - 8
    const damaged = Buffer.from(bytes)
    damaged[at]! ^= 1 << (i % 8)
    writeFileSync(path, damaged)
    const checked = checkTable(path, 'it').then(
      () => isPadding,
      (error: Error) => error instanceof Corruption,
    )
    expect(await checked, `byte ${at}`).toBe(true)
  }
})

it('[OPS-5] the server does not start: exit 5, one line that names verify and restore', async () => {
  const dir = copyOf(data)
  rmSync(join(dir, 'CURRENT'))
  const { code, stderr } = await sync('--data', dir, '--port', '0')
  expect(code).toBe(5)
  expect(stderr).toMatch(
    /^error: [^\n]* is damaged: CURRENT: [^\n]* — [^\n]*verify[^\n]*restore[^\n]*\n$/,
  )
  const verified = await sync('verify', '--data', dir)
  expect(verified.code).toBe(1)
  expect(verified.stdout).toContain('CURRENT')
})

it('[OPS-6] a bit that flipped on disk is never handed out: the workspace is refused, the others are served', async () => {
  const server = await startHere()
  for (const workspace of ['good', 'bad']) {
    const { client, doc } = await liveDoc(`${server.sync}/${workspace}`)
    doc.getMap('m').set('k', workspace)
    await client.barrier()
    await client.close()
  }
  await server.stop()
  await change(server.data, async (db) => {
    const value = (await db.get('s:bad'))!
    value[value.length - 3]! ^= 1
    await db.put('s:bad', value)
  })
  const again = await startHere({ data: server.data })
  const good = await liveDoc(`${again.sync}/good`)
  expect(good.doc.getMap('m').get('k')).toBe('good')
  const bad = await RawClient.open(`${again.sync}/bad`)
  bad.subscribe()
  expect(await bad.closed).toBe(4503)
  expect(bad.messages).toEqual([])
  const health = await fetch(`${again.url}/health`)
  expect(health.status).toBe(503)
  expect(((await health.json()) as { reason: string }).reason).toContain('workspace bad')
  const log = await fetch(`${again.url}/api/workspaces/bad/log`)
  expect([log.status, ((await log.json()) as { error: { code: string } }).error.code]).toEqual([
    503,
    'data_damaged',
  ])
  good.doc.getMap('m').set('k', 'still')
  await good.client.barrier()
  await good.client.close()
  await again.stop()
  const { code, stdout } = await sync('verify', '--data', server.data)
  expect([code, stdout]).toEqual([1, expect.stringContaining('key s:bad: its checksum is wrong')])
})

/** Changes what is stored behind the server's back. */
const change = async (dir: string, how: (db: Level<string, Uint8Array>) => Promise<unknown>) => {
  const db = new Level<string, Uint8Array>(dir, { valueEncoding: 'view' })
  await how(db)
  await db.close()
}

it('[OPS-6] records that are missing between others, or all of them, are noticed', async () => {
  const dir = tempDir('gap')
  const log = await LevelUpdateLog.open(dir, Date.now)
  for (let i = 0; i < 5; i++) await log.append('w', [new Uint8Array([0, 0])])
  await log.append('v', [new Uint8Array([0, 0])])
  await log.close()
  await change(dir, (db) => db.del('u:w:0000000000003'))
  const gap = await LevelUpdateLog.open(dir, Date.now)
  await expect(gap.load('w')).rejects.toThrow('workspace w: record 3 is missing')
  expect((await gap.load('v')).seq).toBe(1)
  await gap.close()
  await change(dir, (db) => db.clear({ gt: 'u:w', lt: 'u:x' }))
  const gone = await LevelUpdateLog.open(dir, Date.now)
  await expect(gone.load('w')).rejects.toThrow('workspace w: all of it is missing')
  await gone.close()
})

it('[OPS-7] that the newest acknowledged records are gone is noticed, and can be accepted', async () => {
  const dir = tempDir('cut')
  const log = await LevelUpdateLog.open(dir, Date.now)
  for (let i = 0; i < 5; i++) await log.append('w', [new Uint8Array([0, 0])])
  await log.close()
  const [path] = files(dir, /^\d+\.log$/)
  const bytes = readFileSync(path!)
  for (const cut of [1, 40, 80]) {
    truncateSync(path!, bytes.length - cut)
    await expect(LevelUpdateLog.open(copyOf(dir), Date.now)).rejects.toThrow(
      /it ends at record \d, and record 5 was acknowledged/,
    )
  }
  rmSync(join(dir, 'newest-record'))
  const accepted = await LevelUpdateLog.open(dir, Date.now)
  expect((await accepted.load('w')).seq).toBeLessThan(5)
  await accepted.close()
})
