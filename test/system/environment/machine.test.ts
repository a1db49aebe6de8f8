import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { claimOwn, writeOwn } from '../../../lib/disk/own-file.ts'
import { ClawError } from '../../../protocol/errors.ts'
import { userHome, withHome } from '../../../protocol/own-folder.ts'
import { watchDescriptors } from '../../../sync-server/descriptors.ts'
import { isAlive, linkPid, registered } from '../../support/agent.ts'
import { until } from '../../support/client.ts'
import { bin, type Server, startServer, tempDir } from '../../support/server.ts'

const NOBODY = 65_534
const isRoot = process.getuid?.() === 0
/** Why what needs another user is skipped. */
const needsRoot = (): boolean => {
  if (!isRoot) console.log('skipped: only root can be another user')
  return isRoot
}

let server: Server
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

/** A program, ended; `shell`: what a shell does before, in the same process. */
const program = (
  name: Parameters<typeof bin>[0],
  args: readonly string[],
  {
    env = {},
    uid,
    shell = '',
  }: { env?: Record<string, string>; uid?: number; shell?: string } = {},
) => {
  const ran = spawnSync(
    'sh',
    ['-c', `${shell}\nexec "$0" "$@"`, process.execPath, bin(name), ...args],
    {
      encoding: 'utf8',
      env: { ...process.env, CLAWLINK_AGENT: '', CLAWLINK_LINK: '', ...env },
      ...(uid !== undefined && { uid, gid: uid }),
    },
  )
  return { code: ran.status, out: ran.stdout, err: ran.stderr }
}

it('[ENV-1] a Node that is too old is named, with the one that is needed, by each program', () => {
  const old = join(tempDir('old'), 'old.cjs')
  const is = "{ value: { ...process.versions, node: '18.20.8' } }"
  writeFileSync(old, `Object.defineProperty(process, 'versions', ${is})`)
  const env = { NODE_OPTIONS: `--require ${old}` }
  const what = /^(clawlink\S*) needs Node 20\.19 or newer, this is v18\.20\.8 \(.*\)/
  for (const name of ['clawlink-agent.cjs', 'clawlink-sync.cjs', 'clawlink.mjs'] as const) {
    const { code, out, err } = program(name, ['whoami'], { env })
    expect({ code, out }).toEqual({ code: 5, out: '' })
    expect(err).toMatch(new RegExp(`^error: ${what.source.slice(1)} — .*PATH\\n$`))
    const json = program(name, ['whoami', '--json'], { env })
    expect(JSON.parse(json.out)).toMatchObject({
      ok: false,
      error: { code: 'old_node', message: expect.stringMatching(what) },
    })
    // What old Nodes have to read.
    const [head = ''] = readFileSync(bin(name), 'utf8').split('})();')
    expect(head).not.toMatch(/=>|\?\.|\?\?|`|\b(?:const|let|class|async)\b/)
  }
  const old14 = process.env.OLD_NODE
  if (old14 === undefined) console.log('OLD_NODE=PATH names a real old Node to try')
  else expect(spawnSync(old14, [bin('clawlink-agent.cjs')]).status).toBe(5)
})

it('[ENV-2] a working directory that was removed matters only to paths that are relative to it', async () => {
  const one = await registered(server.url, 'Gone')
  const gone = join(tempDir('gone'), 'gone')
  const shell = `mkdir -p ${gone}; cd ${gone}; rmdir ${gone}`
  for (const way of ['', 'off']) {
    const env = { CLAWLINK_HOME: one.home, CLAWLINK_SERVER: server.url, CLAWLINK_LINK: way }
    expect(program('clawlink-agent.cjs', ['whoami'], { env, shell })).toMatchObject({ code: 0 })
    const put = ['file-put', '--key', 'a', '--file', 'a.md', '--json']
    const { code, out } = program('clawlink-agent.cjs', put, { env, shell })
    const { error } = JSON.parse(out)
    expect({ code, error }).toMatchObject({
      code: 5,
      error: { message: 'the working directory was removed' },
    })
  }
  const lost = program('clawlink-agent.cjs', ['whoami'], { env: { CLAWLINK_HOME: 'here' }, shell })
  expect(lost).toMatchObject({
    code: 5,
    err: expect.stringMatching(/^error: the working dir.*\n$/),
  })
  const sync = program('clawlink-sync.cjs', ['agents', '--data', server.data], { shell })
  expect(sync).toMatchObject({ code: 0 })
  await one.run('down')
})

it('[ENV-3] a home that cannot be had or written is exit 5, with its path and CLAWLINK_HOME', () => {
  const file = join(tempDir('home'), 'file')
  writeFileSync(file, '')
  const tries: [string, RegExp, { uid?: number }][] = [[`${file}/h`, /ENOTDIR/, {}]]
  const dir = tempDir('ro')
  let isMounted = false
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', dir], { stdio: 'pipe' })
    isMounted = true
    tries.push([join(dir, 'deep/h'), /read-only \(EROFS\)/, {}])
  } catch {
    console.log('skipped: no file system can be mounted here')
  }
  if (needsRoot()) tries.push([join('/root', 'no', 'h'), /EACCES/, { uid: NOBODY }])
  try {
    for (const [home, why, as] of tries) {
      for (const link of ['', 'off']) {
        const env = { CLAWLINK_HOME: home, CLAWLINK_SERVER: server.url, CLAWLINK_LINK: link }
        const args = ['register', '--name', 'x', '--json']
        const { code, out, err } = program('clawlink-agent.cjs', args, { env, ...as })
        const { error } = JSON.parse(out)
        expect(code, err).toBe(5)
        expect(error.message).toMatch(why)
        expect(error.message).toContain(home.slice(0, home.lastIndexOf('/')))
        expect(error.hint).toContain('CLAWLINK_HOME=')
      }
    }
  } finally {
    if (isMounted) execFileSync('umount', ['-l', dir])
  }
})

it('[ENV-4] a ~ that no shell has seen is the home of the user, and no folder of that name', async () => {
  const home = () => '/home/me'
  expect(withHome('~/cl', home, 'X')).toBe('/home/me/cl')
  expect(withHome('~', home, 'X')).toBe('/home/me')
  expect(withHome('/a/~b', home, 'X')).toBe('/a/~b')
  expect(() => withHome('~bob/cl', home, 'X')).toThrow(/another user/)
  for (const none of ['', 'relative']) {
    expect(() => userHome(() => none, 'CLAWLINK_HOME')).toThrow(ClawError)
  }
  const cwd = tempDir('cwd')
  const user = tempDir('user')
  const env = {
    HOME: user,
    CLAWLINK_HOME: '~/cl',
    CLAWLINK_SERVER: server.url,
    CLAWLINK_LINK: 'off',
  }
  const ran = program('clawlink-agent.cjs', ['register', '--name', 'Tilde'], {
    env,
    shell: `cd ${cwd}`,
  })
  expect(ran).toMatchObject({ code: 0 })
  expect(readdirSync(cwd)).toEqual([])
  expect(existsSync(join(user, 'cl', 'identity.json'))).toBe(true)
  const data = program('clawlink-sync.cjs', ['agents', '--data', '~/sync'], { env })
  expect(data.err).toContain(join(user, 'sync'))
})

it('[ENV-5] a home that root has used by mistake says so at once, with what to do; by sudo root is its user', async () => {
  if (!needsRoot()) return
  const one = await registered(server.url, 'Mine')
  const own = linkPid(one.home)!
  await one.run('down')
  await until('its link is gone', () => !isAlive(own))
  const base = tempDir('theirs')
  chmodSync(base, 0o755)
  const home = join(base, 'home')
  execFileSync('cp', ['-r', one.home, home])
  execFileSync('chown', ['-R', String(NOBODY), home])
  for (let at = base; at !== '/'; at = join(at, '..')) execFileSync('chmod', ['o+x', at])
  const env = { CLAWLINK_HOME: home, CLAWLINK_SERVER: server.url, SUDO_UID: '' }
  const run = (more: object, ...args: string[]) =>
    program('clawlink-agent.cjs', args, { env: { ...env, ...more } })
  // By sudo: what it leaves is the user's.
  expect(run({ SUDO_UID: String(NOBODY) }, 'whoami').code).toBe(0)
  expect(program('clawlink-agent.cjs', ['discover'], { env, uid: NOBODY }).code).toBe(0)
  expect(program('clawlink-agent.cjs', ['down'], { env, uid: NOBODY }).code).toBe(0)
  // As root, in a container or after su.
  expect(run({}, 'discover').code).toBe(0)
  const locked = program('clawlink-agent.cjs', ['discover', '--json'], { env, uid: NOBODY })
  expect(locked.code).toBe(5)
  expect(JSON.parse(locked.out).error).toMatchObject({
    message: `a link of root has the home ${home}`,
    hint: expect.stringMatching(/sudo env CLAWLINK_HOME=.* down; sudo chown -R 65534 /),
  })
  const pid = linkPid(home)!
  process.kill(pid, 'SIGKILL')
  await until('it is gone', () => !isAlive(pid))
  chownSync(join(home, 'agent_state.json'), 0, 0)
  const left = program('clawlink-agent.cjs', ['discover'], { env, uid: NOBODY })
  expect(left).toMatchObject({
    code: 5,
    err: expect.stringMatching(/belongs to root.*sudo chown -R/),
  })
})

it('[ENV-6] where there are no hard links an identity is made all the same, once', () => {
  const path = join(tempDir('exfat'), 'deep', 'identity.json')
  for (const code of ['EPERM', 'EACCES', 'ENOTSUP', 'EMLINK', 'EXDEV', 'ENOSYS']) {
    const noLinks = () => {
      throw Object.assign(new Error(code), { code })
    }
    const at = `${path}-${code}`
    expect(claimOwn(at, { agent_id: 'first' }, noLinks)).toBe(true)
    expect(claimOwn(at, { agent_id: 'second' }, noLinks)).toBe(false)
    expect(JSON.parse(readFileSync(at, 'utf8'))).toEqual({ agent_id: 'first' })
  }
  expect(claimOwn(path, { agent_id: 'first' })).toBe(true)
  expect(claimOwn(path, { agent_id: 'second' })).toBe(false)
  expect(readdirSync(join(path, '..')).filter((name) => name.endsWith('.tmp'))).toEqual([])
})

it('[ENV-7] a credential is on disk whole or as it was before, and nothing is left beside it', () => {
  const dir = join(tempDir('small'), 'small')
  mkdirSync(dir)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', dir], { stdio: 'pipe' })
  } catch (error) {
    console.log(`skipped: no file system can be mounted here: ${(error as Error).message.trim()}`)
    rmdirSync(dir)
    return
  }
  try {
    const path = join(dir, 'credential.json')
    writeOwn(path, { token: 'old' })
    expect(() => writeOwn(path, { token: 'x'.repeat(20_000) })).toThrow(/ENOSPC/)
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ token: 'old' })
    expect(readdirSync(dir)).toEqual(['credential.json'])
    writeOwn(path, { token: 'new' })
  } finally {
    execFileSync('umount', ['-l', dir])
  }
})

it('[ENV-8] a server whose log or welcome has no room goes on, and ends when it is told to', async () => {
  const { port, stop } = await startServer()
  await stop()
  const full = openSync('/dev/full', 'w')
  const data = tempDir('data')
  const child = spawn(
    process.execPath,
    [bin('clawlink-sync.cjs'), '--data', data, '--port', String(port)],
    { stdio: ['ignore', full, full] },
  )
  await until('it answers', async () => {
    const health = await fetch(`http://127.0.0.1:${port}/health`).catch(() => null)
    return health?.status === 200
  })
  child.kill('SIGTERM')
  await once(child, 'exit')
})

it('[ENV-9] data that may not be read is said to be that, and not that there is none', () => {
  if (!needsRoot()) return
  const data = join(tempDir('data'), 'of-root')
  mkdirSync(data, { mode: 0o700 })
  for (let at = join(data, '..'); at !== '/'; at = join(at, '..'))
    execFileSync('chmod', ['o+x', at])
  for (const args of [['invite'], ['verify'], ['backup', '/tmp/none'], ['--port', '0']]) {
    const { code, err } = program('clawlink-sync.cjs', [...args, '--data', data], { uid: NOBODY })
    expect(code, err).toBe(5)
    expect(err).toMatch(
      /^error: cannot \w+ \S+: permission denied \(EACCES\) — run this as the user/,
    )
  }
})

it('[ENV-10] a server without file descriptors says so in its log, once, and when it has some again', async () => {
  const said: string[] = []
  let code: string | null = 'EMFILE'
  const log = {
    error: (_: object, text: string) => said.push(text),
    info: (text: string) => said.push(text),
  } as unknown as Parameters<typeof watchDescriptors>[0]
  let looks = 0
  const end = watchDescriptors(log, () => {
    looks++
    if (code !== null) throw Object.assign(new Error(code), { code })
  })
  await until('it has looked twice', () => looks >= 2)
  code = null
  await until('it has seen it', () => said.length === 2)
  end()
  expect(said[0]).toMatch(/no file descriptor is left/)
})
