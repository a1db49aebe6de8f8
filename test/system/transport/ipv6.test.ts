import { createServer } from 'node:net'
import { expect, it } from 'vitest'
import { agent } from '../../support/agent.ts'
import { ask, bearer, invite } from '../../support/auth/members.ts'
import { RawClient } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { sync } from '../../support/ops/commands.ts'

const HAS_IPV6 = await new Promise<boolean>((resolve) => {
  const probe = createServer()
  probe.once('error', () => resolve(false))
  probe.listen(0, '::1', () => probe.close(() => resolve(true)))
})
if (!HAS_IPV6) console.log('skipped: this machine has no ::1')

it.skipIf(!HAS_IPV6).each(['::1', '::'])(
  '[NET-28] on %s: it listens, says so, and is joined by a link',
  async (host) => {
    const args = [
      '--host',
      host,
      '--no-mdns',
      '--log-level',
      'error',
      '--limit',
      'address-connections=4',
    ]
    const server = await startHere({ args })
    const six = { url: `http://[::1]:${server.port}` }
    expect(server.url).toBe(host === '::1' ? six.url : `http://127.0.0.1:${server.port}`)
    const link = (await sync('invite', '--data', server.data)).stdout.trim().split(/\s+/)[0]!
    if (host === '::1') expect(link).toContain(`[::1]:${server.port}`)
    const alice = agent(undefined, undefined, 'alone')
    const joined = await alice.runWith({ stdin: link }, 'join', '-')
    expect(joined.code, joined.stderr).toBe(0)
    const secret = await invite(six, {})
    const member = await ask<{ credential: string }>(six, '/api/join', {
      ...{ invite: secret, agent_id: 'a-six000000001' },
    })
    const headers = bearer(member.data.credential)
    const socket = `ws://[::1]:${server.port}/sync/default`
    const clients: RawClient[] = []
    for (let i = 0; i < 4; i++) clients.push(await RawClient.open(socket, headers))
    for (const client of clients) await client.barrier()
    // Limits by address hold there, too: a /64 is one.
    await expect(RawClient.open(socket, headers)).rejects.toThrow('429')
    if (host === '::') {
      const four = await RawClient.open(`ws://127.0.0.1:${server.port}/sync/default`, headers)
      await four.barrier()
      await four.close()
    }
    for (const client of clients) await client.close()
    await server.stop()
  },
)
