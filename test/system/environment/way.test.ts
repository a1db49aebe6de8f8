import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  createServer,
  type Server as HttpServer,
  type OutgoingHttpHeaders,
  request,
} from 'node:http'
import { type AddressInfo, connect, createServer as createTcp } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import * as Y from 'yjs'
import { serverInfo } from '../../../client/http/api.ts'
import { proxyFor } from '../../../client/http/proxy.ts'
import { parseTarget } from '../../../client/http/target.ts'
import { Session } from '../../../client/session/session.ts'
import { agent } from '../../support/agent.ts'
import { authority } from '../../support/certificates.ts'
import { bin, type Server, standIn, startServer } from '../../support/server.ts'

let server: Server
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const listen = async (listener: HttpServer | ReturnType<typeof createTcp>): Promise<number> => {
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  closers.push(() => listener.close())
  return (listener.address() as AddressInfo).port
}

/** Something that answers everything with this. */
const answering = async (
  status: number,
  headers: OutgoingHttpHeaders,
  body = '',
): Promise<string> => {
  const stranger = createServer((_, answer) => {
    answer.writeHead(status, { ...headers, connection: 'close' })
    answer.end(body)
  })
  return `http://127.0.0.1:${await listen(stranger)}`
}

/** What follows the address in a join link. */
const inviteTo = ({ data }: Server): string => {
  const args = [bin('clawlink-sync.cjs'), 'invite', '--data', data]
  return /#\S+/.exec(execFileSync(process.execPath, args, { encoding: 'utf8', stdio: 'pipe' }))![0]
}

const thrownBy = async (base: string) => serverInfo({ base }).catch((error) => error)

it('[ENV-11] what answers in the place of a server is named as what it is', async () => {
  const html = { 'content-type': 'text/html; charset=utf-8' }
  const cases: [number, OutgoingHttpHeaders, string, string, RegExp][] = [
    [200, html, '<html>', 'not_clawlink', /web page.*login to the network.*browser/],
    [
      302,
      { location: 'https://portal.example/login?back=x' },
      '',
      'not_clawlink',
      /https:\/\/portal\.example\/login \(302\)/,
    ],
    [
      308,
      { location: 'https://127.0.0.1/health' },
      '',
      'not_clawlink',
      /HTTPS.*use --relay https:\/\/127\.0\.0\.1$/,
    ],
    [401, html, '', 'not_clawlink', /a login or a firewall.*\(401\)/],
    [403, html, '', 'not_clawlink', /a login or a firewall.*\(403\)/],
    [407, html, '', 'proxy_refused', /proxy .* wants a login \(407\).*USER:PASSWORD/],
    [429, html, '', 'unreachable', /gateway says 429/],
    [511, html, '', 'not_clawlink', /network wants a login first \(511\)/],
    [
      400,
      {},
      'Client sent an HTTP request to an HTTPS server.',
      'not_clawlink',
      /speaks TLS.*use --relay https:/,
    ],
    [404, {}, 'nothing', 'not_clawlink', /it answered 404 without JSON/],
  ]
  for (const [status, headers, body, code, says] of cases) {
    const error = await thrownBy(await answering(status, headers, body))
    expect(error).toMatchObject({ code, exit: 6 })
    expect(`${error.message} — ${error.hint}`).toMatch(says)
  }
})

it('[ENV-12] TLS spoken to a plain server, and the reverse, is said, with the address to use', async () => {
  const plain = new URL(server.url)
  const base = `https://127.0.0.1:${plain.port}`
  const wrong = await thrownBy(base)
  expect(wrong.message).toContain('speaks plain HTTP')
  expect(wrong.hint).toBe(`use --relay http://127.0.0.1:${plain.port}`)
  const { cert, key } = authority().sign('IP:127.0.0.1')
  const tls = await startServer({ args: ['--tls-cert', cert, '--tls-key', key] })
  const other = await thrownBy(tls.url.replace('https', 'http'))
  expect(other.message).toContain('speaks TLS')
  expect(other.hint).toBe(`use --relay ${tls.url}`)
  await tls.stop()
  expect(() => parseTarget('http://[fe80::1%eth0]:9077')).toThrow(/network interface after %/)
})

/** A proxy that passes plain HTTP alone, and answers an upgrade as `status`; 0: as the server does without it. */
const httpOnly = async (status: number): Promise<string> => {
  const pass = createServer((asked, answer) => {
    const { upgrade: _, connection: __, ...headers } = asked.headers
    const { method, url: path } = asked
    const sent = request(
      { host: '127.0.0.1', port: server.port, method, path, headers, agent: false },
      (got) => {
        answer.writeHead(got.statusCode ?? 0, got.headers)
        got.pipe(answer)
      },
    )
    asked.pipe(sent)
  })
  pass.on('upgrade', (asked, socket) => {
    if (status !== 0)
      return socket.end(`HTTP/1.1 ${status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`)
    const { upgrade: _, connection: __, ...headers } = asked.headers
    request(
      { host: '127.0.0.1', port: server.port, path: asked.url, headers, agent: false },
      (got) => {
        let body = ''
        got.on('data', (chunk) => {
          body += chunk
        })
        got.on('end', () =>
          socket.end(
            `HTTP/1.1 ${got.statusCode} X\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
          ),
        )
      },
    ).end()
  })
  const port = await listen(pass)
  standIn(port, server.port)
  return `http://127.0.0.1:${port}`
}

it('[ENV-13] a proxy that does not pass WebSockets is named as that', async () => {
  for (const status of [0, 200, 404, 426]) {
    const base = await httpOnly(status)
    const doc = new Y.Doc()
    const target = { ...parseTarget(base), token: () => server.token }
    const session = new Session(target, 'default', { doc, commit: async () => {} }, null)
    const error = await session.synced(20_000).catch((thrown) => thrown)
    session.close()
    expect(error, `${status}`).toMatchObject({ code: 'no_websockets', exit: 6 })
    expect(error.message).toMatch(/proxy on the way to \S+ does not pass WebSockets/)
  }
})

it('[ENV-14] where somebody else answers for a known server, reading goes on and writing is queued', async () => {
  let isPortal = false
  const near = createTcp((socket) => {
    socket.on('error', () => {})
    if (isPortal) {
      const page = '<html>log in</html>'
      socket.once('data', () =>
        socket.end(
          `HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: ${page.length}\r\nconnection: close\r\n\r\n${page}`,
        ),
      )
      return
    }
    const far = connect(server.port, '127.0.0.1')
    far.on('error', () => socket.destroy())
    socket.on('close', () => far.destroy())
    far.on('close', () => socket.destroy())
    socket.pipe(far).pipe(socket)
    closers.push(() => socket.destroy())
  })
  const port = await listen(near)
  standIn(port, server.port)
  const one = agent(`http://127.0.0.1:${port}`)
  await one.ask('register', '--name', 'Roamer')
  await one.runWith({ stdin: 'kept\n' }, 'file-put', '--key', 'a.md', '--file', '-')
  await one.run('down')
  isPortal = true
  const read = await one.run('file-get', '--key', 'a.md')
  expect(read).toMatchObject({ code: 0, stdout: 'kept\n' })
  expect(read.stderr).toMatch(/a web page comes in its place.*this is the local copy/)
  const said = await one.run('broadcast', '--content', 'later', '--json')
  expect(said.json().data).toMatchObject({ durable: false })
  isPortal = false
  await one.run('down')
  const log = await one.ask<{ messages: { content: string }[] }>('log')
  expect(JSON.stringify(log)).toContain('later')
  await one.run('down')
})

it('[ENV-15] proxies are chosen as curl chooses them, and this machine is never reached by one', () => {
  const env = {
    http_proxy: 'http://lower:1',
    HTTP_PROXY: 'http://upper:2',
    HTTPS_PROXY: 'secure:3',
    no_proxy:
      'skip.example, .sub.example,10.0.0.0/8 ,[fd00::1],192.168.7.7,host.example:8443,*.star.example',
  }
  const by = (url: string, given: Record<string, string> = env) =>
    proxyFor(url, given)?.url.host ?? null
  expect(by('http://a.example')).toBe('lower:1')
  expect(by('https://a.example')).toBe('secure:3')
  const direct = [
    ...['http://localhost:1', 'http://x.localhost', 'http://127.9.9.9', 'http://[::1]:9077'],
    ...[
      'http://skip.example',
      'http://a.skip.example',
      'https://SUB.example.',
      'https://x.sub.example',
    ],
    ...['http://10.1.2.3', 'http://[fd00::1]:1', 'http://192.168.7.7', 'https://host.example:8443'],
    'http://b.star.example',
  ]
  for (const url of direct) expect(by(url), url).toBe(null)
  for (const url of [
    'http://notskip.example',
    'https://host.example',
    'http://11.0.0.1',
    'http://[fd00::2]',
  ]) {
    expect(by(url), url).not.toBe(null)
  }
  expect(by('http://a.example', { ALL_PROXY: 'http://all:4' })).toBe('all:4')
  expect(by('http://a.example', { ALL_PROXY: 'http://all:4', NO_PROXY: '*' })).toBe(null)
  expect(by('http://a.example', { http_proxy: '', HTTP_PROXY: 'http://upper:2' })).toBe(null)
  expect(by('http://a.example', { all_proxy: 'socks5://s:1080' })).toBe(null)
  expect(() => by('http://a.example', { http_proxy: 'ftp://x' })).toThrow(/only HTTP proxies/)
})

it('[ENV-16] all goes by the HTTP proxy of the environment: joining, messages and files, also over TLS', async () => {
  const { sign, ca } = authority()
  const { cert, key } = sign('DNS:team.invalid,IP:127.0.0.1')
  const tls = await startServer({ args: ['--tls-cert', cert, '--tls-key', key] })
  let refusing = 0
  const asked: string[] = []
  const proxy = createServer((_, answer) => answer.writeHead(500).end())
  proxy.on('connect', (ask, near) => {
    near.on('error', () => {})
    asked.push(`${ask.url} ${ask.headers['proxy-authorization'] ?? ''}`)
    if (refusing !== 0) return near.end(`HTTP/1.1 ${refusing} No\r\ncontent-length: 0\r\n\r\n`)
    // A name that nobody but the proxy can resolve.
    const far = connect(Number(ask.url?.split(':')[1]), '127.0.0.1', () => {
      near.write('HTTP/1.1 200 OK\r\n\r\n')
      near.pipe(far).pipe(near)
    })
    far.on('error', () => near.destroy())
    near.on('close', () => far.destroy())
    closers.push(() => near.destroy())
  })
  const port = await listen(proxy)
  const login = Buffer.from('me:p@ss').toString('base64')
  for (const [to, variable] of [
    [server, 'HTTP_PROXY'],
    [tls, 'https_proxy'],
  ] as const) {
    const relay = to.url.replace('127.0.0.1', 'team.invalid')
    const one = agent(relay)
    const env = { [variable]: `http://me:p%40ss@127.0.0.1:${port}`, CLAWLINK_CA: ca, no_proxy: '' }
    const run = (stdin: string, ...args: string[]) => one.runWith({ env, stdin }, ...args)
    const joined = await run(`${relay}/${inviteTo(to)}`, 'join', '-')
    expect(joined, joined.stderr).toMatchObject({ code: 0 })
    expect(await run('', 'register', '--name', 'Inside')).toMatchObject({ code: 0 })
    expect(await run('text\n', 'file-put', '--key', 'p.md', '--file', '-')).toMatchObject({
      code: 0,
    })
    const whole = await run('\0bytes', 'file-put', '--key', 'p.bin', '--file', '-')
    expect(whole, whole.stderr).toMatchObject({ code: 0 })
    expect(asked.every((line) => line === `team.invalid:${to.port} Basic ${login}`)).toBe(true)
    expect(asked.length).toBeGreaterThan(2)
    asked.length = 0
    await one.run('down')
  }
  const one = agent(server.url.replace('127.0.0.1', 'team.invalid'))
  const info = (env: Record<string, string>) =>
    one.runWith({ env: { CLAWLINK_LINK: 'off', ...env } }, 'info')
  for (const [status, says] of [
    [
      407,
      /^error: the proxy http:\/\/127\.0\.0\.1:\d+ refuses the way to team\.invalid:\d+: 407, it wants a login — .*HTTP_PROXY=http:\/\/USER:PASSWORD@/,
    ],
    [403, /refuses the way to team\.invalid:\d+: 403 — .*NO_PROXY/],
    [503, /the proxy \S+ does not reach team\.invalid:\d+ \(503\)/],
  ] as const) {
    refusing = status
    const ran = await info({ HTTP_PROXY: `http://me:secret@127.0.0.1:${port}` })
    expect(ran).toMatchObject({ code: 6, stderr: expect.stringMatching(says) })
    expect(ran.stderr).not.toContain('secret')
  }
  const none = await info({ HTTP_PROXY: 'http://127.0.0.1:1' })
  expect(none).toMatchObject({
    code: 6,
    stderr: expect.stringMatching(
      /no answer from the proxy http:\/\/127\.0\.0\.1:1 \(ECONNREFUSED\), which HTTP_PROXY names/,
    ),
  })
  const socks = await info({ ALL_PROXY: 'socks5://127.0.0.1:1' })
  expect(socks.stderr).toMatch(/ALL_PROXY names a SOCKS proxy, which is not used/)
  await tls.stop()
})
