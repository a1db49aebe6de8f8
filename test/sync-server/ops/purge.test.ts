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
import { RawClient } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { syncHere, syncJsonHere } from '../../support/ops/commands.ts'
import { tempDir } from '../../support/server.ts'

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

/** A server with work of an agent in the workspace docs. */
const withDocs = async () => {
  const server = await startHere({ workspaces: ['docs', 'docs-2'] })
  const data = ['--data', server.data]
  const bob = agentHere(server.url)
  const link = (await syncHere('invite', '--workspace', 'docs', ...data)).stdout.trim()
  expect((await bob.runWith({ stdin: link }, 'join', '-')).code).toBe(0)
  await bob.ask('register', 'Bob')
  await bob.ask('broadcast', 'hello')
  const picture = join(mkdtempSync(join(tempDir('blob'), 'b-')), 'a.bin')
  writeFileSync(picture, Buffer.from([0, 255, 1, 0]))
  await bob.ask('file-put', '--key', 'a.bin', '--file', picture)
  const ann = await member(server, 'a-ann', 'write', 'docs')
  return { server, data, ann, blobs: join(server.data, 'blobs', 'docs') }
}

it('[ADMIN-13] a removed workspace is purged while no server has the data; its name is free, its audit log stays', async () => {
  const { server, data, ann, blobs } = await withDocs()
  await syncHere('workspaces', 'remove', 'docs', ...data)
  const inUse = await syncHere('workspaces', 'purge', 'docs', '--yes', ...data)
  expect([inUse.code, inUse.stderr]).toEqual([4, expect.stringContaining('stop the server')])
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
