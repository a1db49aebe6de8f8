import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { cannotWrite, writeLocal, writeLocalBy } from '../../../lib/disk/local-write.ts'
import { WAYS as HOW, registered } from '../../support/agent.ts'
import { bin, startServer, tempDir } from '../../support/server.ts'

const WAYS = [
  ['at once', async (path: string, text: string) => writeLocal(path, text)],
  [
    'in pieces',
    (path: string, text: string) => writeLocalBy(path, async (file) => file.writeFile(text)),
  ],
] as const

it.each(WAYS)(
  '[FILE-18] a file that is written over keeps its mode, and links stay (%s)',
  async (_, write) => {
    const dir = tempDir('dir')
    const file = join(dir, 'run.sh')
    writeFileSync(file, 'old\n')
    chmodSync(file, 0o751)
    await write(file, 'new\n')
    expect(statSync(file).mode & 0o777).toBe(0o751)
    symlinkSync('run.sh', join(dir, 'link'))
    await write(join(dir, 'link'), 'through\n')
    expect(lstatSync(join(dir, 'link')).isSymbolicLink()).toBe(true)
    expect(readFileSync(file, 'utf8')).toBe('through\n')
    symlinkSync('nowhere', join(dir, 'dangling'))
    await write(join(dir, 'dangling'), 'made\n')
    expect(readFileSync(join(dir, 'nowhere'), 'utf8')).toBe('made\n')
    expect(readdirSync(dir).sort()).toEqual(['dangling', 'link', 'nowhere', 'run.sh'])
  },
)

it('[FILE-18] the other names of a file have what is written, too', () => {
  const dir = tempDir('dir')
  writeFileSync(join(dir, 'a'), 'old and longer\n')
  linkSync(join(dir, 'a'), join(dir, 'b'))
  writeLocal(join(dir, 'a'), 'new\n')
  expect(readFileSync(join(dir, 'b'), 'utf8')).toBe('new\n')
})

it.each(WAYS)(
  '[FILE-18] [FILE-23] no pipe or device is replaced, and what does not take all is an error (%s)',
  async (_, write) => {
    const dir = tempDir('dir')
    const pipe = join(dir, 'pipe')
    execFileSync('mkfifo', [pipe])
    await expect((async () => write(pipe, 'x'))()).rejects.toMatchObject({ code: 'usage' })
    expect(lstatSync(pipe).isFIFO()).toBe(true)
    await write('/dev/null', 'x')
    const full = await (async () => write('/dev/full', 'x'))().catch((error) => error)
    expect(cannotWrite('out', '/dev/full', full)).toMatchObject({ code: 'cannot_write', exit: 5 })
    expect(statSync('/dev/full').isCharacterDevice()).toBe(true)
    mkdirSync(join(dir, 'folder'))
    await expect((async () => write(join(dir, 'folder'), 'x'))()).rejects.toThrow()
    expect(readdirSync(dir).sort()).toEqual(['folder', 'pipe'])
  },
)

it.each(HOW)(
  '[CLI-7] output that does not get where it is to go is exit 1 with one line (%s)',
  async (way) => {
    const server = await startServer()
    const one = await registered(server.url, `Full-${way}`, way)
    const run = async (program: Parameters<typeof bin>[0], ...args: string[]) => {
      const child = spawn(process.execPath, [bin(program), ...args], {
        env: {
          ...process.env,
          ...{ CLAWLINK_HOME: one.home, CLAWLINK_AGENT: '', CLAWLINK_SERVER: server.url },
          CLAWLINK_LINK: way === 'alone' ? 'off' : '',
        },
        stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
      })
      let err = ''
      child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
        err += chunk
      })
      const [code] = (await once(child, 'close')) as [number]
      return { code, err }
    }
    for (const args of [['whoami'], ['whoami', '--json'], ['discover', '--json']]) {
      const { code, err } = await run('clawlink-agent.cjs', ...args)
      expect(code).toBe(1)
      expect(err).toMatch(/^error: cannot write to stdout: ENOSPC.*\n$/)
    }
    const line = 'error: cannot write to stdout: ENOSPC (the disk is full)\n'
    for (const [program, ...args] of [
      ['clawlink-sync.cjs', '--help'],
      ['clawlink-sync.cjs', 'completion', 'bash', '--json'],
      ['clawlink.mjs', '--help'],
      ['clawlink-agent.cjs', '--version'],
    ] as const) {
      expect(await run(program, ...args), program).toEqual({ code: 1, err: line })
    }
    await one.run('down')
    await server.stop()
  },
)
