import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import * as Y from 'yjs'
import { agent } from '../../support/agent.ts'
import { ask, bearer, invite } from '../../support/auth/members.ts'
import { RawClient, until } from '../../support/client.ts'
import { startTwo } from '../../support/cluster/servers.ts'
import { newSchema, onPostgres } from '../../support/postgres.ts'
import { ownPort, root, type Server, setToken, tempDir } from '../../support/server.ts'

const hasNginx = spawnSync('nginx', ['-v']).status === 0
if (!hasNginx) console.log('no cluster is tested behind nginx: it is not installed')

let nginx: ChildProcess | null = null
afterAll(async () => {
  if (nginx === null) return
  nginx.kill('SIGKILL')
  await once(nginx, 'exit')
})

/** nginx with docs/deploy/nginx.conf, whose nodes and port are on loopback. Resolves to its port. */
const startNginx = async (nodes: readonly Server[]): Promise<number> => {
  const port = await ownPort()
  const dir = tempDir('nginx')
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  for (const name of folders) mkdirSync(join(dir, name))
  const paths = folders.map((name) => `${name}_temp_path ${dir}/${name};`).join(' ')
  let config = readFileSync(join(root, 'docs/deploy/nginx.conf'), 'utf8')
    .replace('listen 80', `listen 127.0.0.1:${port}`)
    .replace('http {', `http { ${paths}`)
  for (const [n, node] of nodes.entries()) {
    config = config.replace(`node${n + 1}:9077`, `127.0.0.1:${node.port}`)
  }
  const head = `daemon off; master_process off; pid ${dir}/pid; error_log ${dir}/error.log;\n`
  writeFileSync(join(dir, 'nginx.conf'), head + config)
  nginx = spawn('nginx', ['-c', join(dir, 'nginx.conf'), '-p', dir], { stdio: 'ignore' })
  const isOpen = () => spawnSync('bash', ['-c', `</dev/tcp/127.0.0.1/${port}`]).status === 0
  await until('nginx listens', isOpen)
  return port
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

onPostgres('nodes behind nginx', (postgres) => {
  it.skipIf(!hasNginx)(
    '[OPS-27] the balancer’s configuration works: WebSockets, HTTP, a link; nodes are stopped and killed',
    async () => {
      const nodes = await startTwo(newSchema(postgres().url), ['--trust-proxy', 'loopback'])
      const port = await startNginx(nodes)
      setToken(port, nodes[0].token)
      const [url, sync] = [`http://127.0.0.1:${port}`, `ws://127.0.0.1:${port}/sync`]
      const entries = ['a', 'b', 'c', 'd']
      for (const entry of entries) await write(sync, entry)
      // A link joins and works, whichever node each of its requests is led to.
      const secret = await invite({ url }, { uses: null })
      const ann = agent()
      await ann.ask('join', `${url}/#w=default&i=${secret}`)
      await ann.ask('register', '--name', 'ann')
      await ann.ask('broadcast', 'hello')
      const agents = async () =>
        (
          await ask<{ agents: object[] }>(
            { url },
            '/api/admin/agents',
            undefined,
            bearer(nodes[0].token),
          )
        ).data.agents
      for (let n = 0; n < 4; n++) expect((await agents()).length).toBe(1)

      nodes[0].process.kill('SIGSTOP')
      const stopped = await write(sync, 'stopped')
      nodes[0].process.kill('SIGCONT')
      await until('it is back', async () => (await fetch(`${nodes[0].url}/health`)).status === 200)
      await nodes[0].kill()
      const killed = await write(sync, 'killed')
      console.log(`acknowledged ${stopped} ms after SIGSTOP, ${killed} ms after kill -9`)
      expect((await agents()).length).toBe(1)
      await ann.ask('broadcast', 'again')

      const doc = new Y.Doc()
      const reader = await RawClient.open(`${sync}/default`)
      reader.onUpdate = (update) => Y.applyUpdate(doc, update)
      reader.subscribe()
      await until('all is there', () => doc.getArray('list').length >= entries.length + 2)
      expect(doc.getArray('list').toArray().sort()).toEqual([...entries, 'killed', 'stopped'])
      await reader.close()
      await ann.run('down')
      await nodes[1].stop()
    },
  )
})
