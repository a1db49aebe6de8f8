import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { AccessStore } from '../../../sync-server/auth/store.ts'
import { purgeWorkspace } from '../../../sync-server/ops/purge.ts'
import { openData } from '../../../sync-server/ops/source.ts'
import { workspaceOfKey } from '../../../sync-server/storage/integrity/level-keys.ts'
import { placeOf } from '../../../sync-server/storage/place.ts'
import { OWNER } from '../../../sync-server/sync/principal.ts'
import { agentHere } from '../../support/agent.ts'
import { member } from '../../support/auth/members.ts'
import { RawClient, runSeed, seeded } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { syncHere, syncJsonHere } from '../../support/ops/commands.ts'
import { type ServerAt, startServer, tempDir } from '../../support/server.ts'

/** Keys of a workspace that are stored, by their kinds. */
const kindsOf = async (data: string, workspace: string): Promise<string[]> => {
  const log = (await openData(placeOf(data, null)))!
  const kinds = new Set<string>()
  for await (const [key] of log.records()) {
    if (workspaceOfKey(key) === workspace) kinds.add(key.charAt(0))
  }
  await log.close()
  return [...kinds]
}

/** Work of an agent in the workspace docs. */
const workIn = async (server: ServerAt) => {
  const data = ['--data', server.data]
  const bob = agentHere(server.url)
  const link = (await syncHere('invite', '--workspace', 'docs', ...data)).stdout.trim()
  expect((await bob.runWith({ stdin: link }, 'join', '-')).code).toBe(0)
  await bob.ask('register', 'Bob')
  await bob.ask('broadcast', 'hello')
  const picture = join(mkdtempSync(join(tempDir('blob'), 'b-')), 'a.bin')
  writeFileSync(picture, Buffer.from([0, 255, 1, 0]))
  await bob.ask('file-put', '--key', 'a.bin', '--file', picture)
}

/** A server with work of an agent in the workspace docs. */
const withDocs = async () => {
  const server = await startHere({ workspaces: ['docs', 'docs-2'] })
  await workIn(server)
  const ann = await member(server, 'a-ann', 'write', 'docs')
  const data = ['--data', server.data]
  return { server, data, ann, blobs: join(server.data, 'blobs', 'docs') }
}

it('[ADMIN-13] a removed workspace is purged on the data of a stopped server; its name is free, its audit log stays', async () => {
  const { server, data, ann, blobs } = await withDocs()
  await syncHere('workspaces', 'remove', 'docs', ...data)
  await server.stop()
  expect(existsSync(blobs)).toBe(true)
  // Tests have no terminal.
  const unasked = await syncHere('workspaces', 'purge', 'docs', ...data)
  expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringContaining('--yes')])
  for (const name of ['default', 'docs-2', 'nope']) {
    const { code, stderr } = await syncHere('workspaces', 'purge', name, '--yes', ...data)
    expect([code, stderr]).toEqual([3, expect.stringContaining('was removed')])
  }
  expect((await kindsOf(server.data, 'docs')).length).toBeGreaterThan(5)
  const others = await kindsOf(server.data, 'docs-2')
  const purged = await syncJsonHere<{ bytes: number | null }>(
    ...['workspaces', 'purge', 'docs', '--yes', ...data],
  )
  expect(purged).toMatchObject({ workspace: 'docs', purged: true })
  // PostgreSQL cannot tell.
  expect(purged.bytes ?? 501).toBeGreaterThan(500)
  expect(await kindsOf(server.data, 'docs')).toEqual(['l'])
  expect(await kindsOf(server.data, 'docs-2')).toEqual(others)
  expect(existsSync(blobs)).toBe(false)
  expect((await syncHere('verify', ...data)).code).toBe(0)

  const again = await startHere({ data: server.data, port: server.port })
  const { entries } = await syncJsonHere<{ entries: { what: string; workspace: string }[] }>(
    ...['audit', '--limit', '20', ...data],
  )
  expect(entries.some((one) => one.what === 'purged' && one.workspace === 'docs')).toBe(true)
  expect((await syncHere('workspaces', 'add', 'docs', ...data)).code).toBe(0)
  const { agents } = await syncJsonHere<{ agents: object[] }>(
    ...['agents', '--workspace', 'docs', ...data],
  )
  expect(agents).toEqual([])
  const former = new RawClient(`${again.sync}/docs`, ann.headers)
  const status = await new Promise((resolve) =>
    former.ws.on('unexpected-response', (_, { statusCode }) => resolve(statusCode)),
  )
  expect(status).toBe(401)
  await again.stop()
})

it('[ADMIN-13] a purge that was cut off cannot be restored, and the next one ends it', async () => {
  const { server, data } = await withDocs()
  await syncHere('workspaces', 'remove', 'docs', ...data)
  await server.stop()
  const log = (await openData(placeOf(server.data, null), true))!
  const access = await AccessStore.open(log, Date.now, { invites: 10, workspaces: 10 })
  const cut = access.admin.purge('docs', OWNER, () => Promise.reject(new Error('power loss')))
  await expect(cut).rejects.toThrow('power loss')
  await log.close()
  const back = await syncHere('workspaces', 'restore', 'docs', ...data)
  expect([back.code, back.stderr]).toEqual([3, expect.stringContaining('workspaces purge docs')])
  const place = placeOf(server.data, null)
  expect(await purgeWorkspace(place, 'docs', async () => false)).toBe(null)
  expect(await purgeWorkspace(place, 'docs', async () => true)).toMatchObject({ workspace: 'docs' })
  expect(await kindsOf(server.data, 'docs')).toEqual(['l'])
})

it('[ADMIN-13] the running server purges a removed workspace, and goes on with the others; its name is free at once', async () => {
  const { server, data, ann, blobs } = await withDocs()
  for (const name of ['docs', 'default', 'nope']) {
    const { code, stderr } = await syncHere('workspaces', 'purge', name, '--yes', ...data)
    expect([code, stderr]).toEqual([3, expect.stringContaining('was removed')])
  }
  const inDocs = new RawClient(`${server.sync}/docs`, ann.headers)
  const cut = new Promise<number>((resolve) => inDocs.ws.on('close', resolve))
  const opened = new Promise((resolve) => inDocs.ws.once('open', resolve))
  await opened
  await syncHere('workspaces', 'remove', 'docs', ...data)
  expect(await cut).toBe(1001)
  const unasked = await syncHere('workspaces', 'purge', 'docs', ...data)
  expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringContaining('--yes')])
  expect(existsSync(blobs)).toBe(true)

  const purges = await Promise.all(
    [1, 2].map(() => syncHere('workspaces', 'purge', 'docs', '--yes', '--json', ...data)),
  )
  // One of two that come together finds nothing to do.
  expect(purges.map(({ code }) => code).sort()).toEqual([0, 3])
  const { stdout } = purges.find(({ code }) => code === 0)!
  const purged = JSON.parse(stdout).data as { bytes: number | null }
  expect(purged).toMatchObject({ workspace: 'docs', purged: true })
  expect(purged.bytes ?? 501).toBeGreaterThan(500)
  expect(existsSync(blobs)).toBe(false)
  const listed = await syncJsonHere<{ removed: object[] }>('workspaces', ...data)
  expect(listed.removed).toEqual([])

  expect((await syncHere('workspaces', 'add', 'docs', ...data)).code).toBe(0)
  const former = new RawClient(`${server.sync}/docs`, ann.headers)
  const status = await new Promise((resolve) =>
    former.ws.on('unexpected-response', (_, { statusCode }) => resolve(statusCode)),
  )
  expect(status).toBe(401)
  const eve = agentHere(server.url)
  const link = (await syncHere('invite', '--workspace', 'docs', ...data)).stdout.trim()
  expect((await eve.runWith({ stdin: link }, 'join', '-')).code).toBe(0)
  await eve.ask('register', 'Eve')
  await eve.ask('broadcast', 'anew')
  const { entries } = await syncJsonHere<{ entries: { what: string }[] }>(
    ...['audit', '--workspace', 'docs', ...data],
  )
  expect(entries.map(({ what }) => what)).toContain('purged')
  await server.stop()
  expect((await syncHere('verify', ...data)).code).toBe(0)
  expect(await kindsOf(server.data, 'docs-2')).toContain('n')
  const again = await startHere({ data: server.data, port: server.port })
  const { agents } = await syncJsonHere<{ agents: { name: string }[] }>(
    ...['agents', '--workspace', 'docs', ...data],
  )
  expect(agents.map(({ name }) => name)).toEqual(['Eve'])
  await again.stop()
})

it('[ADMIN-13] kill -9 while the server purges leaves what the next purge finishes', async () => {
  const random = seeded(runSeed('purge kill'))
  let server = await startServer({ workspaces: ['docs'] })
  const data = ['--data', server.data]
  for (let round = 0; round < 2; round++) {
    await workIn(server)
    await syncHere('workspaces', 'remove', 'docs', ...data)
    const body = JSON.stringify({ workspace: 'docs' })
    const asked = fetch(`${server.url}/api/admin/purge`, { method: 'POST', body }).catch(() => null)
    const until = performance.now() + random() * 40
    while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve))
    await server.kill()
    await asked
    server = await startServer({ data: server.data })
    const { removed } = await syncJsonHere<{ removed: object[] }>('workspaces', ...data)
    const { code } = await syncHere('workspaces', 'purge', 'docs', '--yes', ...data)
    expect(code).toBe(removed.length === 0 ? 3 : 0)
    await server.stop()
    expect(await kindsOf(server.data, 'docs')).toEqual(['l'])
    expect(existsSync(join(server.data, 'blobs', 'docs'))).toBe(false)
    expect((await syncHere('verify', ...data)).code).toBe(0)
    server = await startServer({ data: server.data, workspaces: ['docs'] })
  }
  await server.stop()
})
