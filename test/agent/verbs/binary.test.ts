import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Agent,
  endLink,
  killLink,
  registered,
  registeredHere,
  WAYS_HERE,
} from '../../support/agent.ts'
import { atEnd } from '../../support/at-end.ts'
import { startBadLine } from '../../support/bad-line.ts'
import { blobFiles, blobUrl, head, named, someBytes } from '../../support/blobs.ts'
import { until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { bin, fetch, type ServerAt, startServer, tempDir } from '../../support/server.ts'

interface File {
  file_key: string
  version: number
  size: number
  media_type: string
  sha256: string
  last_editor: string
  versions: { sha256: string; by: string }[]
}

const MB = 1024 * 1024

let server: ServerAt
let ann: Agent & { id: string }
let bob: Agent & { id: string }
beforeAll(async () => {
  server = await startHere()
  ann = await registeredHere(server.url, 'Ann')
  bob = await registeredHere(server.url, 'Bob')
})
afterAll(() => server.stop())

const local = (who: Agent, name: string, content: Uint8Array | string): string => {
  writeFileSync(join(who.cwd, name), content)
  return name
}
const putArgs = (who: Agent, key: string, content: Uint8Array | string) => [
  ...['file-put', '--key', key, '--file', local(who, 'put.bin', content)],
]
const put = (who: Agent, key: string, content: Uint8Array | string, ...flags: string[]) =>
  who.ask<{ file: File; changed: boolean; created: boolean; replaced?: { sha256: string } }>(
    ...putArgs(who, key, content),
    ...flags,
  )
const get = async (who: Agent, key: string, ...flags: string[]): Promise<Buffer> => {
  await who.ask('file-get', '--key', key, '--output', 'got.bin', ...flags)
  return readFileSync(join(who.cwd, 'got.bin'))
}
const refused = async (who: Agent, ...args: string[]) => {
  const ran = await who.atLink(...args, '--json')
  return { exit: ran.code, ...ran.json().error }
}

describe.each(WAYS_HERE)('as %s', (way) => {
  it('[BLOB-1] bytes of any length come back, and the whole file is there or none', async () => {
    const one = await registered(server.url, `One-${way}`, way)
    const two = await registered(server.url, `Two-${way}`, way)
    for (const [i, size] of [0, 1, 5 * MB].entries()) {
      const blob = named(size === 1 ? Buffer.from([0]) : someBytes(size).bytes)
      const key = `${way}/${i}.png`
      expect(await put(one, key, blob.bytes, ...(size === 0 ? ['--binary'] : []))).toMatchObject({
        created: true,
        file: { version: 1, size, sha256: blob.sha256, media_type: 'image/png' },
      })
      expect((await get(two, key)).equals(blob.bytes)).toBe(true)
    }
    expect(readdirSync(two.cwd)).toEqual(['got.bin'])
    const { files } = await two.ask<{ files: File[] }>('file-list', `${way}/`)
    expect(files).toMatchObject([{ size: 0 }, { size: 1 }, { size: 5 * MB, read_version: 1 }])
    expect((await two.atLink('file-list', `${way}/2`)).stdout).toContain('5242880 bytes  image/png')
  })
})

it('a version more is told, renamed and removed as a text is', async () => {
  const [first, second] = [someBytes(1_000), someBytes(1_001)]
  await put(ann, 'logo.png', first.bytes)
  await get(bob, 'logo.png')
  await bob.atLink('poll')
  expect(await put(ann, 'logo.png', second.bytes)).toMatchObject({
    created: false,
    changed: true,
    file: { version: 2, last_editor: ann.id },
  })
  expect(await put(ann, 'logo.png', second.bytes)).toMatchObject({ changed: false })
  const { messages } = await bob.ask<{ messages: object[] }>('poll', '--type', 'file_updated')
  expect(messages).toMatchObject([{ file_key: 'logo.png', version: 2, last_editor: ann.id }])
  expect(await refused(bob, 'file-rm', '--key', 'logo.png')).toMatchObject({ code: 'stale' })
  await ann.ask('file-mv', '--key', 'logo.png', '--to', 'img/logo.png')
  expect((await get(bob, 'img/logo.png')).equals(second.bytes)).toBe(true)
  // An older version by its name.
  const short = first.sha256.slice(0, 10)
  expect((await get(bob, 'img/logo.png', '--sha256', short)).equals(first.bytes)).toBe(true)
  expect(
    await refused(bob, 'file-get', '--key', 'img/logo.png', '--sha256', 'ffff', '--output', 'x'),
  ).toMatchObject({ exit: 3, code: 'unknown_blob' })
  await bob.ask('file-rm', '--key', 'img/logo.png')
  expect(await refused(ann, 'file-get', '--key', 'img/logo.png')).toMatchObject({ exit: 3 })
  // What was removed is kept for a while.
  expect(await ann.ask('file-restore', '--key', 'img/logo.png')).toMatchObject({
    file: { sha256: second.sha256, version: 4 },
  })
  expect((await get(bob, 'img/logo.png')).equals(second.bytes)).toBe(true)
  expect(await refused(ann, 'file-restore', '--key', 'img/logo.png')).toMatchObject({ exit: 2 })
})

it('[BLOB-6] [BLOB-12] of two versions the last is the file, both are kept, and who was not read is told', async () => {
  const [base, anns, bobs] = [someBytes(500), someBytes(500), someBytes(500)]
  await put(ann, 'both.bin', base.bytes)
  expect(await refused(bob, ...putArgs(bob, 'both.bin', bobs.bytes))).toMatchObject({
    exit: 4,
    code: 'no_base',
  })
  await get(bob, 'both.bin')
  await put(ann, 'both.bin', anns.bytes)
  await ann.atLink('poll')
  const wrote = await put(bob, 'both.bin', bobs.bytes)
  expect(wrote).toMatchObject({ replaced: { sha256: anns.sha256, by: ann.id } })
  const { messages } = await ann.ask<{ messages: object[] }>('poll', '--type', 'direct_message')
  expect(messages).toMatchObject([{ from_agent: bob.id, topic: 'file-conflict' }])
  const { file } = await ann.ask<{ file: File }>('file-get', '--key', 'both.bin')
  expect(file).toMatchObject({ sha256: bobs.sha256, version: 3 })
  expect(file).not.toHaveProperty('content')
  expect(file.versions.map(({ sha256 }) => sha256)).toEqual([bobs, anns, base].map((b) => b.sha256))
  expect((await get(ann, 'both.bin', '--sha256', anns.sha256)).equals(anns.bytes)).toBe(true)

  // At the very same time: one of them is the file, and none is lost.
  const both = [someBytes(700), someBytes(700)]
  await get(bob, 'both.bin')
  await Promise.all([
    put(ann, 'both.bin', both[0]!.bytes, '--force'),
    put(bob, 'both.bin', both[1]!.bytes),
  ])
  for (const { sha256, bytes } of both) {
    expect((await get(ann, 'both.bin', '--sha256', sha256)).equals(bytes)).toBe(true)
  }
})

it('[BLOB-7] text and bytes take each other’s place only by force; text verbs say what a file is', async () => {
  const blob = someBytes(300)
  await put(ann, 'kind.dat', 'text\n')
  expect(await refused(ann, ...putArgs(ann, 'kind.dat', blob.bytes))).toMatchObject({
    exit: 4,
    code: 'is_text',
  })
  await put(ann, 'kind.dat', blob.bytes, '--force')
  expect((await get(bob, 'kind.dat')).equals(blob.bytes)).toBe(true)
  for (const args of [
    putArgs(ann, 'kind.dat', 'text\n'),
    ['file-edit', '--key', 'kind.dat', '--find', 'a', '--replace', 'b'],
    ['file-edit', '--key', 'kind.dat', '--lines', '1', '--with', 'b'],
    ['file-append', '--key', 'kind.dat', 'more'],
    ['file-diff', '--key', 'kind.dat'],
    ['file-get', '--key', 'kind.dat', '--lines', '1-2'],
    ['file-intent', '--key', 'kind.dat', '--lines', '1', '--note', 'x'],
  ]) {
    expect(await refused(ann, ...args), args.join(' ')).toMatchObject({ exit: 4, code: 'not_text' })
  }
  // The history is of text.
  const log = await ann.atLink('file-log', '--key', 'kind.dat')
  expect(log.stdout).toMatch(/^version 1 .*\n$/)
  expect(log.stderr).toMatch(/not text now/)
  expect((await ann.atLink('file-get', '--key', 'kind.dat', '--version', '1')).stdout).toBe(
    'text\n',
  )
  expect(await refused(ann, 'file-restore', '--key', 'kind.dat', '--version', '1')).toMatchObject({
    exit: 4,
    code: 'not_text',
  })
  await put(ann, 'kind.dat', 'text again\n', '--force')
  expect((await bob.atLink('file-get', '--key', 'kind.dat')).stdout).toBe('text again\n')
  expect(await refused(bob, ...putArgs(bob, 'kind.dat', blob.bytes))).toMatchObject({
    code: 'is_text',
  })
  // What is text can be shared as it is, too.
  expect(await put(ann, 'raw.txt', 'text\n', '--binary')).toMatchObject({
    file: { media_type: 'application/octet-stream', size: 5 },
  })
})

it('[BLOB-8] no bytes are printed; a blob that is not what its name says is not written', async () => {
  const blob = someBytes(4_000)
  await put(ann, 'safe.zip', blob.bytes)
  const shown = await bob.atLink('file-get', '--key', 'safe.zip')
  expect(shown).toMatchObject({ code: 4, stdout: '' })
  expect(shown.stderr).toMatch(/not text \(application\/zip\) — .*--output PATH/)
  const there = local(bob, 'safe.out', 'what was there')
  const path = join(server.data, 'blobs/default', blob.sha256.slice(0, 2), blob.sha256)
  writeFileSync(path, someBytes(4_000).bytes)
  const args = ['file-get', '--key', 'safe.zip', '--output', there]
  expect(await refused(bob, ...args)).toMatchObject({ exit: 4, code: 'bad_blob' })
  expect(readFileSync(join(bob.cwd, there), 'utf8')).toBe('what was there')
  expect(readdirSync(bob.cwd).filter((name) => name.endsWith('.tmp'))).toEqual([])
  writeFileSync(path, blob.bytes)
  expect(await refused(bob, ...args.slice(0, -1), 'no/such/folder')).toMatchObject({
    code: 'no_such_local_file',
  })
})

it('[BLOB-4] the client, too, refuses what is too large, before it sends anything', async () => {
  const before = blobFiles(server.data)
  const large = local(ann, 'large.txt', 'text\n'.repeat(1_000_000))
  expect(await refused(ann, 'file-put', '--key', 'l', '--file', large)).toMatchObject({
    exit: 2,
    code: 'too_large',
    hint: expect.stringContaining('--binary'),
  })
  truncateSync(join(ann.cwd, large), 257 * MB)
  expect(await refused(ann, 'file-put', '--key', 'l', '--file', large)).toMatchObject({
    exit: 2,
    code: 'too_large',
  })
  expect(blobFiles(server.data)).toEqual(before)
})

it('[BLOB-4] a full workspace refuses the put, and nothing of it is in the document', async () => {
  const data = tempDir('full')
  const other = named(Buffer.alloc(0)).sha256
  mkdirSync(join(data, 'blobs/default', other.slice(0, 2)), { recursive: true })
  const sparse = join(data, 'blobs/default', other.slice(0, 2), other)
  writeFileSync(sparse, '')
  truncateSync(sparse, 4 * 1024 * MB)
  const full = await startHere({ data })
  const one = await registeredHere(full.url, 'Full')
  expect(await refused(one, ...putArgs(one, 'no.bin', someBytes(10).bytes))).toMatchObject({
    exit: 4,
    code: 'quota',
    message: expect.stringContaining('4294967296'),
    hint: expect.stringContaining('file-rm'),
  })
  expect(await one.ask('file-list')).toMatchObject({ count: 0 })
  await full.stop()
})

it('[BLOB-2] an upload outlives kill -9 of the server, and says so while that is away', async () => {
  const data = tempDir('killed')
  let shaky = await startServer({ data })
  const { port } = shaky
  const proxy = await startBadLine(port, { puts: [{ bytes: 4 * MB, end: 'hold' }], gets: [] })
  const one = await registeredHere(proxy.url, 'Shaky')
  const blob = someBytes(10 * MB)
  const putting = put(one, 'big.bin', blob.bytes)
  await until('it is half there', async () => (await head(shaky, blob)).offset > 3 * MB)
  // While bytes move, other commands of the same agent go on.
  expect(await one.ask('discover')).toMatchObject({ count: 1 })
  await shaky.kill()
  expect(blobFiles(data)).toEqual([`default/partial/${blob.sha256}.${10 * MB}`])
  shaky = await startServer({ data, port })
  expect(await putting).toMatchObject({ file: { sha256: blob.sha256, version: 1 } })
  expect((await get(one, 'big.bin')).equals(blob.bytes)).toBe(true)

  await shaky.kill()
  const away = await refused(one, ...putArgs(one, 'more.bin', someBytes(10).bytes))
  expect(away).toMatchObject({ exit: 6, code: 'unreachable', hint: /nothing is lost/ })
  expect(away.message).toMatch(/nothing was shared/)
  shaky = await startServer({ data, port })
  await until('the link is back', async () => (await one.atLink('file-list')).code === 0)
  const { files } = await one.ask<{ files: File[] }>('file-list')
  expect(files.map(({ file_key }) => file_key)).toEqual(['big.bin'])
  await shaky.stop()
  await proxy.close()
})

it('[BLOB-2] an upload outlives kill -9 of the link: the next one goes on with it', async () => {
  const hold = { bytes: 4 * MB, end: 'hold' as const }
  const line = await startBadLine(server.port, { puts: [hold], gets: [hold] })
  const one = await registered(line.url, 'Linked')
  const blob = someBytes(10 * MB)
  const putting = put(one, 'linked.bin', blob.bytes)
  await until('it is half there', async () => (await head(server, blob)).offset > 3 * MB)
  await killLink(one.home)
  expect(await putting).toMatchObject({ created: true, file: { version: 1, sha256: blob.sha256 } })
  // The link may have been killed before its upload came to the limit.
  const before = line.reached.length
  const getting = get(one, 'linked.bin')
  await until('it is half here', () => line.reached.length > before)
  await killLink(one.home)
  expect((await getting).equals(blob.bytes)).toBe(true)
  await line.close()
})

it('a mirror leaves bytes where they are, and goes on', async () => {
  const one = await registeredHere(server.url, 'Mirror')
  mkdirSync(join(one.cwd, 'm'))
  await put(ann, 'mir/first.png', someBytes(100).bytes)
  await one.ask('mirror', 'm', '--prefix', 'mir/')
  await put(ann, 'mir/pic.png', someBytes(100).bytes)
  await put(ann, 'mir/note.md', 'text\n')
  await put(ann, 'mir/turns.md', 'text\n')
  const has = () => readdirSync(join(one.cwd, 'm')).sort().join()
  await until('texts are there', () => has() === 'note.md,turns.md')
  const { sha256 } = (await put(ann, 'mir/turns.md', someBytes(100).bytes, '--force')).file
  local(one, 'm/pic.png', 'another')
  local(one, 'm/note.md', 'text\nmore\n')
  await until('the edit is shared', async () =>
    (await ann.atLink('file-get', '--key', 'mir/note.md')).stdout.endsWith('more\n'),
  )
  const { files } = await ann.ask<{ files: File[] }>('file-list', 'mir/')
  expect(files.map(({ file_key, size }) => [file_key, size])).toEqual([
    ['mir/first.png', 100],
    ['mir/note.md', 10],
    ['mir/pic.png', 100],
    ['mir/turns.md', 100],
  ])
  expect(files[3]).toMatchObject({ sha256 })
})

it('a command under its idempotency key is done once', async () => {
  const blob = someBytes(100)
  const args = [...putArgs(ann, 'once.bin', blob.bytes), '--idempotency-key', 'k-once']
  const first = await ann.ask<{ created: boolean }>(...args)
  expect(await ann.ask(...args)).toEqual(first)
  expect(first.created).toBe(true)
})

it('[BLOB-9] how far it is, is drawn on a terminal, and never in JSON or into a pipe', async () => {
  const home = tempDir('pty')
  atEnd(() => endLink(home))
  local({ cwd: home } as Agent, 'b.bin', someBytes(20 * MB).bytes)
  const env = { ...process.env, CLAWLINK_HOME: home, CLAWLINK_SERVER: server.url }
  const inTerminal = async (...args: string[]): Promise<string> => {
    const command = [process.execPath, bin('clawlink-agent.cjs'), ...args].join(' ')
    // `script` gives it a terminal.
    const child = spawn('script', ['-qec', command, '/dev/null'], { cwd: home, env })
    let shown = ''
    child.stdout.on('data', (chunk) => {
      shown += chunk
    })
    child.stdin.end()
    await once(child, 'close')
    return shown
  }
  await inTerminal('register', '--name', 'Pty')
  const shown = await inTerminal('file-put', '--key', 'b.bin', '--file', 'b.bin')
  expect(shown).toMatch(/uploading b\.bin [#.]{20} +\d+% of 21\.0 MB/)
  expect(shown).toContain('created b.bin version 1')
  const json = await inTerminal('file-get', '--key', 'b.bin', '--output', 'c.bin', '--json')
  expect(json.trim().split('\n')).toHaveLength(1)
  expect(JSON.parse(json)).toMatchObject({ ok: true })
  const piped = await ann.atLink('file-get', '--key', 'b.bin', '--output', 'c.bin')
  expect(piped).toMatchObject({ code: 0, stderr: '' })
})

it('a reference without bytes says what is missing, and putting them again mends it', async () => {
  const blob = someBytes(100)
  await put(ann, 'gone.bin', blob.bytes)
  rmSync(join(server.data, 'blobs/default', blob.sha256.slice(0, 2), blob.sha256))
  expect(await refused(bob, 'file-get', '--key', 'gone.bin', '--output', 'x')).toMatchObject({
    exit: 3,
    code: 'unknown_blob',
  })
  expect((await fetch(blobUrl(server, blob.sha256))).status).toBe(404)
  expect(await put(ann, 'gone.bin', blob.bytes)).toMatchObject({ changed: false })
  expect((await get(bob, 'gone.bin')).equals(blob.bytes)).toBe(true)
})
