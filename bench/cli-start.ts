import { spawnSync } from 'node:child_process'
import { clawlink } from './contenders.ts'
import { childEnv, program, tempDir } from './programs.ts'
import { type Findings, milliseconds, spread, times } from './report.ts'
import { pairedRatio } from './stats.ts'

const RUNS = 21

interface Command {
  name: string
  args: string[]
  ms: number[]
}

/** Wall time of one process, from spawn to exit; throws if it fails. */
const time = (args: readonly string[], env: NodeJS.ProcessEnv): number => {
  const start = performance.now()
  const { status, stderr } = spawnSync(process.execPath, [...args], { env, encoding: 'utf8' })
  const ms = performance.now() - start
  if (status !== 0) throw new Error(`node ${args.join(' ')} exited with ${status}: ${stderr}`)
  return ms
}

export const cliStart = async (log: (line: string) => void): Promise<Findings> => {
  const agent = program('clawlink-agent')
  const server = await clawlink.start(tempDir())
  const home = tempDir()
  const env = { ...childEnv, CLAWLINK_HOME: home }
  const baseline: Command = { name: 'node -e 0', args: ['-e', '0'], ms: [] }
  const commands: Command[] = [
    baseline,
    { name: 'clawlink-agent --version', args: [agent, '--version'], ms: [] },
    { name: 'clawlink-agent discover', args: [agent, 'discover'], ms: [] },
  ]
  try {
    const relay = `http://127.0.0.1:${server.port}`
    time([agent, '--relay', relay, 'register', '--name', 'bench', '--caps', 'none'], env)
    for (let run = -1; run < RUNS; run++) {
      for (const command of commands) {
        const ms = time(command.args, env)
        if (run >= 0) command.ms.push(ms)
      }
    }
  } finally {
    await server.kill()
  }
  const rows = commands.map(({ name, ms }) => [
    `\`${name}\``,
    spread(ms, milliseconds),
    times(pairedRatio(ms, baseline.ms)),
  ])
  for (const row of rows) log(row.join(' · '))
  return {
    title: 'CLI start',
    method: METHOD,
    tables: [{ caption: `${RUNS} runs`, head: ['', 'ms', 'over `node -e 0`'], rows }],
    targets: [],
    samples: Object.fromEntries(commands.map(({ name, ms }) => [`${name}, ms`, ms])),
  }
}

const METHOD = `Wall time of a whole process, from spawn to exit, NODE_EXTRA_CA_CERTS unset. \`discover\` asks a running
server in a workspace of one agent, from a profile that has been there before.`
