import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { depthOf } from '../../../agent/mcp/server/depth.ts'
import { MAX_DEPTH, MAX_LINE_BYTES, MAX_RUNNING } from '../../../agent/mcp/tools/limits.ts'
import { isAlive, killLink, linkPid, registered } from '../../support/agent.ts'
import { until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { drain, openHost } from '../../support/mcp/host.ts'
import { call, HANDSHAKE, rawHost } from '../../support/mcp/raw.ts'
import { root, type ServerAt } from '../../support/server.ts'

let server: ServerAt
beforeAll(async () => {
  server = await startHere()
})
afterAll(() => server.stop())

it('[MCP-11] garbage, deep and huge messages get an error each, and the connection goes on', async () => {
  const one = await registered(server.url, 'garbage')
  const host = rawHost(one.home, server.url)
  host.write(HANDSHAKE)
  expect((await host.answerTo('begin')).result).toMatchObject({ protocolVersion: '2025-11-25' })
  const bad: [string, number][] = [
    ['not json', -32_700],
    ['{"jsonrpc":"2.0"', -32_700],
    ['"text"', -32_600],
    ['[]', -32_600],
    ['null', -32_600],
    [`${'['.repeat(100_000)}${']'.repeat(100_000)}`, -32_600],
    [
      `{"jsonrpc":"2.0","id":1,"method":"ping","params":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`,
      -32_600,
    ],
    ['x'.repeat(MAX_LINE_BYTES + 1), -32_600],
  ]
  for (const [line, code] of bad) {
    host.write(`${line}\n`)
    expect((await host.answerTo(null)).error?.code, line.slice(0, 40)).toBe(code)
  }
  host.write(call('no-method', 'tools/none'))
  expect((await host.answerTo('no-method')).error).toBeDefined()
  host.write(call('alive', 'tools/list'))
  expect((await host.answerTo('alive')).result).toHaveProperty('tools')
  expect(await host.end()).toBe(0)
})

it('[MCP-11] a host that floods, and one that reads nothing, cost only themselves', async () => {
  const one = await registered(server.url, 'flood')
  const quiet = await openHost({ home: one.home, server: server.url })
  await drain(quiet)
  const pid = linkPid(one.home)
  const flood = rawHost(one.home, server.url)
  flood.write(HANDSHAKE)
  await flood.answerTo('begin')
  const many = Array.from({ length: 3_000 }, (_, n) => call(n, 'ping')).join('')
  flood.write(many)
  const waits = Array.from({ length: MAX_RUNNING + 20 }, (_, n) =>
    call(`w${n}`, 'tools/call', { name: 'inbox', arguments: { wait: 600 } }),
  )
  const deaf = rawHost(one.home, server.url)
  deaf.child.stdout!.pause()
  deaf.write(HANDSHAKE)
  deaf.write(Array.from({ length: 2_000 }, (_, n) => call(n, 'tools/list')).join(''))
  const busy = rawHost(one.home, server.url)
  busy.write(HANDSHAKE)
  await busy.answerTo('begin')
  busy.write(waits.join(''))
  expect((await busy.answerTo(`w${MAX_RUNNING + 19}`)).error?.code).toBe(-32_000)
  // The others wait for longer than a test may take.
  for (let n = 0; n < 5; n++) expect((await quiet.call('prime')).isError).toBe(false)
  expect(linkPid(one.home)).toBe(pid)
  for (const host of [flood, deaf, busy]) {
    host.child.stdout!.resume()
    await host.end()
  }
  expect((await quiet.call('prime')).isError).toBe(false)
  await quiet.close()
})

it('[MCP-11] hosts of one link have their own messages and their own errors', async () => {
  const one = await registered(server.url, 'shared')
  const hosts = await Promise.all(
    Array.from({ length: 4 }, () => openHost({ home: one.home, server: server.url })),
  )
  const answers = await Promise.all(
    hosts.map((host, n) => host.call('find', n % 2 === 0 ? { query: 'x' } : { qury: 'x' })),
  )
  expect(answers.map(({ isError }) => isError)).toEqual([false, true, false, true])
  await Promise.all(hosts.map((host) => host.close()))
})

it('[MCP-11] the depth of JSON is found without parsing it', () => {
  expect(depthOf('1')).toBe(0)
  expect(depthOf('{"a":[{}],"b":[]}')).toBe(3)
  expect(depthOf('"[[[[\\"[[["')).toBe(0)
  expect(depthOf('["\\\\",["]]"]]')).toBe(2)
  expect(depthOf('"[')).toBe(0)
  expect(depthOf('['.repeat(1_000_000))).toBeGreaterThan(MAX_DEPTH)
})

it('[MCP-12] the SDK is in a file of its own, and no second Yjs with it', () => {
  const dist = join(root, 'dist')
  const text = (file: string) => readFileSync(join(dist, file), 'utf8')
  const sdk = readdirSync(dist).filter((file) => text(file).includes('server/discover'))
  expect(sdk).toEqual(['clawlink-agent-mcp.cjs'])
  expect(text('clawlink-agent-mcp.cjs')).not.toContain('Yjs was already imported')
  expect(text('clawlink-agent-mcp.cjs').length).toBeLessThan(350_000)
  expect(text('clawlink-agent-pipe.cjs').length).toBeLessThan(10_000)
})

it('[MCP-12] without a link MCP is served by the process itself', async () => {
  const one = await registered(server.url, 'alone', 'alone')
  const host = await openHost({
    ...{ home: one.home, server: server.url },
    env: { CLAWLINK_LINK: 'off' },
  })
  expect((await host.call('prime')).text).toContain('alone')
  expect(linkPid(one.home)).toBeNull()
  await host.close()
  await until('it has ended', () => !isAlive(host.pid))
})

it('[MCP-12] a link loads the SDK at its start once a host has used MCP in its home', async () => {
  const one = await registered(server.url, 'warm')
  const log = () => readFileSync(join(one.home, 'link.log'), 'utf8')
  const host = await openHost({ home: one.home, server: server.url })
  await host.close()
  expect(log()).not.toContain('MCP is loaded')
  await killLink(one.home)
  await one.ask('prime')
  await until('it is loaded', () => log().includes('MCP is loaded'))
})
