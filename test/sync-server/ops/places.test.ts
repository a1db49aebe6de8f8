import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { orLong, runSeed, seeded } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { place, sync, syncJson } from '../../support/ops/commands.ts'
import { dump } from '../../support/ops/lived-in.ts'
import { bin, type ServerAt, startServer, tempDir } from '../../support/server.ts'
import { fileClient } from '../../support/sync-server/file-client.ts'

/** A user who is not root; nobody, on Linux. */
const USER = 65_534

/** A folder that only root can write to: under systemd that is /var/lib, in a container everything but volumes. */
const roots = mkdtempSync(join(tmpdir(), 'clawlink-places-'))
afterAll(() => rmSync(roots, { recursive: true, force: true }))

/** An empty folder in there which is the user's. */
const usersOwn = (name: string): string => {
  const dir = join(roots, name)
  mkdirSync(dir, { mode: 0o700 })
  chownSync(dir, USER, USER)
  return dir
}

const write = async (server: ServerAt): Promise<void> => {
  const { client, put } = await fileClient(`${server.sync}/default`, 'ada')
  put('notes/plan.md', 'one\n')
  await client.barrier()
  await client.close()
}

const owners = (dir: string): Set<number> =>
  new Set(
    readdirSync(dir, { recursive: true, encoding: 'utf8' }).map(
      (name) => statSync(join(dir, name)).uid,
    ),
  )

const whyNot = (): string | null => {
  if (process.getuid?.() !== 0) return 'only root has another user'
  spawnSync('chmod', ['755', roots])
  const ran = spawnSync(process.execPath, [bin('clawlink-sync.cjs'), '--version'], {
    uid: USER,
    gid: USER,
  })
  return ran.status === 0 ? null : 'another user than root cannot run what is in this folder'
}

it('[OPS-15] commands of root and of the user of a server work where that user can write to its folders alone, and leave nothing of root’s', async (context) => {
  const reason = whyNot()
  if (reason !== null) {
    console.log(`skipped: ${reason}`)
    return context.skip()
  }
  const [data, backup, exported, restored] = ['data', 'backup', 'export', 'restored'].map(usersOwn)
  const env = { CLAWLINK_RUN_DIR: usersOwn('run') }
  const server = await startServer({ data: data!, uid: USER, env })
  await write(server)
  for (const command of [['doctor'], ['verify'], ['export', exported!], ['backup', backup!]]) {
    const { code, stderr } = await sync(...command, '--data', data!)
    expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: '' })
  }
  expect(readdirSync(data!).filter((name) => name.startsWith('.'))).toEqual([])
  expect(await server.stop()).toBe(0)
  for (const command of [['doctor'], ['verify'], ['agents']]) {
    expect((await sync(...command, '--data', data!)).code).toBe(0)
  }
  await syncJson('restore', backup!, '--data', restored!)
  for (const dir of [data!, backup!, exported!, restored!]) {
    expect([dir, ...owners(dir)]).toEqual([dir, USER])
  }
  expect(readdirSync(roots).sort()).toEqual(['backup', 'data', 'export', 'restored', 'run'])
  const again = await startServer({ data: restored!, uid: USER, env })
  expect(await again.stop()).toBe(0)
})

it('[OPS-18] a data folder that others can get into is closed to them at the start', async () => {
  const data = tempDir('open')
  chmodSync(data, 0o755)
  const before = process.umask(0o022)
  const server = await startHere({ data }).finally(() => process.umask(before))
  await write(server)
  expect(statSync(data).mode & 0o777).toBe(0o700)
  const names = readdirSync(data, { recursive: true, encoding: 'utf8' })
  expect(names.some((name) => name.endsWith('.log'))).toBe(true)
  for (const name of names) {
    expect([name, statSync(join(data, name)).mode & 0o077]).toEqual([name, 0])
  }
  expect(await server.stop()).toBe(0)
})

it('[OPS-18] … and where that cannot be done the server does not start', async (context) => {
  if (whyNot() !== null) return context.skip()
  const data = join(roots, 'everybodys')
  mkdirSync(data)
  chmodSync(data, 0o777)
  const env = { CLAWLINK_RUN_DIR: usersOwn('run-of-user') }
  const refused = startServer({ data, uid: USER, env })
  await expect(refused).rejects.toThrow(/exited with 5.*other users of this machine can get into/s)
  expect(readdirSync(data)).toEqual([])
})

const KILLS = orLong(2, 20)
const nothing = (dir: string): string =>
  `error: ${dir} holds no server data — name its folder with --data, or CLAWLINK_DATA\n`

it(`[OPS-4] ${KILLS} times kill -9 of a restore into a folder that is there, and empty: it is whole, or it is not opened`, async () => {
  const random = seeded(runSeed('kill in restore'))
  const server = await startHere()
  await write(server)
  const backup = place('backup')
  await syncJson('backup', backup, '--data', server.data)
  await server.stop()
  const restored = tempDir('restored')
  const began = performance.now()
  await syncJson('restore', backup, '--data', restored)
  const took = performance.now() - began
  expect(readdirSync(restored).filter((name) => name.startsWith('.'))).toEqual([])
  const { size } = await dump(restored)

  for (let kill = 0; kill < KILLS; kill++) {
    const dir = tempDir('killed')
    const child = spawn(process.execPath, [
      ...[bin('clawlink-sync.cjs'), 'restore', backup, '--data', dir],
    ])
    const ended = once(child, 'exit')
    // Of what it takes the most is Node's start: the files come at its end.
    await new Promise((moment) => setTimeout(moment, took * (0.5 + random() / 2)))
    child.kill('SIGKILL')
    await ended
    const { code, stderr } = await sync('verify', '--data', dir)
    const outcome = code === 0 ? (await dump(dir)).size : `${code} ${stderr}`
    expect([size, '1 ', `3 ${nothing(dir)}`]).toContain(outcome)
  }
  // Between two of its files, where a kill seldom comes: CURRENT is the last.
  rmSync(join(restored, 'CURRENT'))
  const refused = await startHere({ data: restored }).catch((error: Error) => error.message)
  expect(refused).toContain('CURRENT')
})
