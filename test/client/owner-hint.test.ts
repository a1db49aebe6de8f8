import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { parseTarget } from '../../client/http/target.ts'
import { Replica } from '../../client/replica/replica.ts'
import { directIn, OwnerHint } from '../../client/session/owner-hint.ts'
import { Session } from '../../client/session/session.ts'
import { preferredOf } from '../../sync-server/cluster/preferred.ts'
import { authority } from '../support/certificates.ts'
import { until } from '../support/client.ts'
import { startWay } from '../support/cluster/balancer.ts'
import { nodeIdIn } from '../support/cluster/servers.ts'
import { newSchema, onPostgres } from '../support/postgres.ts'
import { ownPort, startServer, tempDir } from '../support/server.ts'

const TIMEOUT_MS = 20_000
/** Where others use the machine, too (milliseconds). */
const LONG_MS = 60_000

afterEach(() => {
  delete process.env.CLAWLINK_CA
})

onPostgres('links of a cluster', (postgres) => {
  it('[NODE-16] a link dials the owner directly the next time, and the configured address once that one has gone', async () => {
    const { ca, sign } = authority()
    process.env.CLAWLINK_CA = ca
    const { cert, key } = sign('IP:127.0.0.1')
    const store = newSchema(postgres().url)
    const start = async () => {
      const port = await ownPort()
      const url = `https://127.0.0.1:${port}`
      const args = ['--store', store, '--node-url', url, '--direct-url', url, '--no-mdns']
      const tls = ['--tls-cert', cert, '--tls-key', key]
      return startServer({ port, args: [...args, ...tls], env: { NODE_EXTRA_CA_CERTS: ca } })
    }
    const nodes = [await start(), await start()]
    const ids = nodes.map(({ data }) => nodeIdIn(data))
    const [owner, other] = preferredOf('default', ids) === ids[0] ? nodes : nodes.toReversed()
    const way = await startWay(other!.port)
    const replica = await Replica.open(join(tempDir('hint'), 'r'), () => {})
    const target = parseTarget(`https://127.0.0.1:${way.port}`)
    const session = new Session({ ...target, token: () => owner!.token }, 'default', replica, null)
    const write = async (): Promise<void> => {
      replica.doc.getArray('list').push([1])
      const stored = () =>
        session.barrier(TIMEOUT_MS).then(
          () => true,
          () => false,
        )
      await until('it is stored', stored, LONG_MS)
    }
    await write()
    expect(way.size).toBeGreaterThan(0)
    await until(
      'it comes directly',
      async () => {
        way.cut()
        await write()
        return way.size === 0
      },
      LONG_MS,
    )
    expect(await owner!.stop()).toBe(0)
    await write()
    expect(way.size).toBeGreaterThan(0)
    session.close()
    await replica.close()
    way.close()
    await other!.stop()
  })
})

it('[NODE-16] the host of a hint is the configured one or below it, and both addresses speak TLS', () => {
  const at = (said: unknown, configured = 'https://mesh.example.org') => directIn(said, configured)
  expect(at('https://mesh.example.org:9078/')).toBe('https://mesh.example.org:9078')
  expect(at('https://n1.mesh.example.org/a/')).toBe('https://n1.mesh.example.org/a')
  for (const said of [
    ...['https://mesh.example.org', 'http://n1.mesh.example.org', 'https://example.org', 'wss://x'],
    ...['https://mesh.example.org.evil.org', 'https://evilmesh.example.org', 'n1.mesh.example.org'],
    ...['https://a@n1.mesh.example.org', 'https://n1.mesh.example.org?a', ' ', undefined, ['x'], 1],
    `https://n1.mesh.example.org/${'a'.repeat(1_000)}`,
  ]) {
    expect(at(said), String(said)).toBe(null)
  }
  expect(at('https://mesh.example.org:1', 'http://mesh.example.org')).toBe(null)
})

it('[NODE-16] only a server that proves to know the credential is dialled', async () => {
  const { ca, sign } = authority()
  process.env.CLAWLINK_CA = ca
  const { cert, key } = sign('IP:127.0.0.1')
  const server = await startServer({ args: ['--tls-cert', cert, '--tls-key', key] })
  const hint = new OwnerHint('https://127.0.0.1:1')
  await hint.hear(server.url, server.token)
  expect(hint.direct).toBe(server.url)
  hint.drop()
  expect(hint.direct).toBe(null)
  await hint.hear(server.url, `${server.token.slice(0, -1)}_`)
  expect(hint.direct).toBe(null)
  await hint.hear(undefined, server.token)
  await hint.hear('https://127.0.0.1:2', server.token)
  expect(hint.direct).toBe(null)
  await server.stop()
})
