import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import type { TaskId } from '../../../protocol/ids.ts'
import { newSecret } from '../../../sync-server/auth/stored/secrets.ts'
import { addTask } from '../../../workspace/tasks/tasks.ts'
import { ask, bearer, invite } from '../../support/auth/members.ts'
import { putBytes, someBytes } from '../../support/blobs.ts'
import { liveDoc, stockClient, until } from '../../support/client.ts'
import { httpToken, Plain } from '../../support/http-agents/plain-client.ts'
import { place, sync } from '../../support/ops/commands.ts'
import { fetch, type ServerAt, startServer, tempDir } from '../../support/server.ts'
import { fileClient } from '../../support/sync-server/file-client.ts'

/** A file system of this size (MiB), which goes again when the test is over; null with a printed reason. */
const smallDisk = (mib: number): { dir: string; free: () => void } | null => {
  const dir = join(tempDir('disk'), 'small')
  mkdirSync(dir)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', dir], { stdio: 'pipe' })
  } catch (error) {
    console.log(`skipped: no file system can be mounted here: ${(error as Error).message.trim()}`)
    return null
  }
  return { dir, free: () => execFileSync('umount', ['-l', dir]) }
}

/** Takes all there is of a disk. */
const fill = (path: string): void => {
  try {
    writeFileSync(path, '')
    for (const size of [1024 * 1024, 4096]) {
      const chunk = Buffer.alloc(size)
      for (;;) writeFileSync(path, chunk, { flag: 'a' })
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    // What was left of a large chunk.
    try {
      for (;;) writeFileSync(path, Buffer.alloc(512), { flag: 'a' })
    } catch {
      // It is full.
    }
  }
}

it('[OPS-9] a full disk: nothing more is acknowledged, nothing acknowledged is lost, and it goes on when there is room', async (context) => {
  const disk = smallDisk(48)
  if (disk === null) return context.skip()
  const data = join(disk.dir, 'data')
  const ballast = join(disk.dir, 'ballast')
  const server = await startServer({ data, args: ['--log-level', 'info'] })
  try {
    const kept = someBytes(1_000)
    expect((await putBytes(server, kept)).status).toBe(201)
    const first = await fileClient(`${server.sync}/default`, 'ada')
    first.put('a.txt', 'read me\n')
    const task = { from: first.by, to: null, context: null, priority: 'normal' as const }
    addTask(first.doc, { ...task, id: 't-000000000000' as TaskId, description: 'd', now: 1 })
    await first.client.barrier()
    await first.client.close()
    const httpAgent = new Plain(server.url, await httpToken(server))
    await httpAgent.post('/register', { agent_id: 'g', name: 'g' })
    for (let round = 0; round < 2; round++) {
      const url = `${server.sync}/default`
      const acknowledged = new Set<string>()
      const writer = await liveDoc(url)
      const idle = await liveDoc(`${server.sync}/other`)
      const plain = new WebSocket(`${server.url.replace('http', 'ws')}/ws/g`, httpAgent)
      await once(plain, 'open')
      const ended = once(plain, 'close')
      let written = 0
      let isClosed = false
      void writer.client.closed.then(() => {
        isClosed = true
      })
      const writing = (async () => {
        while (!isClosed) {
          const key = `${round}.${written++}`
          writer.doc.getMap('m').set(key, 'x'.repeat(20_000))
          await Promise.race([
            writer.client.barrier().then(() => acknowledged.add(key)),
            writer.client.closed,
          ])
        }
      })()
      await until('some is stored', () => acknowledged.size > 20)
      fill(ballast)
      expect(await writer.client.closed).toBe(4503)
      expect(await idle.client.closed).toBe(4503)
      await writing
      expect(acknowledged.size).toBeLessThan(written)

      const health = await fetch(`${server.url}/health`)
      expect([health.status, (await health.json()) as object]).toMatchObject([
        503,
        { status: 'unavailable', reason: expect.stringContaining('the store failed') },
      ])
      const command = await fetch(`${server.url}/api/workspaces/default/tasks/next`, {
        method: 'POST',
        body: JSON.stringify({ by: 'a', key: 'k' }),
      })
      expect([command.status, ((await command.json()) as { error: object }).error]).toMatchObject([
        503,
        { code: 'storage_failed', retryable: true },
      ])
      expect((await putBytes(server, someBytes(10))).status).toBe(503)
      expect((await ended)[0]).toBe(4503)
      for (const path of ['/discover', '/files', '/files/a.txt']) {
        expect((await httpAgent.get(path)).http, path).toBe(200)
      }
      expect(await httpAgent.get('/poll/g')).toMatchObject({
        http: 503,
        code: 'storage_failed',
        retryable: true,
      })
      const said = { from_agent: 'g', content: `round ${round}` }
      expect(await httpAgent.post('/broadcast', said)).toMatchObject({
        ...{ http: 503, code: 'storage_failed' },
      })
      // What is on disk can be read.
      for (const path of [
        'archive',
        'log',
        'files/version?key=a.txt&version=1',
        'tasks/t-000000000000',
      ]) {
        const answer = await fetch(`${server.url}/api/workspaces/default/${path}`)
        expect(answer.status, path).toBe(200)
        if (path.startsWith('files')) expect(await answer.text()).toContain('read me')
      }
      const blob = await fetch(`${server.url}/api/workspaces/default/blobs/${kept.sha256}`)
      expect(Buffer.from(await blob.arrayBuffer()).equals(kept.bytes)).toBe(true)

      // The same process goes on, and who comes back with what was not acknowledged has it stored now.
      rmSync(ballast)
      await until('it works again', async () => (await fetch(`${server.url}/health`)).ok)
      const reader = await liveDoc(url)
      for (const key of acknowledged) expect(reader.doc.getMap('m').has(key), key).toBe(true)
      const back = await liveDoc(url, writer.doc)
      await until(
        'it is all there',
        () => reader.doc.getMap('m').size === back.doc.getMap('m').size,
      )
      for (let i = 0; i < written; i++)
        expect(reader.doc.getMap('m').has(`${round}.${i}`)).toBe(true)
      // All of it is taken out again, so that the next round finds the disk as this one did.
      back.doc.transact(() => back.doc.getMap('m').clear())
      await back.client.barrier()
      await Promise.all([reader.client.close(), back.client.close()])
    }
    expect(await server.stop()).toBe(0)
    expect((await sync('verify', '--data', data)).code).toBe(0)

    // Killed with the disk full, it is as it was; and says what is to be done where it cannot start.
    const again = await startServer({ data })
    const last = await liveDoc(`${again.sync}/w`, new Y.Doc())
    last.doc.getMap('m').set('k', 1)
    await last.client.barrier()
    fill(ballast)
    await again.kill()
    last.client.ws.terminate()
    const full = await sync('--data', data, '--port', '0')
    expect([full.code, full.stderr]).toEqual([5, expect.stringContaining('make room on its disk')])
    expect((await sync('backup', join(disk.dir, 'backup'), '--data', data)).code).toBe(5)
    rmSync(ballast)
    const third = await startServer({ data })
    const reader = stockClient(third.sync, 'w')
    await reader.synced
    expect(reader.doc.getMap('m').get('k')).toBe(1)
    reader.close()
    // A disk for backups that is full leaves no backup, and nothing behind.
    expect((await sync('backup', place('elsewhere'), '--data', data)).code).toBe(0)
    await third.stop()
  } finally {
    await server.kill().catch(() => {})
    disk.free()
  }
})

/** Joins as one agent after the other until that is refused: who was let in, and who was not. */
const joinUntilFull = async (server: ServerAt, secret: string) => {
  const joined: string[] = []
  for (;;) {
    const credential = newSecret('credential')
    const request = { invite: secret, agent_id: `a-${joined.length}`, credential }
    const answer = await ask(server, '/api/join', request, { authorization: '' })
    if (answer.status !== 200) return { joined, refused: request, answer }
    joined.push(credential)
  }
}

it('[OPS-19] on a full disk nobody joins, is invited or revoked, the same request again neither; with room it is done', async (context) => {
  const disk = smallDisk(48)
  if (disk === null) return context.skip()
  const data = join(disk.dir, 'data')
  const ballast = join(disk.dir, 'ballast')
  const server = await startServer({ data })
  let again: ServerAt | null = null
  try {
    const secret = await invite(server, { workspace: 'default', uses: null })
    const token = await httpToken(server)
    fill(ballast)
    const { joined, refused, answer } = await joinUntilFull(server, secret)
    const failed = { status: 503, error: { code: 'storage_failed', retryable: true } }
    expect(answer).toMatchObject(failed)
    const joins = () => ask(server, '/api/join', refused, { authorization: '' })
    expect(await joins()).toMatchObject(failed)
    expect(await joins()).toMatchObject(failed)
    expect((await fetch(`${server.url}/health`)).status).toBe(503)
    for (const [path, body] of [
      ['invite', { role: 'write' }],
      ['rotate', { which: 'a-0' }],
      ['revoke', { which: 'a-0' }],
      ['recover', { for: 60_000 }],
    ] as const) {
      if (joined.length === 0 && path.startsWith('r') && path !== 'recover') continue
      expect(await ask(server, `/api/admin/${path}`, body), path).toMatchObject(failed)
    }
    const httpAgent = new Plain(server.url, token)
    expect(await httpAgent.post('/register', { agent_id: 'g', name: 'g' })).toMatchObject({
      ...{ http: 503, code: 'storage_failed' },
    })
    const { data: before } = await ask<{ agents: object[] }>(server, '/api/admin/agents')
    expect(before.agents).toHaveLength(joined.length)

    rmSync(ballast)
    await until('it works again', async () => (await fetch(`${server.url}/health`)).ok)
    expect((await joins()).status).toBe(200)
    joined.push(refused.credential)
    await server.kill()
    again = await startServer({ data })
    for (const credential of joined) {
      const answer = await ask(
        again,
        '/api/workspaces/default/agents',
        undefined,
        bearer(credential),
      )
      expect(answer.status).toBe(200)
    }
    const { data: after } = await ask<{ agents: { revoked_at: null }[] }>(
      again,
      '/api/admin/agents',
    )
    expect(after.agents.map(({ revoked_at }) => revoked_at)).toEqual(joined.map(() => null))
  } finally {
    await server.kill().catch(() => {})
    await again?.stop()
    disk.free()
  }
})
