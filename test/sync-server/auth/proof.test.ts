import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type Server as HttpServer } from 'node:http'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { SECRETS } from '../../../protocol/roles.ts'
import { agentHere } from '../../support/agent.ts'
import { ask, invite } from '../../support/auth/members.ts'
import { until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { sync, syncHere } from '../../support/ops/commands.ts'
import { type ServerAt, startServer, tempDir } from '../../support/server.ts'

/** Somebody else on this machine, who has the port of a server. It keeps all that it is shown. */
interface Impostor {
  shown: () => string
  asked: () => number
  stop: () => Promise<void>
}

const impostor = async (
  port: number,
  answer: (url: string) => [number, object],
): Promise<Impostor> => {
  let heard = ''
  let count = 0
  const http: HttpServer = createServer((request, response) => {
    count++
    heard += `${request.method} ${request.url} ${JSON.stringify(request.headers)}\n`
    request.on('data', (chunk) => {
      heard += chunk
    })
    const [status, body] = answer(request.url ?? '')
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  http.on('upgrade', (request, socket) => {
    count++
    heard += `UPGRADE ${request.url} ${JSON.stringify(request.headers)}\n`
    socket.destroy()
  })
  http.listen(port, '127.0.0.1')
  await once(http, 'listening')
  const stop = async () => {
    http.closeAllConnections()
    http.close()
    await once(http, 'close')
  }
  return { shown: () => heard, asked: () => count, stop }
}

const notFound: [number, object] = [
  404,
  { ok: false, error: { code: 'unknown_route', message: 'x' } },
]
const ANSWERS: Record<string, (url: string) => [number, object]> = {
  'does not know the route': () => notFound,
  'answers with a wrong proof': (url) =>
    url.startsWith('/api/prove') ? [200, { ok: true, data: { proof: 'a'.repeat(64) } }] : notFound,
  'says that it knows no such secret': () => [
    401,
    { ok: false, error: { code: 'unauthorized', message: 'x' } },
  ],
  'answers everything with success': () => [200, { ok: true, data: {} }],
}

const stopping: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const stop of stopping.splice(0)) await stop()
})
const started = async (options: Parameters<typeof startHere>[0] = {}): Promise<ServerAt> => {
  const server = await startHere(options)
  stopping.push(server.stop)
  return server
}

it.each(Object.keys(ANSWERS))(
  '[AUTH-38] who has taken the port of a server that is down, and %s, is shown no secret',
  async (how) => {
    const { port, url, data, stop } = await started()
    const home = tempDir('home')
    const linked = agentHere(url, home, 'alone-here')
    await linked.ask('register', '--name', 'Ann')
    await linked.ask('broadcast', '--content', 'before')
    const late = agentHere(url, tempDir('home'), 'alone-here')
    await stop()
    const other = await impostor(port, ANSWERS[how]!)
    const ran = [
      await linked.run('broadcast', '--content', 'meanwhile'),
      await linked.run('poll'),
      await linked.run('log'),
      await late.run('register', '--name', 'Late'),
    ]
    for (const args of [['agents'], ['invite'], ['revoke', 'x']]) {
      const { stdout, stderr } = await syncHere(...args, '--data', data)
      expect(stderr).not.toContain('does not answer')
      ran.push({ code: 0, stdout, stderr } as (typeof ran)[number])
    }
    await until('it was asked', () => other.asked() > 0)
    expect(other.shown().match(SECRETS)).toBe(null)
    await other.stop()
    await started({ data, port })
    // One that is told that it is unknown writes nothing; the others queue it.
    const isQueued = ran[0]!.code === 0
    await until('it goes on', async () => {
      await linked.run(...(isQueued ? ['poll'] : ['broadcast', '--content', 'meanwhile']))
      const { data: found } = await ask<{ broadcasts: { content: string }[] }>(
        { url },
        '/api/workspaces/default/log',
      )
      return found.broadcasts.some(({ content }) => content === 'meanwhile')
    })
  },
)

it('[AUTH-38] a profile notes that its server can prove itself, also one that joined by a link', async () => {
  const server = await started()
  const one = agentHere(undefined, tempDir('home'), 'alone-here')
  const link = `${server.url}/#w=default&i=${await invite(server, { role: 'write' })}`
  await one.runWith({ stdin: link }, 'join', '-')
  const dir = join(one.home, 'credentials')
  const [file] = readdirSync(dir)
  expect(JSON.parse(readFileSync(join(dir, file!), 'utf8'))).toMatchObject({ proves: true })
})

it('[AUTH-38] [AUTH-56] the owner’s token is shown to no process but the one that has the data folder', async () => {
  const server = await startServer()
  const owner = readFileSync(join(server.data, 'owner.json'))
  expect((await sync('agents', '--data', server.data)).code).toBe(0)
  await server.kill()
  // As kill -9 leaves it: owner.json names the port and a process.
  expect(readFileSync(join(server.data, 'owner.json'))).toEqual(owner)
  const other = await impostor(server.port, () => [200, { ok: true, data: {} }])
  stopping.push(other.stop)
  for (const args of [['agents'], ['invite'], ['doctor'], ['verify']]) {
    await sync(...args, '--data', server.data)
  }
  expect(other.shown()).toBe('')
})

it('[AUTH-38] a proof answers one nonce, tells who asks nothing, and takes a valid question', async () => {
  const server = await started()
  const prove = async (query: string) => {
    const { status, data } = await ask<{ proof?: string }>(
      server,
      `/api/prove?${query}`,
      undefined,
      {
        authorization: '',
      },
    )
    return { status, proof: data?.proof }
  }
  const nonce = 'n'.repeat(43)
  expect((await prove(`id=${'0'.repeat(16)}&nonce=${nonce}`)).status).toBe(401)
  for (const query of ['', 'id=x&nonce=y', `id=${'0'.repeat(16)}&nonce=short`, 'nonce=short']) {
    expect((await prove(query)).status).toBe(400)
  }
})
