import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { clawlink } from './contenders.ts'
import { type Home, newHome } from './homes.ts'
import { program, tempDir } from './programs.ts'
import { type Findings, milliseconds, spread, times } from './report.ts'
import { pairedRatio } from './stats.ts'

const RUNS = 31
/** First answer of `mcp` over that of `prime`. */
const LIMIT = 1.3
/** Links that are started anew, for their first client (count). */
const FRESH = 7
/** Interval of looks whether a link has loaded the SDK, in milliseconds. */
const LOOK_MS = 20

const INITIALIZE = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'bench', version: '1' },
}
const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': INITIALIZE.clientInfo,
  'io.modelcontextprotocol/clientCapabilities': {},
}
const request = (method: string, params: object): string =>
  `${JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })}\n`

/** A process, and what it is told when it starts; it answers with its first output. */
interface Start {
  name: string
  args: readonly string[]
  stdin: string
  ms: number[]
}

/** Time from spawn to the first output, in milliseconds; without output, to the end. */
const time = async ({ args, stdin }: Start, env: NodeJS.ProcessEnv): Promise<number> => {
  const began = performance.now()
  const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.on('error', () => {}) // it need not read
  if (stdin !== '') child.stdin.write(stdin)
  const exit = once(child, 'exit')
  const ms = await Promise.race([once(child.stdout, 'data'), exit]).then(
    () => performance.now() - began,
  )
  child.stdin.end()
  child.stdout.resume()
  await exit
  return ms
}

const starts = (): Start[] => {
  const agent = program('clawlink-agent')
  const mcp = (name: string, stdin: string): Start => ({
    ...{ name: `\`mcp\`, ${name}`, args: [agent, 'mcp'], stdin, ms: [] },
  })
  return [
    { name: '`node -e 0`', args: ['-e', '0'], stdin: '', ms: [] },
    { name: '`prime`', args: [agent, 'prime'], stdin: '', ms: [] },
    mcp('2025-11-25, `initialize`', request('initialize', INITIALIZE)),
    mcp('2026-07-28, `server/discover`', request('server/discover', { _meta: META })),
    mcp('2026-07-28, `tools/list`', request('tools/list', { _meta: META })),
  ]
}

/** The first client of a link, which has loaded the SDK at its start as an earlier one had a client. */
const firstClient = async (home: Home, start: Start): Promise<number[]> => {
  const found: number[] = []
  for (let run = 0; run < FRESH; run++) {
    await home.end('SIGTERM')
    await home.up()
    await home.ask('prime')
    const log = join(home.dir, 'link.log')
    const isLoaded = () => readFileSync(log, 'utf8').split('MCP is loaded').length > run + 1
    while (!isLoaded()) await sleep(LOOK_MS)
    found.push(await time(start, home.env))
  }
  return found
}

export const mcp = async (log: (line: string) => void): Promise<Findings> => {
  const server = await clawlink.start(tempDir())
  const home = newHome(server.port)
  const all = starts()
  const [node, prime, ...served] = all
  let first: number[]
  try {
    await home.up()
    await home.ask('register', '--name', 'bench')
    // The first time does not count.
    for (let run = -1; run < RUNS; run++) {
      for (const start of all) {
        const took = await time(start, home.env)
        if (run >= 0) start.ms.push(took)
      }
    }
    first = await firstClient(home, served[0]!)
  } finally {
    await home.end('SIGKILL')
    await server.kill()
  }
  const rows = all.map(({ name, ms }) => [
    name,
    spread(ms, milliseconds),
    times(pairedRatio(ms, node!.ms)),
    times(pairedRatio(ms, prime!.ms)),
  ])
  const newest = 'the same, first client of a link'
  rows.push([newest, spread(first, milliseconds), times(pairedRatio(first, node!.ms)), '–'])
  for (const row of rows) log(row.join(' · '))
  return {
    title: 'MCP start',
    method: METHOD,
    tables: [
      { caption: `${RUNS} runs`, head: ['', 'ms', 'over `node -e 0`', 'over `prime`'], rows },
    ],
    targets: served.map(({ name, ms }) => {
      const ratio = pairedRatio(ms, prime!.ms)
      const claim = `${name}: first answer ≤ ${LIMIT} × of \`prime\`’s`
      return { claim, measured: times(ratio), passed: ratio <= LIMIT }
    }),
    samples: Object.fromEntries([
      ...all.map(({ name, ms }) => [`${name}, ms`, ms] as const),
      [`${newest}, ms`, first],
    ]),
  }
}

const METHOD = `Time from the spawn of the process to its first output, of \`prime\` and of \`clawlink-agent mcp\`, whose stdin
has a request at once, by a link that runs and has had a client; \`node -e 0\` to its end. Ratios are of the same round.
A link loads the SDK at its start where an
earlier one had a client.`
