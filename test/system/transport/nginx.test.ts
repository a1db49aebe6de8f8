import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { type Agent, agent } from '../../support/agent.ts'
import { authority } from '../../support/certificates.ts'
import { until } from '../../support/client.ts'
import { sync } from '../../support/ops/commands.ts'
import { bin, ownPort, type ServerAt, startServer, tempDir } from '../../support/server.ts'
import { noTerminal, openTerminal } from '../../support/terminal.ts'

const hasNginx = spawnSync('nginx', ['-v']).status === 0
if (!hasNginx) console.log('nothing is tested behind nginx: it is not installed')

const { ca, sign } = authority()
let nginx: ChildProcess | null = null
afterAll(async () => {
  if (nginx === null) return
  nginx.kill('SIGKILL')
  await once(nginx, 'exit')
})

/** nginx with TLS in front of the server, under the path /team, as docs/OPERATIONS.md has it. */
const startNginx = async (port: number, server: ServerAt): Promise<void> => {
  const { cert, key } = sign('IP:127.0.0.1')
  const dir = tempDir('nginx')
  for (const name of ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']) mkdirSync(join(dir, name))
  writeFileSync(
    join(dir, 'nginx.conf'),
    `daemon off; master_process off; pid ${dir}/pid; error_log ${dir}/error.log;
events {}
http {
  access_log ${dir}/access.log;
  client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy; fastcgi_temp_path ${dir}/fastcgi;
  uwsgi_temp_path ${dir}/uwsgi; scgi_temp_path ${dir}/scgi;
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${cert}; ssl_certificate_key ${key};
    location /team/ {
      proxy_pass ${server.url}/;
      proxy_http_version 1.1;
      proxy_request_buffering off;
      client_max_body_size 0;
      proxy_set_header Host $host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_read_timeout 120s;
    }
  }
}
`,
  )
  nginx = spawn('nginx', ['-c', join(dir, 'nginx.conf'), '-p', dir], { stdio: 'ignore' })
  await until(
    'nginx listens',
    () => spawnSync('bash', ['-c', `</dev/tcp/127.0.0.1/${port}`]).status === 0,
  )
}

it.skipIf(!hasNginx)(
  '[NET-22] behind nginx, with TLS and under a path: join, tasks, files, the terminal UI, reconnecting',
  async () => {
    const port = await ownPort()
    const base = `https://127.0.0.1:${port}/team`
    const args = ['--public-url', base, '--trust-proxy', 'loopback', '--log-level', 'error']
    let server = await startServer({ args })
    await startNginx(port, server)
    const joined = async (
      name: string,
    ): Promise<Agent & { say: (...args: string[]) => Promise<string> }> => {
      const { stdout: link } = await sync('invite', '--data', server.data)
      expect(link).toContain(`${base}/#w=default&i=`)
      const one = agent(undefined)
      const env = { CLAWLINK_CA: relative(one.cwd, ca), CLAWLINK_SERVER: undefined }
      const say = async (...words: string[]) => {
        const ran = await one.runWith({ env }, ...words)
        if (ran.code !== 0) throw new Error(`${words.join(' ')}: ${ran.code} ${ran.stderr}`)
        return ran.stdout
      }
      const ran = await one.runWith({ env, stdin: link }, 'join', '-')
      expect(ran).toMatchObject({ code: 0 })
      await say('register', '--name', name)
      return { ...one, say }
    }
    const [ann, bob] = [await joined('Ann'), await joined('Bob')]
    await ann.say('delegate', '--to', 'Bob', '--task', 'behind a proxy')
    const { data } = JSON.parse(await bob.say('poll', '--json')) as {
      data: { messages: { message_id: string; type: string }[] }
    }
    const task = data.messages.find(({ type }) => type === 'task_delegation')!.message_id
    await bob.say('respond', '--to', 'Ann', '--msg-id', task, '--result', 'it works')
    expect(await ann.say('poll')).toContain('it works')
    await ann.say('file-append', '--key', 'a.md', '--text', 'by Ann\n')
    expect(await bob.say('file-get', '--key', 'a.md')).toBe('by Ann\n')
    // More than nginx takes unless it is told.
    writeFileSync(join(ann.cwd, 'large.bin'), Buffer.alloc(2 * 1024 * 1024))
    await ann.say('file-put', '--key', 'large.bin', '--file', 'large.bin')
    const got = await bob.say('file-get', '--key', 'large.bin', '--output', 'got.bin', '--json')
    expect(JSON.parse(got)).toMatchObject({ data: { file: { size: 2 * 1024 * 1024 } } })

    await server.kill()
    server = await startServer({ args, data: server.data, port: server.port })
    await bob.say('file-append', '--key', 'a.md', '--text', 'after a restart\n')
    await until('it comes over the connection that was made anew', async () =>
      (await ann.say('file-get', '--key', 'a.md')).includes('after a restart'),
    )
    if (noTerminal === null) {
      const terminal = openTerminal(100, 20, { CLAWLINK_HOME: ann.home, CLAWLINK_CA: ca })
      terminal.type(`node ${bin('clawlink.mjs')} --as default`)
      terminal.press('Enter')
      await terminal.shows('Ann (you)')
      await terminal.shows('● connected')
      terminal.press('4')
      await terminal.shows('a.md')
      terminal.press('q')
      terminal.close()
    }
    await server.stop()
  },
)
