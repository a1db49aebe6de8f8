import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, expect, it } from 'vitest'
import { until } from '../../support/client.ts'
import { bin, tempDir } from '../../support/server.ts'

const ip = (...args: string[]): boolean => spawnSync('ip', args).status === 0
const tag = `${process.pid % 100_000}`
const [host, guest] = [`clh${tag}`, `clg${tag}`]

/** Two machines of one network: network namespaces with a cable between them. */
const hasNetwork = (() => {
  if (!ip('netns', 'add', host) || !ip('netns', 'add', guest)) return false
  const [one, two] = [`v${tag}a`, `v${tag}b`]
  return (
    ip('link', 'add', one, 'netns', host, 'type', 'veth', 'peer', 'name', two, 'netns', guest) &&
    [
      [host, one, '10.77.0.1/24'],
      [guest, two, '10.77.0.2/24'],
    ].every(
      ([space, link, address]) =>
        ip('-n', space!, 'address', 'add', address!, 'dev', link!) &&
        ip('-n', space!, 'link', 'set', link!, 'up') &&
        ip('-n', space!, 'link', 'set', 'lo', 'up') &&
        ip('-n', space!, 'route', 'add', '224.0.0.0/4', 'dev', link!),
    )
  )
})()
if (!hasNetwork) console.log('nothing is tested on a network: no namespaces can be made here')
afterAll(() => {
  for (const space of [host, guest]) ip('netns', 'delete', space)
})

const within = (space: string, program: string, ...args: string[]) => {
  const env = { ...process.env, CLAWLINK_HOME: tempDir('home'), CLAWLINK_LINK: 'off' }
  const words = [
    'netns',
    'exec',
    space,
    process.execPath,
    bin(program as 'clawlink-agent.cjs'),
    ...args,
  ]
  const child = spawn('ip', words, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { out: '' }
  child.stdout.on('data', (chunk) => {
    said.out += chunk
  })
  child.stderr.on('data', () => {})
  return { child, said }
}

it.skipIf(!hasNetwork)(
  '[NET-24] [NET-30] scan finds a server of the same network, which says no secret, and none that is silent',
  async () => {
    const scan = async (): Promise<string> => {
      const { child, said } = within(guest, 'clawlink-agent.cjs', 'scan')
      await once(child, 'close')
      return said.out
    }
    for (const isSilent of [false, true]) {
      const flags = isSilent ? ['--no-mdns'] : []
      const server = within(
        ...([host, 'clawlink-sync.cjs', '--host', '10.77.0.1', '--port', '9177'] as const),
        ...['--data', tempDir('data'), '--log-level', 'error', ...flags],
      )
      await until('it listens', () => server.said.out.includes('http://10.77.0.1:9177'))
      if (isSilent) expect(await scan()).toBe('')
      else {
        let seen = ''
        await until('it is found', async () => {
          seen = await scan()
          return seen !== ''
        })
        expect(seen).toMatch(/^http:\/\/10\.77\.0\.1:9177 {2}clawlink-sync \S+\n$/)
      }
      server.child.kill('SIGTERM')
      await once(server.child, 'close')
    }
  },
)
