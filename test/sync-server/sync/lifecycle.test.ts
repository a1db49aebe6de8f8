import { execFile } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { readProgram } from '../../../lib/command-line/read.ts'
import { PROGRAM } from '../../../sync-server/cli/program.ts'
import { parseOptions } from '../../../sync-server/config/options.ts'
import { liveDoc, RawClient, stockClient, until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { asOwner, bin, fetch, startServer, tempDir } from '../../support/server.ts'

/** Runs the server with arguments with which it must exit by itself. */
const run = async (...args: string[]) => {
  const command = promisify(execFile)
  const done = await command(process.execPath, [bin('clawlink-sync.cjs'), ...args]).catch(
    (error: { code: number; stdout: string; stderr: string }) => error,
  )
  return { code: 'code' in done ? done.code : 0, stdout: done.stdout, stderr: done.stderr }
}

const oneLine = /^error: [^\n]+ — [^\n]+\n$/

it('[SERVER-1] SIGTERM: what was sent is stored, barriers are answered, sockets close with 1001, exit 0', async () => {
  const server = await startHere()
  const { client, doc } = await liveDoc(`${server.sync}/default`)
  for (let i = 0; i < 1_000; i++) doc.getArray('list').push([i])
  const barrier = client.barrier()
  await until('the server got it', () => client.ws.bufferedAmount === 0)
  // The server reads what is there on all its sockets before it answers on one.
  await fetch(`${server.url}/health`)
  const code = server.stop()
  const first = await Promise.race([barrier.then(() => 'barrier'), client.closed])
  expect(first).toBe('barrier')
  expect(await client.closed).toBe(1001)
  expect(await code).toBe(0)
  const again = await startHere({ data: server.data })
  const reader = stockClient(again.sync)
  await reader.synced
  expect(reader.doc.getArray('list').length).toBe(1_000)
  reader.close()
  expect(await again.stop()).toBe(0)
})

it('[SERVER-1] SIGTERM does not wait for a reader that takes nothing', async () => {
  const server = await startHere()
  const writer = await liveDoc(`${server.sync}/default`)
  const stalled = await RawClient.open(`${server.sync}/default`)
  stalled.ws.pause()
  stalled.subscribe()
  writer.doc.getText('t').insert(0, 'x'.repeat(8_000_000))
  await writer.client.barrier()
  expect(await server.stop()).toBe(0)
  stalled.ws.terminate()
})

it('[SERVER-2] a taken port: exit 4, one line that says what to do', async () => {
  const holder = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => holder.once('listening', resolve))
  const { port } = holder.address() as { port: number }
  const { code, stderr } = await run(
    '--port',
    String(port),
    '--data',
    tempDir('port'),
    '--log-level',
    'silent',
  )
  expect(code).toBe(4)
  expect(stderr).toMatch(oneLine)
  expect(stderr).toContain(`port ${port}`)
  holder.close()
})

/** On PostgreSQL the newer server takes over: [STORE-9]. */
const onLevelDb = it.skipIf(process.env.CLAWLINK_TEST_STORE !== undefined)

onLevelDb(
  '[SERVER-2] a data folder in use: exit 4; the running server is not disturbed',
  async () => {
    const server = await startHere()
    const locked = await run('--port', '0', '--data', server.data)
    expect(locked.code).toBe(4)
    expect(locked.stderr).toMatch(oneLine)
    expect(locked.stderr).toContain('another server')
    expect((await fetch(`${server.url}/health`)).status).toBe(200)
    await server.stop()
  },
)

it('[SERVER-2] a data folder that cannot be used: exit 5', async () => {
  const file = join(tempDir('file'), 'a-file')
  writeFileSync(file, 'x')
  chmodSync(file, 0o600)
  const unusable = await run('--port', '0', '--data', file)
  expect(unusable.code).toBe(5)
  expect(unusable.stderr).toMatch(oneLine)
})

it('[SERVER-3] [SERVER-7] listens where it is told to, with no more ado: nobody gets in without a credential anywhere', () => {
  const options = (...argv: string[]) => parseOptions(readProgram(PROGRAM, argv), {})
  for (const more of [[], ['--insecure']]) {
    expect(options('--host', '0.0.0.0', ...more)).toMatchObject({ host: '0.0.0.0' })
  }
  expect(options()).toMatchObject({ host: '127.0.0.1' })
})

it('[SERVER-4] [SERVER-8] options: help and version; what is wrong is named, exit 2', async () => {
  expect((await run('--help')).stdout).toContain('usage: clawlink-sync')
  expect((await run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+/)
  for (const [args, words] of [
    [['--prot', '1'], '--port'],
    [['--port', 'x'], 'not a number from 0 to 65535'],
    [['--port', '70000'], 'not a number from 0 to 65535'],
    [['--port'], 'has no value'],
    [['--log-level', 'loud'], 'one of: fatal'],
    [['--heartbeat', '0'], 'from 0.1 to 99'],
    [['--direct-url', 'http://n1'], 'is not the address of a TLS server'],
    [['extra'], 'no command "extra"'],
    [['--port', '--data', 'x'], '--port has no value'],
    [['invite', '--uses'], 'like: clawlink-sync invite'],
  ] as const) {
    const { code, stderr } = await run(...args)
    expect(code, args.join(' ')).toBe(2)
    expect(stderr).toMatch(oneLine)
    expect(stderr).toContain(words)
  }
})

it('[SERVER-4] takes its options from the environment too; a flag wins', async () => {
  const data = tempDir('env')
  const server = await startServer({
    data,
    env: { CLAWLINK_LOG_LEVEL: 'debug', CLAWLINK_PORT: '1' },
  })
  await until('it logs', () => server.log().includes('"listening"'))
  await server.stop()
})

it('[STATUS-1] [STATUS-3] says what it is, whether it is well, and its figures', async () => {
  const server = await startServer()
  const info = await (await fetch(server.url)).json()
  expect(info).toMatchObject({ service: 'clawlink-sync', status: 'ok', workspaces: ['default'] })
  expect(await (await fetch(`${server.url}/health`)).json()).toEqual({ status: 'ok' })
  const { client, doc } = await liveDoc(`${server.sync}/default`)
  doc.getMap('m').set('k', 1)
  await client.barrier()
  const metrics = await (await fetch(`${server.url}/metrics`)).text()
  expect(metrics).toMatch(/^clawlink_connections 1$/m)
  expect(metrics).toMatch(/^clawlink_updates_total [1-9]/m)
  await until('it logs', () => server.log().includes('"listening"'))
  for (const line of server.log().trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('msg')
  await client.close()
  await server.stop()
})

it('[SYNC-8] keeps pages of other sites out of the sync socket', async () => {
  const server = await startHere()
  const { WebSocket } = await import('ws')
  const outcome = (origin: string) =>
    new Promise<string>((resolve) => {
      const ws = new WebSocket(`${server.sync}/default`, { origin, headers: asOwner(server.url) })
      ws.on('open', () => resolve('open'))
      ws.on('unexpected-response', (_request, answer) => resolve(String(answer.statusCode)))
      ws.on('error', () => {})
    })
  expect(await outcome('https://evil.example')).toBe('403')
  expect(await outcome('http://localhost:5173')).toBe('open')
  expect(await outcome(server.url)).toBe('open')
  await server.stop()
})
