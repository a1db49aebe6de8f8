import { mkdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { type ClientRequest, request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { MAX_BLOB_BYTES } from '../../../protocol/limits.ts'
import {
  type Bytes,
  blobFiles,
  blobUrl,
  getBytes,
  head,
  named,
  putBytes,
  someBytes,
} from '../../support/blobs.ts'
import { liveDoc, orLong, runSeed, seeded, until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import {
  asOwner,
  fetch,
  makeWorkspaces,
  type Server,
  startServer,
  tempDir,
} from '../../support/server.ts'

let server: Server
beforeAll(async () => {
  server = await startServer({ args: ['--log-level', 'error'] })
})
afterAll(() => server.stop())

const MB = 1024 * 1024
const whole = (sha256: string) => `default/${sha256.slice(0, 2)}/${sha256}`

/** A PUT whose body is sent bit by bit. */
const slowPut = (
  { sha256, size }: { sha256: string; size: number },
  offset = 0,
): ClientRequest & { answered: Promise<number> } => {
  const url = `${blobUrl(server, sha256)}?size=${size}&offset=${offset}`
  const sent = request(url, { method: 'PUT', agent: false, headers: { ...asOwner(url) } })
  const answered = new Promise<number>((resolve) => {
    sent.once('response', (response) => {
      response.resume()
      resolve(response.statusCode!)
    })
    sent.once('error', () => resolve(0))
  })
  return Object.assign(sent, { answered })
}

it.each([0, 1, 64 * 1024, 5 * MB])('[BLOB-1] %i bytes come back as they were put', async (size) => {
  const blob = someBytes(size)
  expect(await head(server, blob)).toEqual({ status: 404, offset: 0 })
  expect(await putBytes(server, blob)).toEqual({ status: 201, offset: size, complete: true })
  expect(await head(server, blob)).toEqual({ status: 200, offset: size })
  expect((await getBytes(server, blob.sha256)).equals(blob.bytes)).toBe(true)
  // Putting it again is nothing new.
  expect(await putBytes(server, blob)).toMatchObject({ status: 201, complete: true })
  expect(blobFiles(server.data)).toContain(whole(blob.sha256))
})

it('[BLOB-1] a range is what it says', async () => {
  const blob = someBytes(1_000)
  await putBytes(server, blob)
  const get = async (range: string) => {
    const answer = await fetch(blobUrl(server, blob.sha256), { headers: { range } })
    return { answer, bytes: Buffer.from(await answer.arrayBuffer()) }
  }
  for (const [range, from, to] of [
    ['bytes=0-0', 0, 0],
    ['bytes=10-', 10, 999],
    ['bytes=10-5000', 10, 999],
    ['bytes=-10', 990, 999],
    ['bytes=-5000', 0, 999],
  ] as const) {
    const { answer, bytes } = await get(range)
    expect([answer.status, answer.headers.get('content-range')], range).toEqual([
      206,
      `bytes ${from}-${to}/1000`,
    ])
    expect(bytes.equals(blob.bytes.subarray(from, to + 1)), range).toBe(true)
  }
  for (const range of ['bytes=1000-', 'bytes=-0']) {
    expect((await get(range)).answer.status, range).toBe(416)
  }
  for (const range of ['bytes=', 'bytes=5-2', 'bytes=0-1,3-4', 'lines=1-2', 'bytes=a-b', '-']) {
    expect((await get(range)).answer.status, range).toBe(200)
  }
  const { headers } = await fetch(blobUrl(server, blob.sha256))
  expect(headers.get('content-type')).toBe('application/octet-stream')
  expect(headers.get('x-content-type-options')).toBe('nosniff')
})

it('[BLOB-2] an upload goes on where it ended, over requests, a cut connection and kill -9', async () => {
  const blob = someBytes(3 * MB)
  expect(await putBytes(server, blob, 0, blob.bytes.subarray(0, MB))).toEqual({
    status: 202,
    offset: MB,
    complete: false,
  })
  expect(await putBytes(server, blob, 7)).toEqual({
    status: 409,
    offset: MB,
    code: 'wrong_offset',
  })
  // A connection that is cut.
  const cut = slowPut(blob, MB)
  cut.write(blob.bytes.subarray(MB, MB + 1000))
  await until('its bytes are there', async () => (await head(server, blob)).offset === MB + 1000)
  cut.destroy()
  const after = await head(server, blob)
  expect(after).toEqual({ status: 404, offset: MB + 1000 })

  // The server dies in the midst of it; what it had got is still there.
  const dying = slowPut(blob, MB + 1000)
  dying.write(blob.bytes.subarray(MB + 1000, 2 * MB))
  await until('its bytes are there', async () => (await head(server, blob)).offset === 2 * MB)
  const { data } = server
  await server.kill()
  dying.destroy()
  expect(blobFiles(data)).not.toContain(whole(blob.sha256))
  server = await startServer({ data, args: ['--log-level', 'error'] })
  expect(await head(server, blob)).toEqual({ status: 404, offset: 2 * MB })
  expect(await putBytes(server, blob, 2 * MB)).toMatchObject({ status: 201, complete: true })
  expect((await getBytes(server, blob.sha256)).equals(blob.bytes)).toBe(true)
})

const KILLS = orLong(4, 20)

it(`[BLOB-1] kill -9 at ${KILLS} random moments leaves no name for what is not whole`, async () => {
  const random = seeded(runSeed('killed uploads'))
  const data = tempDir('killed')
  let dying = await startServer({ data, args: ['--log-level', 'fatal'] })
  const promised = new Set<string>()
  for (let kill = 0; kill < KILLS; kill++) {
    // It dies right after some answer, in the midst of what the other writers put.
    let left = 2 + Math.floor(random() * 15)
    let dead: Promise<void> | null = null
    const answered = (): void => {
      if (--left === 0) dead = dying.kill()
    }
    const writers = [1, 2, 3].map(async () => {
      while (dead === null) {
        const blob = someBytes(Math.floor(random() * 500_000))
        const half = Math.floor(blob.size / 2)
        try {
          await putBytes(dying, blob, 0, blob.bytes.subarray(0, half))
          answered()
          const { complete } = await putBytes(dying, blob, half)
          if (complete) promised.add(whole(blob.sha256))
          answered()
        } catch {
          return // it is dead
        }
      }
    })
    await Promise.all(writers)
    await dead
    dying = await startServer({ data, args: ['--log-level', 'fatal'] })
  }
  const there = blobFiles(data).filter((name) => !name.includes('/partial/'))
  for (const name of there) {
    expect(named(readFileSync(join(data, 'blobs', name))).sha256).toBe(name.slice(-64))
  }
  expect([...promised].filter((name) => !there.includes(name))).toEqual([])
  expect(promised.size).toBeGreaterThan(KILLS / 2)
  await dying.stop()
})

it('[SERVER-1] SIGTERM does not wait for an upload that stands still, and keeps what came of it', async () => {
  const blob = someBytes(1_000)
  const { data } = server
  const still = slowPut(blob)
  still.write(blob.bytes.subarray(0, 400))
  await until('it has begun', async () => (await head(server, blob)).offset === 400)
  expect(await server.stop()).toBe(0)
  still.destroy()
  server = await startServer({ data, args: ['--log-level', 'error'] })
  expect(await putBytes(server, blob, 400)).toMatchObject({ status: 201 })
})

it('[BLOB-3] two uploads of one blob do not meet; a stalled one makes way', async () => {
  const blob = someBytes(2 * MB)
  const first = slowPut(blob)
  first.write(blob.bytes.subarray(0, MB))
  await until('it has begun', async () => (await head(server, blob)).offset === MB)
  expect(await putBytes(server, blob, MB)).toMatchObject({ status: 409, code: 'busy' })
  // Nothing comes from it any more; its connection is still open.
  await until('another may go on', async () => {
    const { code, complete } = await putBytes(server, blob, MB)
    return code !== 'busy' && complete === true
  })
  expect(await first.answered).not.toBe(201)
  first.destroy()
  expect((await getBytes(server, blob.sha256)).equals(blob.bytes)).toBe(true)

  const many = someBytes(MB)
  const answers = await Promise.all(Array.from({ length: 8 }, () => putBytes(server, many)))
  const done = answers.filter(({ status }) => status === 201)
  expect(done.length).toBeGreaterThan(0)
  for (const { status, code } of answers) {
    if (status !== 201) expect(['busy', 'wrong_offset']).toContain(code)
  }
  expect((await getBytes(server, many.sha256)).equals(many.bytes)).toBe(true)
})

it('[BLOB-3] hostile requests get a 4xx with a code and leave nothing behind', async () => {
  const before = blobFiles(server.data)
  const blob = someBytes(1_000)
  const { sha256, bytes } = blob
  const api = `${server.url}/api/workspaces/default/blobs`
  const put = (path: string, body: Uint8Array | string = bytes) =>
    fetch(path, { method: 'PUT', body })
  const cases: [string, () => Promise<Response>, number, string][] = [
    ['a short name', () => put(`${api}/abc?size=1000`), 400, 'bad_name'],
    ['upper case', () => put(`${api}/${'A'.repeat(64)}?size=1000`), 400, 'bad_name'],
    ['a path', () => put(`${api}/..%2f..%2f${sha256.slice(6)}?size=1000`), 400, 'bad_name'],
    ['dots', () => put(`${api}/%2e%2e?size=1000`), 404, 'unknown_route'],
    ['NUL', () => put(`${api}/%00${sha256.slice(1)}?size=1000`), 400, 'bad_name'],
    [
      'a workspace of dots',
      () => put(`${server.url}/api/workspaces/..%2fx/blobs/${sha256}?size=1000`),
      400,
      'bad_name',
    ],
    ['no size', () => put(`${api}/${sha256}`), 400, 'usage'],
    ['a negative size', () => put(`${api}/${sha256}?size=-1`), 400, 'usage'],
    ['half a byte', () => put(`${api}/${sha256}?size=1.5`), 400, 'usage'],
    ['no number', () => put(`${api}/${sha256}?size=1e9`), 400, 'usage'],
    ['another parameter', () => put(`${api}/${sha256}?size=1000&x=1`), 400, 'usage'],
    ['past its end', () => put(`${api}/${sha256}?size=1000&offset=1001`), 400, 'usage'],
    ['a hole', () => put(`${api}/${sha256}?size=1000&offset=10`), 409, 'wrong_offset'],
    ['too long', () => put(`${api}/${sha256}?size=999`), 400, 'usage'],
    ['far too long', () => put(`${api}/${sha256}?size=9`, Buffer.alloc(4 * MB)), 400, 'usage'],
    ['other bytes', () => put(`${api}/${sha256}?size=1000`, Buffer.alloc(1000)), 422, 'bad_blob'],
    ['none at all', () => put(`${api}/${sha256}?size=0`, ''), 422, 'bad_blob'],
    ['too large', () => put(`${api}/${sha256}?size=${MAX_BLOB_BYTES + 1}`), 413, 'too_large'],
    ['GET of none', () => fetch(`${api}/${sha256}`), 404, 'unknown_blob'],
    ['POST', () => fetch(`${api}/${sha256}`, { method: 'POST' }), 404, 'unknown_route'],
  ]
  for (const [what, ask, status, code] of cases) {
    const answer = await ask()
    expect([answer.status, ((await answer.json()) as { error: object }).error], what).toMatchObject(
      [status, { code }],
    )
    expect(blobFiles(server.data), what).toEqual(before)
  }
  // Content-Length that lies: less than is sent is a broken request, more is a body that never ends.
  for (const length of [10, 5000]) {
    const socket = connect(server.port, '127.0.0.1')
    socket.on('error', () => {})
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.write(
      `PUT /api/workspaces/default/blobs/${sha256}?size=1000 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.token}\r\ncontent-length: ${length}\r\n\r\n`,
    )
    socket.write(bytes)
    await new Promise((resolve) => socket.once('data', resolve).once('close', resolve).end())
    socket.destroy()
    await closed
  }
  await until('the lies are over', async () => {
    const { status, offset } = await head(server, blob)
    return status === 404 && offset < 1000
  })
  // What is left of them can be gone on with, and is then the blob itself or nothing.
  // The server may not know yet that the last one was cut off: until then it has the upload (409).
  let status = 409
  await until('the upload that was cut off is over', async () => {
    const { offset } = await head(server, blob)
    status = (await putBytes(server, blob, offset)).status
    return status !== 409
  })
  expect(status).toBe(201)
  expect(blobFiles(server.data)).toEqual([...before, whole(sha256)].sort())
  expect((await fetch(`${server.url}/health`)).status).toBe(200)
  expect(server.log()).toBe('')
})

it('[BLOB-3] an upload that never sent a byte leaves nothing', async () => {
  const before = blobFiles(server.data)
  const silent = slowPut(someBytes(100))
  silent.flushHeaders()
  await until('it has begun', () => blobFiles(server.data).length > before.length)
  silent.destroy()
  await until('it is gone', () => blobFiles(server.data).length === before.length)
})

it('[BLOB-4] a workspace over its quota, or with too many uploads, takes no more', async () => {
  const data = tempDir('quota')
  const full = named(Buffer.alloc(0)).sha256
  mkdirSync(join(data, 'blobs/default', full.slice(0, 2)), { recursive: true })
  const sparse = join(data, 'blobs', whole(full))
  writeFileSync(sparse, '')
  truncateSync(sparse, 4 * 1024 * MB - 1_000)
  const small = await startHere({ data })
  const before = blobFiles(data)
  expect(await putBytes(small, someBytes(1_001))).toMatchObject({ status: 507, code: 'quota' })
  expect(blobFiles(data)).toEqual(before)
  const half = someBytes(600)
  await putBytes(small, half, 0, half.bytes.subarray(0, 10))
  // What is announced counts.
  expect(await putBytes(small, someBytes(600))).toMatchObject({ code: 'quota' })
  expect(await putBytes(small, half, 10)).toMatchObject({ status: 201 })
  // Another workspace has its own.
  await makeWorkspaces(small.url, 'other', 'busy')
  expect(await putBytes(small, someBytes(1_001), 0, undefined, 'other')).toMatchObject({
    status: 201,
  })
  for (let i = 0; i < 32; i++) {
    const one = someBytes(10)
    await putBytes(small, one, 0, one.bytes.subarray(0, 5), 'busy')
  }
  expect(await putBytes(small, someBytes(10), 0, undefined, 'busy')).toMatchObject({ code: 'busy' })
  await small.stop()
})

it('[BLOB-5] [BLOB-11] what no version refers to goes after a while, with cut uploads; the rest stays', async () => {
  const data = tempDir('collect')
  const filling = await startServer({ data })
  const { client, doc } = await liveDoc(`${filling.sync}/default`)
  const entry = { fileId: 'a.png', mediaType: 'image/png', createdBy: 'a', createdAt: 1 }
  doc.getMap('files').set('a.png', entry)
  // Of seven versions the newest five are kept.
  const versions = Array.from({ length: 7 }, (_, i) => someBytes(100 + i))
  for (const [at, { sha256, size }] of versions.entries()) {
    doc.getMap('blobs:a.png').set(sha256, { size, mediaType: 'image/png', by: 'a', at })
  }
  await client.barrier()
  await client.close()
  const [unwanted, young, cut] = [1_000, 2_000, 3_000].map(someBytes) as [Bytes, Bytes, Bytes]
  for (const blob of [...versions, unwanted, young]) await putBytes(filling, blob)
  await putBytes(filling, cut, 0, cut.bytes.subarray(0, 20))
  await filling.stop()
  const old = Date.now() / 1000 - 25 * 3600
  const age = (name: string) => utimesSync(join(data, 'blobs', name), old, old)
  for (const { sha256 } of [...versions, unwanted]) age(whole(sha256))
  age(`default/partial/${cut.sha256}.3000`)

  const sweeping = await startServer({ data, env: { CLAWLINK_SWEEP: '0.05' } })
  const kept = [...versions.slice(2), young]
  const names = kept.map(({ sha256 }) => whole(sha256)).sort()
  await until('the rest is gone', () => blobFiles(data).length <= names.length)
  expect(blobFiles(data)).toEqual(names)
  for (const blob of kept) {
    expect((await getBytes(sweeping, blob.sha256)).equals(blob.bytes)).toBe(true)
  }
  const after = await liveDoc(`${sweeping.sync}/default`)
  expect(after.doc.getMap('blobs:a.png').size).toBe(5)

  // A race: the same bytes are put again and again while they are old and unwanted.
  let collected = 0
  for (let round = 0; round < 100; round++) {
    try {
      age(whole(unwanted.sha256))
    } catch {
      collected++
    }
    expect(await putBytes(sweeping, unwanted)).toMatchObject({ status: 201 })
    expect((await getBytes(sweeping, unwanted.sha256)).equals(unwanted.bytes)).toBe(true)
    if (round % 10 !== 0) continue
    age(whole(unwanted.sha256))
    await until('it is collected', () => !blobFiles(data).includes(whole(unwanted.sha256)))
  }
  expect(collected).toBeGreaterThan(0)
  await after.client.close()
  await sweeping.stop()
})
