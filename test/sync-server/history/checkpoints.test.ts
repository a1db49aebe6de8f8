import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { AgentId, FileId } from '../../../protocol/ids.ts'
import {
  MAX_CHECKPOINTS,
  MAX_KEPT_VERSIONS,
  MAX_VERSION_STEPS,
} from '../../../sync-server/config/limits.ts'
import { Checkpoints } from '../../../sync-server/history/checkpoints/store.ts'
import { TextCache } from '../../../sync-server/history/versions/cache.ts'
import { writeVersions } from '../../../sync-server/history/versions/write.ts'
import { verifyFolder } from '../../../sync-server/ops/verify/verify.ts'
import { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'
import { type CheckpointFile, changesBetween } from '../../../workspace/files/checkpoint.ts'
import { ask, type Member, member } from '../../support/auth/members.ts'
import { startHere } from '../../support/in-process.ts'
import { place, syncHere, syncJson } from '../../support/ops/commands.ts'
import { type ServerAt, tempDir } from '../../support/server.ts'
import { fileClient } from '../../support/sync-server/file-client.ts'

let server: ServerAt
let ann: Member
let bob: Member
const ws = '/api/workspaces/default'
beforeAll(async () => {
  server = await startHere({ args: ['--log-level', 'error'] })
  ann = await member(server, 'a-ann')
  bob = await member(server, 'a-bob')
  for (const one of [ann, bob])
    await ask(server, `${ws}/register`, { name: one.agent }, one.headers)
})
afterAll(async () => {
  expect(server.log()).toBe('')
  await server.stop()
})

// biome-ignore lint/suspicious/noExplicitAny: tests say what they expect of each field
type Data = { [field: string]: any }

const post = async (who: Member, rest: string, body: object, headers = {}): Promise<Data> => {
  const { data, error } = await ask<Data>(server, `${ws}/${rest}`, body, {
    ...who.headers,
    ...headers,
  })
  return error ?? data
}
const get = async (rest: string): Promise<Data> => {
  const { data, error } = await ask<Data>(server, `${ws}/${rest}`, undefined, bob.headers)
  return error ?? data
}
const put = async (who: Member, key: string, content: string, more = {}): Promise<Data> => {
  const answer = await globalThis.fetch(`${server.url}${ws}/files/content`, {
    method: 'PUT',
    headers: who.headers,
    body: JSON.stringify({ key, content, force: true, ...more }),
  })
  const { data, error } = (await answer.json()) as Data
  return error ?? data
}
const read = async (key: string): Promise<string | undefined> =>
  (await get(`files/content?key=${key}`)).file?.content

it('[TIME-1] a file is read as it was at a time by the server’s clock; what is not kept is told from what never was', async () => {
  await put(ann, 'time.md', 'one\n')
  await put(ann, 'time.md', 'one\ntwo\n')
  const { versions } = await get('files/log?key=time.md')
  const [second, first] = versions as { updated_at: string }[]
  const at = (time: string) => get(`files/version?key=time.md&at=${encodeURIComponent(time)}`)
  expect((await at(second!.updated_at)).version).toMatchObject({
    version: 2,
    content: 'one\ntwo\n',
  })
  expect((await at('0s')).version.version).toBe(2)
  if (first!.updated_at !== second!.updated_at) {
    expect((await at(first!.updated_at)).version.version).toBe(1)
  }
  expect(await at('2020-01-01T00:00:00Z')).toMatchObject({
    code: 'unknown_version',
    message: `time.md had no version at 2020-01-01T00:00:00.000Z: its first is version 1 of ${first!.updated_at}`,
  })
  expect(await at('yesterday')).toMatchObject({ code: 'usage' })
  expect(await get('files/version?key=time.md')).toMatchObject({ code: 'usage' })
  expect(await get('files/version?key=time.md&at=1h&version=1')).toMatchObject({ code: 'usage' })
})

it('[TIME-2] a checkpoint names the version of each file at one moment, once under its key', async () => {
  await put(ann, 'named/a.md', 'a\n')
  await put(ann, 'named/b.md', 'b\n')
  const key = { 'idempotency-key': 'k1' }
  const made = await post(ann, 'checkpoints', { name: 'first', note: 'before all' }, key)
  expect(made.checkpoint).toMatchObject({ name: 'first', note: 'before all', by: 'a-ann' })
  expect(await post(ann, 'checkpoints', { name: 'first', note: 'before all' }, key)).toEqual(made)
  expect(await post(bob, 'checkpoints', { name: 'first' })).toMatchObject({
    code: 'checkpoint_exists',
  })
  await put(ann, 'named/a.md', 'A\n')
  const { files } = await get('checkpoints/files?name=first')
  const named = (files as Data[]).filter(({ file_key }) => file_key.startsWith('named/'))
  expect(named).toEqual([
    { file_key: 'named/a.md', version: 1 },
    { file_key: 'named/b.md', version: 1 },
  ])
  const then = await get('files/version?key=named/a.md&checkpoint=first')
  expect(then.version.content).toBe('a\n')
  for (const name of ['now', '', '../x', 'x'.repeat(65), '-a']) {
    expect(['bad_name', 'usage']).toContain((await post(ann, 'checkpoints', { name })).code)
  }
  expect(await get('checkpoints/files?name=frist')).toMatchObject({ code: 'unknown_checkpoint' })
})

it('[TIME-2] while writers write, a checkpoint has of files that change together the same change', async () => {
  const writer = await fileClient(`${server.sync}/default`, 'pairs')
  const names: string[] = []
  let isOver = false
  const write = async () => {
    for (let i = 1; !isOver; i++) {
      writer.doc.transact(() => {
        writer.put('pair/left', `${i}\n`)
        writer.put('pair/right', `${i}\n`)
      })
      await writer.client.barrier()
    }
  }
  const writing = write()
  while ((await read('pair/right')) === undefined);
  for (let n = 0; n < 8; n++) {
    const name = `pair-${n}`
    expect((await post(ann, 'checkpoints', { name })).checkpoint?.name).toBe(name)
    names.push(name)
  }
  isOver = true
  await writing
  for (const name of names) {
    const side = async (key: string) =>
      (await get(`files/version?key=pair/${key}&checkpoint=${name}`)).version.content
    expect(await side('left')).toBe(await side('right'))
    expect(await post(ann, 'checkpoints/remove', { name })).toMatchObject({ checkpoint: { name } })
  }
  await writer.client.close()
})

it('[TIME-3] the changes between two checkpoints, or one and now: added, removed, moved, and diffs', async () => {
  await put(ann, 'diff/stays.md', 'same\n')
  await put(ann, 'diff/gone.md', 'gone\n')
  await put(ann, 'diff/moves.md', 'moves\n')
  await put(ann, 'diff/changes.md', 'one\ntwo\n')
  await post(ann, 'checkpoints', { name: 'before' })
  await post(ann, 'files/remove', { key: 'diff/gone.md' })
  await post(ann, 'files/move', { key: 'diff/moves.md', to: 'diff/moved.md' })
  await put(ann, 'diff/changes.md', 'one\n2\n')
  await put(ann, 'diff/new.md', 'new\n')
  await put(ann, 'diff/stays.md', 'other\n')
  await put(ann, 'diff/stays.md', 'same\n')
  await post(ann, 'checkpoints', { name: 'after' })
  const compared = await get('checkpoints/diff?from=before&to=after')
  expect(compared).toMatchObject({ from: 'before', to: 'after', more: false })
  expect(compared.files).toEqual([
    {
      ...{ file_key: 'diff/changes.md', change: 'changed', from_version: 1, to_version: 2 },
      ...{ added_lines: 1, removed_lines: 1 },
      diff: '--- diff/changes.md version 1\n+++ diff/changes.md version 2\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n',
    },
    {
      ...{ file_key: 'diff/gone.md', change: 'removed', from_version: 1, to_version: null },
      ...{ added_lines: 0, removed_lines: 1 },
      diff: '--- diff/gone.md version 1\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n',
    },
    {
      ...{ file_key: 'diff/moved.md', change: 'moved', was: 'diff/moves.md' },
      ...{ from_version: 1, to_version: 2, diff: '' },
    },
    {
      ...{ file_key: 'diff/new.md', change: 'added', from_version: null, to_version: 1 },
      ...{ added_lines: 1, removed_lines: 0 },
      diff: '--- /dev/null\n+++ diff/new.md version 1\n@@ -0,0 +1 @@\n+new\n',
    },
  ])
  await put(ann, 'diff/changes.md', 'one\n2\n3\n')
  const now = await get('checkpoints/diff?from=after&key=diff/changes.md')
  expect(now.files).toMatchObject([{ from_version: 2, to_version: 3, added_lines: 1 }])
  const back = await get('checkpoints/diff?from=after&to=before&key=diff/new.md')
  expect(back.files).toMatchObject([{ change: 'removed' }])
  expect(await get('checkpoints/diff?from=nothing')).toMatchObject({ code: 'unknown_checkpoint' })
})

it('[TIME-3] diffs beyond a limit are left out, and each changed file is still listed', async () => {
  const big = (word: string) => `${word} of a long file\n`.repeat(8_000)
  await post(ann, 'checkpoints', { name: 'small' })
  for (const n of [1, 2, 3, 4]) await put(ann, `big/${n}.md`, big(`line ${n}`))
  const { files, more } = await get('checkpoints/diff?from=small')
  const found = (files as Data[]).filter(({ file_key }) => file_key.startsWith('big/'))
  expect(found.map(({ change }) => change)).toEqual(['added', 'added', 'added', 'added'])
  expect(found.at(-1)).toMatchObject({ diff: null, why: 'the answer is full' })
  expect(more).toBe(true)
  for (const n of [1, 2, 3, 4]) await post(ann, 'files/remove', { key: `big/${n}.md` })
})

it('[TIME-4] restoring a workspace brings back what was removed, moved and changed, and removes what came; a dry run changes nothing', async () => {
  const bytes = Buffer.from([0, 1, 2, 3])
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const blob = `${server.url}${ws}/blobs/${sha256}?size=4`
  await globalThis.fetch(blob, { method: 'PUT', headers: ann.headers, body: bytes })
  const bytesAt = (body: object) =>
    globalThis.fetch(`${server.url}${ws}/files/bytes`, {
      ...{ method: 'PUT', headers: ann.headers },
      body: JSON.stringify({ key: 'all/logo.png', sha256, size: 4, ...body }),
    })
  expect((await bytesAt({})).status).toBe(200)
  await put(ann, 'all/gone.md', 'gone\n')
  await put(ann, 'all/moves.md', 'moves\n')
  await put(ann, 'all/changes.md', 'one\ntwo\n')
  await post(ann, 'checkpoints', { name: 'all' })
  await post(ann, 'files/remove', { key: 'all/gone.md' })
  await post(ann, 'files/remove', { key: 'all/logo.png' })
  await post(ann, 'files/move', { key: 'all/moves.md', to: 'all/moved.md' })
  await put(ann, 'all/changes.md', 'one\n2\n')
  await put(ann, 'all/new.md', 'new\n')

  const dry = await post(bob, 'checkpoints/restore', { name: 'all', dry_run: true })
  expect(dry).toMatchObject({ dry_run: true, skipped: [] })
  expect(await read('all/changes.md')).toBe('one\n2\n')
  expect(await read('all/gone.md')).toBeUndefined()

  const done = await post(bob, 'checkpoints/restore', { name: 'all' })
  expect(done.skipped).toEqual([])
  const short = (all: Data[]) => all.map(({ file_key, change }) => `${change} ${file_key}`).sort()
  expect(short(done.restored)).toEqual(short(dry.restored))
  expect(short(done.restored)).toEqual([
    ...['added all/gone.md', 'added all/logo.png', 'changed all/changes.md'],
    ...['moved all/moves.md', 'removed all/new.md'],
  ])
  expect(await read('all/changes.md')).toBe('one\ntwo\n')
  expect(await read('all/gone.md')).toBe('gone\n')
  expect(await read('all/moves.md')).toBe('moves\n')
  expect(await read('all/new.md')).toBeUndefined()
  const compared = await get('checkpoints/diff?from=all')
  expect(compared.files).toEqual([])
  // In the name of the one who asked, as a version like others.
  const log = await get('files/log?key=all/changes.md')
  expect(log.versions[0]).toMatchObject({ version: 3, last_editor: 'a-bob' })
  expect(await post(bob, 'checkpoints/restore', { name: 'all' })).toMatchObject({ restored: [] })
})

it('[TIME-4] what a replica wrote meanwhile is merged, not overwritten', async () => {
  await put(ann, 'merge.md', 'one\ntwo\nthree\n')
  await post(ann, 'checkpoints', { name: 'merge' })
  await put(ann, 'merge.md', 'one\n2\nthree\n')
  const cat = await fileClient(`${server.sync}/default`, 'cat')
  await cat.client.close()
  cat.put('merge.md', 'one\n2\nthree\nfour\n')
  await post(bob, 'checkpoints/restore', { name: 'merge' })
  const back = await fileClient(`${server.sync}/default`, 'cat', cat.doc)
  await back.client.barrier()
  expect(await read('merge.md')).toBe('one\ntwo\nthree\nfour\n')
  await back.client.close()
})

it('[TIME-5] one file is restored by version, time or checkpoint, once under its key; its path stays', async () => {
  await put(ann, 'single.md', 'one\n')
  await post(ann, 'checkpoints', { name: 'single' })
  await put(ann, 'single.md', 'two\n')
  await post(ann, 'files/move', { key: 'single.md', to: 'renamed.md' })
  const restored = await post(bob, 'files/restore', { key: 'renamed.md', checkpoint: 'single' })
  expect(restored).toMatchObject({
    restored: [{ file_key: 'renamed.md', change: 'changed', added_lines: 1, removed_lines: 1 }],
    skipped: [],
  })
  expect(await read('renamed.md')).toBe('one\n')
  const key = { 'idempotency-key': 'once' }
  const two = { key: 'renamed.md', version: 2 }
  const first = await post(bob, 'files/restore', two, key)
  expect(await read('renamed.md')).toBe('two\n')
  await put(ann, 'renamed.md', 'three\n')
  expect(await post(bob, 'files/restore', two, key)).toEqual(first)
  expect(await read('renamed.md')).toBe('three\n')
  expect(await post(bob, 'files/restore', { key: 'renamed.md', at: '0s' })).toMatchObject({
    restored: [],
  })
  await post(ann, 'files/remove', { key: 'renamed.md' })
  await post(bob, 'files/restore', two)
  expect(await read('renamed.md')).toBe('two\n')
  expect(await post(bob, 'files/restore', { key: 'renamed.md' })).toMatchObject({ code: 'usage' })
})

it('[TIME-6] its maker or an admin removes a checkpoint; readers see them and change none', async () => {
  const admin = await member(server, 'a-admin', 'admin')
  const reader = await member(server, 'a-reader', 'read')
  await post(ann, 'checkpoints', { name: 'mine' })
  const refused = { code: 'not_allowed' }
  expect(await post(bob, 'checkpoints/remove', { name: 'mine' })).toMatchObject(refused)
  expect(await post(reader, 'checkpoints/restore', { name: 'mine' })).toMatchObject(refused)
  expect(await post(admin, 'checkpoints/remove', { name: 'mine' })).toMatchObject({
    checkpoint: { name: 'mine', by: 'a-ann' },
  })
  expect(await post(admin, 'checkpoints/remove', { name: 'mine' })).toMatchObject({
    code: 'unknown_checkpoint',
  })
  expect(await post(bob, 'checkpoints/restore', { name: 'all', by: 'a-ann' })).toMatchObject({
    code: 'forged',
  })
})

const fileAt = (version: number, id = 'f', path = id): CheckpointFile => ({
  ...{ id: id as FileId, path: path as CheckpointFile['path'], version },
})

it('[TIME-7] a workspace has a bounded number of checkpoints, which outlive a restart', async () => {
  const dir = tempDir('checkpoints')
  const log = await LevelUpdateLog.open(dir, () => 0)
  const checkpoints = new Checkpoints(log.facts)
  const add = (name: string, files: CheckpointFile[]) =>
    checkpoints.add('w', { name, note: '', by: 'a-ann', at: 1, key: null, files })
  for (let i = 0; i < MAX_CHECKPOINTS; i++) await add(`c${i}`, [fileAt(i)])
  await expect(add('more', [])).rejects.toMatchObject({ code: 'too_large' })
  await expect(checkpoints.get('v', 'c1')).rejects.toMatchObject({ code: 'unknown_checkpoint' })
  await checkpoints.remove('w', 'c1', () => {})
  const many = Array.from({ length: 200_001 }, () => fileAt(1))
  await expect(add('wide', many)).rejects.toMatchObject({ code: 'too_large' })
  await add('more', [fileAt(7, 'g//1', 'g')])
  await log.close()
  const again = await LevelUpdateLog.open(dir, () => 0)
  const reopened = new Checkpoints(again.facts)
  expect(await reopened.list('w')).toHaveLength(MAX_CHECKPOINTS)
  expect((await reopened.get('w', 'more')).of).toEqual([fileAt(7, 'g//1', 'g')])
  expect([...(await reopened.pinned('w', 'f'))]).toHaveLength(MAX_CHECKPOINTS - 1)
  await again.close()
})

it('[TIME-7] checkpoints are in a backup; verify knows them, and takes a folder with them for whole', async () => {
  const [backup, copy] = [place('backup'), place('restored')]
  await put(ann, 'kept.md', 'kept\n')
  const made = await post(ann, 'checkpoints', { name: 'kept' })
  await put(ann, 'kept.md', 'changed\n')
  await syncJson('backup', backup, '--data', server.data)
  expect((await syncHere('restore', backup, '--data', copy)).code).toBe(0)
  expect((await verifyFolder(copy)).problems).toEqual([])
  const restored = await startHere({ data: copy })
  const at = { authorization: `Bearer ${restored.token}` }
  const { data } = await ask<Data>(restored, `${ws}/checkpoints`, undefined, at)
  expect(data.checkpoints).toContainEqual(made.checkpoint)
  const then = `${ws}/files/version?key=kept.md&checkpoint=kept`
  expect((await ask<Data>(restored, then, undefined, at)).data.version.content).toBe('kept\n')
  await restored.stop()
})

it('[TIME-8] versions that a checkpoint names outlive the limit of versions, within a limit of their own', async () => {
  const log = await LevelUpdateLog.open(tempDir('pinned'), () => 0)
  const pinned = new Set([5, 450])
  const cache = new TextCache(1e6)
  const state = (version: number) => ({
    ...{ fileId: 'f' as FileId, path: null, editors: [] as AgentId[], version },
    content: `${'text\n'.repeat(20)}${version}\n`,
  })
  let last = 0
  const write = async (count: number) => {
    const states = Array.from({ length: count }, () => ({ state: state(++last), at: last }))
    for (let i = 0; i < count; i += 50) {
      await writeVersions(log.versions, 'w', states.slice(i, i + 50), cache, {
        pinned: async () => pinned,
        delta: async (from, to) => ({
          edits: [{ index: 0, remove: from.length, insert: to }],
          ...{ addedLines: 0, removedLines: 0, addedBytes: 0, removedBytes: 0 },
        }),
      })
    }
  }
  const kept = async () =>
    (await log.versions.abouts('w', 'f', 0, 1e9, 1e9)).map(({ version }) => version)
  await write(MAX_KEPT_VERSIONS * 2)
  const now = await kept()
  for (const one of pinned) expect(now).toContain(one)
  expect(now.length).toBeLessThanOrEqual(MAX_KEPT_VERSIONS + 2 * (MAX_VERSION_STEPS + 1))
  expect(now).not.toContain(700)
  // Beyond a limit of their own the oldest go.
  for (let version = 1; version <= last; version++) pinned.add(version)
  await write(MAX_KEPT_VERSIONS * 2)
  const all = await kept()
  expect(all).not.toContain(5)
  expect(all.length).toBeLessThanOrEqual(2 * MAX_KEPT_VERSIONS + MAX_VERSION_STEPS)
  expect(all.length).toBeGreaterThan(MAX_KEPT_VERSIONS)
  // No checkpoint names them any more.
  pinned.clear()
  await write(MAX_KEPT_VERSIONS + 200)
  expect((await kept()).length).toBeLessThanOrEqual(MAX_KEPT_VERSIONS)
  await log.close()
})

it('[TIME-3] a file is the same by its id, else by its path', () => {
  const from = [fileAt(1, 'a'), fileAt(1, 'b'), fileAt(1, 'c')]
  const to = [fileAt(1, 'a', 'z'), fileAt(2, 'b//1', 'b'), fileAt(1, 'd')]
  const changes = changesBetween(from, to).map(({ change, from, to }) => [
    ...[change, from?.path ?? null, to?.path ?? null],
  ])
  expect(changes).toEqual([
    ['changed', 'b', 'b'],
    ['removed', 'c', null],
    ['added', null, 'd'],
    ['moved', 'a', 'z'],
  ])
})
