/**
 * A cluster to look at, on this machine: PostgreSQL and three nodes, until Ctrl-C.
 *
 *   npm run cluster
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { ownPort } from '../own-port.ts'
import { findPostgres, startPostgres } from '../postgres/postgres.ts'

const NODES = 3
const PROGRAM = resolve('dist/clawlink-sync.cjs')

const found = findPostgres()
if (found.bin === undefined) {
  console.error(`error: PostgreSQL: ${found.why}`)
  process.exitCode = 1
} else await run(found.bin)

/** Ends everything that it starts, by process id. */
async function run(bin: string): Promise<void> {
  const postgres = await startPostgres(bin)
  const dir = mkdtempSync(join(tmpdir(), 'clawlink-cluster-'))
  const nodes: ChildProcess[] = []
  let isStopping = false
  const stop = async (code: number): Promise<void> => {
    if (isStopping) return
    isStopping = true
    console.log('stopping the nodes, then PostgreSQL')
    const running = nodes.filter((node) => node.exitCode === null && node.signalCode === null)
    for (const node of running) node.kill('SIGTERM')
    await Promise.all(running.map((node) => once(node, 'exit')))
    await postgres.stop()
    rmSync(dir, { recursive: true, force: true })
    process.exitCode = code
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(0))
  try {
    const urls: string[] = []
    for (let number = 1; number <= NODES && !isStopping; number++) {
      const { url, child } = await startNode(postgres.url, join(dir, `node${number}`))
      nodes.push(child)
      urls.push(url)
      child.once('exit', (code) => {
        if (!isStopping) console.log(`node ${number} (${url}) ended with ${code ?? 'a signal'}`)
      })
    }
    if (isStopping) return
    const data = join(dir, 'node1')
    const link = await printed(['invite', '--uses', 'any', '--data', data])
    console.log(`
PostgreSQL  ${postgres.url} (process ${postgres.process.pid})
${urls.map((url, at) => `node ${at + 1}      ${url} (process ${nodes[at]!.pid})`).join('\n')}

Join by any node; in the link the address can be each of these:
  node dist/clawlink-agent.cjs join '${link.trim()}'
See who has what, end a node by its process id, and see again:
  node dist/clawlink-sync.cjs nodes --data ${data}
  kill -9 ${nodes[0]!.pid}

Ctrl-C ends it all and removes its data.`)
  } catch (error) {
    console.error((error as Error).message)
    await stop(1)
  }
}

async function startNode(
  store: string,
  data: string,
): Promise<{ url: string; child: ChildProcess }> {
  const port = await ownPort()
  const url = `http://127.0.0.1:${port}`
  const args = ['--port', String(port), '--node-url', url, '--store', store, '--data', data]
  const child = spawn(process.execPath, [PROGRAM, ...args, '--log-level', 'warn'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // Ctrl-C reaches this program only, which ends the nodes before the database.
    detached: true,
  })
  await new Promise<void>((resolve, reject) => {
    child.stdout!.once('data', () => resolve())
    child.once('exit', (code) => reject(new Error(`a node did not start: exit ${code}`)))
  })
  child.stdout!.resume()
  return { url, child }
}

async function printed(args: string[]): Promise<string> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
  let out = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  await once(child, 'close')
  return out
}
