// The official conformance suite of MCP against `clawlink-agent mcp`, by a bridge from HTTP, which is all that the suite
// speaks, to stdio. The suite needs Node 22 or newer, so it runs on the Node 24 of npm.
//   npm run proof -- mcp-conformance [SCENARIO…]
import { execFile, execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { killLink, registered } from '../support/agent.ts'
import { startBridge } from '../support/mcp/bridge.ts'
import { root, startServer } from '../support/server.ts'

const SUITE = '@modelcontextprotocol/conformance'
const VERSION = '0.2.0-alpha.12'
const NODE = `node-${process.platform}-${process.arch}`
/**
 * Scenarios for any server of tools and resources. The others call tools, prompts and resources of the suite's own test
 * server, or test HTTP and OAuth; `caching` passes but for prompts, which ClawLink has none of, and most checks of
 * `server-stateless` are of HTTP.
 */
const SCENARIOS = [
  ...['server-initialize', 'ping', 'tools-list', 'resources-list', 'resources-subscribe'],
  ...['resources-unsubscribe', 'sep-2164-resource-not-found'],
  ...['input-required-result-unsupported-methods'],
]

const installed = (): { node: string; main: string } => {
  const dir = join(root, 'node_modules', '.cache', 'clawlink', `conformance-${VERSION}`)
  const node = join(dir, 'node_modules', NODE, 'bin', 'node')
  const main = join(dir, 'node_modules', SUITE, 'dist', 'index.js')
  if (!existsSync(main) || !existsSync(node)) {
    const packages = [`${SUITE}@${VERSION}`, `${NODE}@24`]
    const args = ['install', '--silent', '--no-audit', '--no-fund', '--prefix', dir, ...packages]
    execFileSync('npm', args, { stdio: ['ignore', 'ignore', 'inherit'] })
  }
  return { node, main }
}

const wanted = process.argv.length > 2 ? process.argv.slice(2) : SCENARIOS
const { node, main } = installed()
const server = await startServer()
const home = await registered(server.url, 'conformance')
const bridge = await startBridge(home.home, server.url)

/** Runs one scenario; resolves to true if all of its checks passed. */
const run = (scenario: string): Promise<boolean> =>
  new Promise((resolve) => {
    const args = [main, 'server', '--url', bridge.url, '--scenario', scenario]
    execFile(node, args, { timeout: 120_000 }, (error, stdout, stderr) => {
      const counts = /Passed: .*|\d+\/\d+ .*/i.exec(stdout)?.[0] ?? ''
      console.log(`${error === null ? 'pass' : 'FAIL'}: ${scenario} ${counts}`)
      if (error !== null) console.log(`${stdout}${stderr}`.trim())
      resolve(error === null)
    })
  })

let failed = 0
for (const scenario of wanted) if (!(await run(scenario))) failed += 1
console.log(`${wanted.length - failed} of ${wanted.length} scenarios pass`)
await bridge.close()
await killLink(home.home).catch((error: Error) => console.log(error.message))
await server.stop()
process.exit(failed === 0 ? 0 : 1)
