import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { expect, it } from 'vitest'
import { agent } from '../../support/agent.ts'
import { authority } from '../../support/certificates.ts'
import { until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { type Ran, sync } from '../../support/ops/commands.ts'
import { startServer, tempDir } from '../../support/server.ts'

const { ca, sign } = authority()

/** The serial number of the certificate that is served. */
const serial = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()!.serialNumber)
      socket.destroy()
    })
    socket.on('error', reject)
  })

it('[NET-21] over TLS agents join and work; a renewed certificate is taken up; open connections stay', async () => {
  const dir = tempDir('served')
  const [cert, key] = [join(dir, 'cert.pem'), join(dir, 'key.pem')]
  const serve = (pair: { cert: string; key: string }) => {
    copyFileSync(pair.cert, cert)
    copyFileSync(pair.key, key)
  }
  serve(sign('IP:127.0.0.1'))
  const server = await startServer({
    args: ['--tls-cert', cert, '--tls-key', key, '--log-level', 'info'],
    env: { CLAWLINK_TLS_LOOK: '0.1' },
  })
  expect(server.url).toMatch(/^https:/)
  const env = { CLAWLINK_CA: ca }
  const [ann, bob] = [agent(server.url), agent(server.url)]
  const run = async (who: typeof ann, ...args: string[]) => {
    const ran = await who.runWith({ env }, ...args)
    expect(ran.stderr + ran.stdout).not.toMatch(/error/)
    return ran.stdout
  }
  await run(ann, 'register', '--name', 'Ann')
  await run(bob, 'register', '--name', 'Bob')
  await run(ann, 'send', '--to', 'Bob', '--content', 'over TLS')
  expect(await run(bob, 'poll')).toContain('over TLS')

  const before = await serial(server.port)
  writeFileSync(cert, 'half of it')
  await until('that is said', () => server.log().includes('not usable yet'))
  serve(sign('IP:127.0.0.1'))
  await until('the new one is served', async () => (await serial(server.port)) !== before)
  await run(ann, 'send', '--to', 'Bob', '--content', 'renewed')
  expect(await run(bob, 'poll')).toContain('renewed')
  const agents = await sync('agents', '--data', server.data)
  expect(agents).toMatchObject({ code: 0 } satisfies Partial<Ran>)
  expect(agents.stdout.match(/ {2}admin {2}joined/g)).toHaveLength(2)
  await server.stop()
})

it('[NET-21] [NET-29] a certificate that is not to be trusted is said to be, with what to do', async () => {
  const pair = sign('DNS:elsewhere.example')
  const server = await startHere({ args: ['--tls-cert', pair.cert, '--tls-key', pair.key] })
  const one = agent(server.url)
  const unknown = await one.run('register', '--name', 'Eve')
  expect(unknown).toMatchObject({ code: 6 })
  expect(unknown.stderr).toMatch(/certificate of https:.* is not to be trusted.*CLAWLINK_CA/)
  const other = agent(server.url)
  const wrong = await other.runWith({ env: { CLAWLINK_CA: ca } }, 'register', '--name', 'Eve')
  expect(wrong.stderr).toMatch(/it is for another name/)
  await server.stop()
})

it('[NET-21] half a pair, or no pair, is an error at the start', async () => {
  const [one, two] = [sign('IP:127.0.0.1'), sign('IP:127.0.0.1')]
  expect(await sync('--tls-cert', one.cert)).toMatchObject({ code: 2 })
  const data = tempDir('data')
  const mixed = await sync(
    '--data',
    data,
    '--port',
    '0',
    '--tls-cert',
    one.cert,
    '--tls-key',
    two.key,
  )
  expect(mixed).toMatchObject({ code: 2 })
  expect(mixed.stderr).toMatch(/no certificate with its key/)
})
