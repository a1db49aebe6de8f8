import { afterAll, beforeAll, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { FileLogPage } from '../../../client/http/api.ts'
import type { AgentId, FileId, FileKey } from '../../../protocol/ids.ts'
import { MAX_FILE_BYTES } from '../../../protocol/limits.ts'
import {
  EDITS_PREFIX,
  editsOf,
  filesOf,
  initWorkspace,
  textOf,
} from '../../../workspace/document/schema.ts'
import { countEdit } from '../../../workspace/files/edit-counts.ts'
import { moveFile, removeFile } from '../../../workspace/files/move-file.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { liveDoc, orLong, runSeed, seeded, until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { putIn } from '../../support/poison.ts'
import { fetch, type ServerAt, startServer, tempDir } from '../../support/server.ts'
import {
  askFiles,
  contentOf,
  fileClient,
  fileLog,
  readText,
  readVersionOf,
} from '../../support/sync-server/file-client.ts'

let server: ServerAt
beforeAll(async () => {
  server = await startHere({ args: ['--log-level', 'error'] })
})
afterAll(async () => {
  expect(server.log()).toBe('')
  await server.stop()
})
const url = (workspace: string) => `${server.sync}/${workspace}`

const PARTS = ['alpha\n', 'beta', ' ', '\n', '\r\n', 'é', '漢字', '😀', '👩‍👩‍👧', 'the end']

/** A text changed somewhere, in one place or some. */
const change = (text: string, random: () => number): string => {
  let changed = text
  for (let left = 1 + Math.floor(random() * 3); left > 0; left--) {
    const characters = [...changed]
    const at = Math.floor(random() * (characters.length + 1))
    const part = PARTS[Math.floor(random() * PARTS.length)]!.repeat(1 + Math.floor(random() * 4))
    characters.splice(at, Math.floor(random() * 6), part)
    changed = characters.join('')
  }
  return random() < 0.02 ? '' : changed
}

it('[VERSION-1] a lone writer’s every change set is a version: who, when, how much, and the text byte for byte', async () => {
  const ann = await fileClient(url('lone'), 'ann')
  const bob = await fileClient(url('lone'), 'bob')
  const before = Date.now()
  ann.put('plan.md', 'one\ntwo\n')
  await ann.client.barrier()
  await until('bob has it', () => readText(bob.doc, 'plan.md') !== '')
  bob.put('plan.md', 'one\n2\nthree\n')
  await bob.client.barrier()
  const versions = await fileLog(server, 'lone', 'plan.md')
  expect(versions).toMatchObject([
    {
      ...{ file_key: 'plan.md', version: 2, last_editor: bob.by, editors: [bob.by] },
      ...{ change_sets: 1, size: 12, added_lines: 2, removed_lines: 1 },
      ...{ added_bytes: 7, removed_bytes: 3 },
    },
    {
      ...{ file_key: 'plan.md', version: 1, last_editor: ann.by, editors: [ann.by] },
      ...{ change_sets: 1, size: 8, added_lines: 2, removed_lines: 0 },
    },
  ])
  for (const { updated_at } of versions) {
    expect(Date.parse(updated_at)).toBeGreaterThanOrEqual(before)
    expect(Date.parse(updated_at)).toBeLessThanOrEqual(Date.now())
  }
  expect(await contentOf(server, 'lone', 'plan.md', 1)).toBe('one\ntwo\n')
  expect(await contentOf(server, 'lone', 'plan.md', 2)).toBe('one\n2\nthree\n')
})

it('[VERSION-1] [VERSION-7] any kept version is what the text was at it, with several writers and live editors at once', async () => {
  const random = seeded(runSeed('versions'))
  const workspace = 'many'
  const keys = ['a.md', 'dir/b.md']
  // What anyone could see of each version: after each update, in the order of the server.
  const seen = new Map(keys.map((key) => [key, new Map<number, Set<string>>()]))
  const watcher = await liveDoc(url(workspace))
  watcher.doc.on('afterTransaction', () => {
    for (const key of keys) {
      const texts = seen.get(key)!
      const version = readVersionOf(watcher.doc, key)
      if (!texts.has(version)) texts.set(version, new Set())
      texts.get(version)!.add(readText(watcher.doc, key))
    }
  })
  const write = async (name: string): Promise<void> => {
    const { client, doc, put } = await fileClient(url(workspace), name)
    for (let i = 0; i < 80; i++) {
      const key = keys[Math.floor(random() * keys.length)]!
      if (random() < 0.2) {
        // A live editor types, and counts nothing.
        const text = textOf(doc, key as FileId)
        text.insert(text.length, PARTS[Math.floor(random() * PARTS.length)]!)
      } else put(key, change(readText(doc, key), random))
      if (random() < 0.7) await client.barrier()
    }
    await client.barrier()
    await client.close()
  }
  await Promise.all(['ann', 'bob', 'cat'].map(write))
  await watcher.client.barrier()
  for (const key of keys) {
    const versions = await fileLog(server, workspace, key, 7)
    const newest = readVersionOf(watcher.doc, key)
    expect(versions[0]!.version).toBe(newest)
    expect(versions.reduce((sum, { change_sets }) => sum + change_sets, 0)).toBe(newest)
    expect(versions.length).toBeGreaterThan(20)
    for (const { version, size } of versions) {
      const content = await contentOf(server, workspace, key, version)
      expect([...seen.get(key)!.get(version)!]).toContain(content)
      expect(Buffer.byteLength(content)).toBe(size)
    }
  }
  await watcher.client.close()
})

it('[VERSION-1] every commit has its version, also when the next one is under way', async () => {
  const own = await startHere({ args: ['--log-level', 'error'] })
  const commits = async (): Promise<number> => {
    const metrics = await (await fetch(`${own.url}/metrics`)).text()
    return Number(/^clawlink_commit_seconds_count (\d+)$/m.exec(metrics)![1])
  }
  const writers = await Promise.all(
    ['ann', 'bob', 'cat', 'dan'].map((name) => fileClient(`${own.sync}/w`, name)),
  )
  await Promise.all(
    writers.map(async ({ client, put, by }) => {
      // Five commits at least, a barrier after each, and the writers do not wait for each other: what one sends while
      // another's is stored is the next commit.
      for (let i = 0; i < 60; i++) {
        put('f', `${by} ${i}\n`)
        if (i % 12 === 11) await client.barrier()
        else if (i % 5 === 0) await new Promise((next) => setImmediate(next))
      }
    }),
  )
  const versions = await fileLog(own, 'w', 'f')
  expect(versions[0]!.version).toBe(240)
  expect(versions.length).toBe(await commits())
  expect(versions.length).toBeGreaterThan(3)
  await own.stop()
})

it('[VERSION-1] change sets that arrive in one commit are one version, with all who made them', async () => {
  const { client, doc, by, put } = await fileClient(url('together'), 'ann')
  put('f', 'one\n')
  await client.barrier()
  // What two others did elsewhere comes as one update.
  const apart = new Y.Doc()
  Y.applyUpdate(apart, Y.encodeStateAsUpdate(doc))
  const [bob, cat] = ['a-bob', 'a-cat'] as [AgentId, AgentId]
  const more = { key: 'f', base: 'one\n', force: true }
  putFile(apart, { ...more, content: 'one\ntwo\n', by: bob, now: 1 })
  const third = new Y.Doc()
  Y.applyUpdate(third, Y.encodeStateAsUpdate(apart))
  putFile(third, { ...more, base: null, content: 'one\ntwo\nthree\n', by: cat, now: 2 })
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(third))
  await client.barrier()
  expect(await fileLog(server, 'together', 'f')).toMatchObject([
    { version: 3, change_sets: 2, editors: [cat, bob], added_lines: 2 },
    { version: 1, change_sets: 1, editors: [by] },
  ])
  const { status, error } = await askFiles(server, 'together', 'version', { key: 'f', version: 2 })
  expect([status, error?.code]).toEqual([404, 'unknown_version'])
  expect(error?.message).toMatch(/came together with 3; versions 1 to 3 are kept/)
})

it('[VERSION-1] says which versions there are, and refuses what makes no sense', async () => {
  const { client, put } = await fileClient(url('asked'), 'ann')
  put('plan.md', '1\n')
  put('plan.md', '2\n')
  await client.barrier()
  const codeOf = async (what: 'log' | 'version', query: Record<string, string | number>) => {
    const { status, error } = await askFiles(server, 'asked', what, query)
    return [status, error?.code]
  }
  const ask = (version: number) => askFiles(server, 'asked', 'version', { key: 'plan.md', version })
  expect((await ask(9)).error?.message).toMatch(/version 9 of plan.md is not kept; versions . to 2/)
  expect(await codeOf('log', { key: 'plam.md' })).toEqual([404, 'unknown_file'])
  expect(await codeOf('version', { key: 'plam.md', version: 1 })).toEqual([404, 'unknown_file'])
  expect(await codeOf('log', {})).toEqual([400, 'usage'])
  for (const version of [0, -1, 1.5, 'x', 2 ** 53]) {
    expect(await codeOf('version', { key: 'plan.md', version })).toEqual([400, 'usage'])
  }
  expect(await codeOf('log', { key: 'plan.md', limit: 501 })).toEqual([400, 'usage'])
  expect(await codeOf('log', { key: 'plan.md', more: 1 })).toEqual([400, 'usage'])
  const { data } = await askFiles<FileLogPage>(server, 'asked', 'log', {
    key: 'plan.md',
    before: 1,
  })
  expect(data).toEqual({ file_key: 'plan.md', versions: [], more: false })
})

it('[VERSION-4] the history of a removed and of a renamed file is found by where it was', async () => {
  const { client, doc, by, put } = await fileClient(url('moved'), 'ann')
  put('old.md', 'text\n')
  await client.barrier()
  moveFile(doc, 'old.md', 'new.md', by, Date.now())
  await client.barrier()
  put('new.md', 'text\nmore\n')
  await client.barrier()
  for (const key of ['old.md', 'new.md']) {
    expect(await fileLog(server, 'moved', key)).toMatchObject([
      { version: 3, file_key: 'new.md', added_lines: 1 },
      { version: 2, file_key: 'new.md', added_lines: 0, size: 5 },
      { version: 1, file_key: 'old.md' },
    ])
  }
  removeFile(doc, 'new.md', by, Date.now())
  await client.barrier()
  for (const key of ['old.md', 'new.md']) {
    const { data } = await askFiles<FileLogPage>(server, 'moved', 'log', { key })
    expect(data).toMatchObject({ file_key: null, versions: [{ version: 3 }, {}, {}] })
    expect(await contentOf(server, 'moved', key, 3)).toBe('text\nmore\n')
  }
  put('old.md', 'another\n')
  put('new.md', 'again\n')
  await client.barrier()
  // A new file under the first path has a history of its own; one under the last goes on with the old.
  expect(await fileLog(server, 'moved', 'old.md')).toMatchObject([{ version: 1, size: 8 }])
  expect(await fileLog(server, 'moved', 'new.md')).toMatchObject([{ version: 4 }, {}, {}, {}])
  expect(await contentOf(server, 'moved', 'new.md', 3)).toBe('text\nmore\n')
})

it('[VERSION-4] versions outlive the checkpoint of the updates they came from, and a restart', async () => {
  const data = tempDir('checkpoint')
  let own = await startHere({ data })
  const { client, put } = await fileClient(`${own.sync}/w`, 'ann')
  for (let i = 1; i <= 5; i++) {
    put('f', `${i}\n`)
    await client.barrier()
  }
  await own.stop() // writes a checkpoint
  own = await startHere({ data })
  expect((await fileLog(own, 'w', 'f')).map(({ version }) => version)).toEqual([5, 4, 3, 2, 1])
  for (let i = 1; i <= 5; i++) expect(await contentOf(own, 'w', 'f', i)).toBe(`${i}\n`)
  await own.stop()
})

it('[VERSION-2] kill -9 between a commit and its version, at random moments: the version is there, and no other is lost', async () => {
  const random = seeded(runSeed('kill before the version'))
  const data = tempDir('kill')
  let own = await startServer({ data, args: ['--log-level', 'error'] })
  const doc = new Y.Doc()
  const texts = new Map<number, string>()
  const kept = new Set<number>()
  let folded = 0
  // Only every second kill can come before two versions, and on an idle machine about half of these do.
  const rounds = orLong(4, 8)
  for (let round = 0; round < rounds || (folded === 0 && round < 10 * rounds); round++) {
    const { client, put } = await fileClient(`${own.sync}/w`, 'ann', doc)
    const write = async (): Promise<void> => {
      const { file } = put('f', `${change(readText(doc, 'f'), random)}line of ${round}\n`)
      texts.set(file.version, readText(doc, 'f'))
      await client.barrier()
    }
    for (let i = 0; i < 3; i++) await write()
    if (round % 2 === 1) {
      for (const { version } of await fileLog(own, 'w', 'f')) kept.add(version)
      await write()
    }
    await own.kill()
    client.ws.terminate()
    own = await startServer({ data, args: ['--log-level', 'error'] })
    const versions = await fileLog(own, 'w', 'f')
    const numbers = versions.map(({ version }) => version)
    expect(numbers[0]).toBe(readVersionOf(doc, 'f'))
    expect(versions[0]!.last_editor).toBe('a-ann')
    if (versions[0]!.change_sets > 1) folded++
    expect(numbers).toEqual(expect.arrayContaining([...kept]))
    for (const version of numbers) kept.add(version)
    expect(versions.reduce((sum, { change_sets }) => sum + change_sets, 0)).toBe(numbers[0])
    for (const version of numbers) {
      expect(await contentOf(own, 'w', 'f', version)).toBe(texts.get(version))
    }
  }
  expect(folded).toBeGreaterThan(0) // kills did come before versions
  expect(own.log()).toBe('')
  await own.stop()
})

it('[VERSION-2] a commit of more text than may wait in memory has every file’s version in the end', async () => {
  const { client, doc, by } = await fileClient(url('checkout'), 'ann')
  const page = 'some line of text\n'.repeat(3_000)
  const paths = Array.from({ length: 200 }, (_, i) => `dir/${i}.txt` as FileKey)
  const added = { mediaType: 'text/plain', createdBy: by, createdAt: 1 }
  doc.transact(() => {
    for (const [i, path] of paths.entries()) {
      const fileId = path as string as FileId
      filesOf(doc).set(path, { ...added, fileId })
      textOf(doc, fileId).insert(0, `${i}\n${page}`)
      countEdit(doc, fileId, by, Date.now())
    }
  })
  await client.barrier()
  for (const [i, path] of paths.entries()) {
    if (i % 25 > 0) continue
    const versions = await fileLog(server, 'checkout', path)
    expect(versions).toMatchObject([{ version: 1, added_lines: 3_001 }])
    expect(await contentOf(server, 'checkout', path, 1)).toBe(`${i}\n${page}`)
  }
})

it('[VERSION-1] hostile counters, names and sizes hurt no other file, and the server goes on', async () => {
  const counts = [-1, 0.5, Number.NaN, 1e300, 2 ** 52]
  // As an older server let it in.
  const older = new Y.Doc()
  initWorkspace(older, 'hostile', 1)
  older.transact(() => {
    for (const [i, count] of counts.entries()) {
      const file = { key: `f${i}`, content: 'text\n', base: null, by: 'a-ann' as AgentId, now: 1 }
      putFile(older, file)
      editsOf(older, `f${i}` as FileId).set('1', { agent: 'a-1' as never, count, at: 1 })
    }
    for (const name of ['', '../x', 'a\u0000b', '\ud800', 'x'.repeat(5_000)]) {
      older.getMap(`${EDITS_PREFIX}${name}`).set('1', { agent: 'a-1', count: 1, at: 1 })
    }
  })
  const data = tempDir('hostile')
  await putIn(data, 'hostile', [Y.encodeStateAsUpdate(older)])
  const server = await startHere({ data, args: ['--log-level', 'error'] })
  const { client, doc, by, put } = await fileClient(`${server.sync}/hostile`, 'ann')
  put('big.md', 'small\n')
  await client.barrier()
  const big = 'big.md' as FileId
  textOf(doc, big).insert(0, 'x'.repeat(MAX_FILE_BYTES))
  countEdit(doc, big, by, 1)
  put('good.md', 'good\n')
  await client.barrier()
  expect(await fileLog(server, 'hostile', big)).toMatchObject([{ version: 1 }])
  textOf(doc, big).delete(0, MAX_FILE_BYTES)
  countEdit(doc, big, by, 1)
  await client.barrier()
  expect(await fileLog(server, 'hostile', big)).toMatchObject([{ version: 3 }, { version: 1 }])
  expect(await contentOf(server, 'hostile', 'good.md', 1)).toBe('good\n')
  for (const i of counts.keys()) {
    const { status } = await askFiles(server, 'hostile', 'log', { key: `f${i}` })
    expect(status).toBe(200)
  }
  expect(server.log()).toBe('')
  await client.close()
  await server.stop()
})
