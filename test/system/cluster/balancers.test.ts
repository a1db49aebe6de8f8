import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import * as Y from 'yjs'
import { agent } from '../../support/agent.ts'
import { ask, bearer, invite } from '../../support/auth/members.ts'
import { RawClient, until } from '../../support/client.ts'
import { startTwo } from '../../support/cluster/servers.ts'
import { newSchema, onPostgres } from '../../support/postgres.ts'
import {
  makeWorkspaces,
  ownPort,
  root,
  type Server,
  setToken,
  tempDir,
} from '../../support/server.ts'

const running: ChildProcess[] = []
afterEach(async () => {
  for (const balancer of running.splice(0)) {
    if (balancer.kill('SIGKILL')) await once(balancer, 'exit')
  }
})

/** An example of docs/deploy whose nodes are on loopback. */
const exampleFor = (nodes: readonly Server[], name: string): string =>
  nodes.reduce(
    (text, node, n) => text.replace(`node${n + 1}:9077`, `127.0.0.1:${node.port}`),
    readFileSync(join(root, 'docs/deploy', name), 'utf8'),
  )

const run = async (program: string, args: string[], port: number): Promise<number> => {
  const balancer = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  running.push(balancer)
  const isOpen = () => {
    if (balancer.exitCode !== null) throw new Error(`${program} ended: ${balancer.exitCode}`)
    return spawnSync('bash', ['-c', `</dev/tcp/127.0.0.1/${port}`]).status === 0
  }
  await until(`${program} listens`, isOpen)
  return port
}

/** nginx with docs/deploy/nginx.conf, on loopback. Resolves to its port. */
const startNginx = async (nodes: readonly Server[]): Promise<number> => {
  const port = await ownPort()
  const dir = tempDir('nginx')
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  for (const name of folders) mkdirSync(join(dir, name))
  const paths = folders.map((name) => `${name}_temp_path ${dir}/${name};`).join(' ')
  const config = exampleFor(nodes, 'nginx.conf')
    .replace('listen 80', `listen 127.0.0.1:${port}`)
    .replace('http {', `http { ${paths}`)
  const head = `daemon off; master_process off; pid ${dir}/pid; error_log ${dir}/error.log;\n`
  writeFileSync(join(dir, 'nginx.conf'), head + config)
  return run('nginx', ['-c', join(dir, 'nginx.conf'), '-p', dir], port)
}

/** HAProxy with docs/deploy/haproxy.cfg, on loopback. Resolves to its port. */
const startHaproxy = async (nodes: readonly Server[]): Promise<number> => {
  const port = await ownPort()
  const file = join(tempDir('haproxy'), 'haproxy.cfg')
  writeFileSync(
    file,
    exampleFor(nodes, 'haproxy.cfg').replace('bind :80', `bind 127.0.0.1:${port}`),
  )
  return run('haproxy', ['-f', file], port)
}

/** Writes one entry, by as many connections as it takes. Resolves to the milliseconds until it is acknowledged. */
const write = async (sync: string, entry: string): Promise<number> => {
  const doc = new Y.Doc()
  doc.getArray('list').push([entry])
  const since = performance.now()
  for (;;) {
    const client = new RawClient(`${sync}/default`)
    client.ws.on('open', () => client.update(Y.encodeStateAsUpdate(doc)))
    const acked = once(client.ws, 'open').then(() => client.barrier())
    const late = new Promise<void>((next) => setTimeout(next, 2_500))
    const isDone = await Promise.race([
      acked.then(
        () => true,
        () => false,
      ),
      client.closed.then(() => false),
      late.then(() => false),
    ])
    client.ws.terminate()
    if (isDone) return performance.now() - since
  }
}

/** The address of a balancer, and its nodes: the first one prefers the workspace `default`. */
interface Balanced {
  url: string
  sync: string
  nodes: readonly [Server, Server]
}

const agentsOf = async ({ url, nodes }: Balanced): Promise<number> => {
  const credential = bearer(nodes[0].token)
  const { data } = await ask<{ agents: object[] }>(
    { url },
    '/api/admin/agents',
    undefined,
    credential,
  )
  return data.agents.length
}

/** All kinds of clients work; the workspace's node is stopped, and killed. */
const serves = async (at: Balanced): Promise<void> => {
  const { url, sync, nodes } = at
  const entries = ['a', 'b', 'c', 'd']
  for (const entry of entries) await write(sync, entry)
  // A link joins and works, whichever node each of its requests is led to.
  const secret = await invite({ url }, { uses: null })
  const ann = agent()
  await ann.ask('join', `${url}/#w=default&i=${secret}`)
  await ann.ask('register', '--name', 'ann')
  await ann.ask('broadcast', 'hello')
  for (let n = 0; n < 4; n++) expect(await agentsOf(at)).toBe(1)

  nodes[0].process.kill('SIGSTOP')
  const stopped = await write(sync, 'stopped')
  nodes[0].process.kill('SIGCONT')
  await until('it is back', async () => (await fetch(`${nodes[0].url}/health`)).status === 200)
  await nodes[0].kill()
  const killed = await write(sync, 'killed')
  console.log(`acknowledged ${stopped} ms after SIGSTOP, ${killed} ms after kill -9`)
  expect(await agentsOf(at)).toBe(1)
  await ann.ask('broadcast', 'again')

  const doc = new Y.Doc()
  const reader = await RawClient.open(`${sync}/default`)
  reader.onUpdate = (update) => Y.applyUpdate(doc, update)
  reader.subscribe()
  await until('all is there', () => doc.getArray('list').length >= entries.length + 2)
  expect(doc.getArray('list').toArray().sort()).toEqual([...entries, 'killed', 'stopped'])
  await reader.close()
  await ann.run('down')
}

/** A node that hangs loses its clients, though it does not own their workspace, and gets no new ones. */
const leavesOut = async ({ sync, nodes }: Balanced): Promise<void> => {
  await makeWorkspaces(nodes[1].url, 'other')
  const open = () => RawClient.open(`${sync}/other`)
  const before = await Promise.all(Array.from({ length: 4 }, open))
  let closed = 0
  for (const client of before) void client.closed.then(() => closed++)
  nodes[0].process.kill('SIGSTOP')
  await until('its clients are cut off', () => closed === 2)
  for (const client of await Promise.all(Array.from({ length: 4 }, open))) await client.close()
  expect(closed).toBe(2)
  nodes[0].process.kill('SIGCONT')
}

onPostgres('nodes behind a balancer', (postgres) => {
  const balanced = async (start: (nodes: readonly Server[]) => Promise<number>) => {
    const nodes = await startTwo(newSchema(postgres().url), ['--trust-proxy', 'loopback'])
    const port = await start(nodes)
    setToken(port, nodes[0].token)
    return { url: `http://127.0.0.1:${port}`, sync: `ws://127.0.0.1:${port}/sync`, nodes }
  }

  for (const [name, start] of Object.entries({ nginx: startNginx, haproxy: startHaproxy })) {
    const isThere = spawnSync(name, ['-v']).status === 0
    if (!isThere) console.log(`no cluster is tested behind ${name}: it is not installed`)

    it.skipIf(!isThere)(
      `[OPS-27] ${name}, as configured: WebSockets, HTTP, a link; nodes are stopped and killed`,
      async () => {
        const at = await balanced(start)
        await serves(at)
        await at.nodes[1].stop()
      },
    )

    // nginx's open source has no checks.
    if (name === 'nginx') continue
    it.skipIf(!isThere)(`[OPS-27] ${name} notices a node that hangs`, async () => {
      const at = await balanced(start)
      await leavesOut(at)
      for (const node of at.nodes) await node.stop()
    })
  }
})
