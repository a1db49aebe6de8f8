import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { clawlink } from './contenders.ts'
import { childEnv, program, tempDir } from './programs.ts'
import { type Findings, milliseconds, spread, times } from './report.ts'
import { pairedRatio } from './stats.ts'

const RUNS = 21

interface Command {
  name: string
  args: string[]
  env: NodeJS.ProcessEnv
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

/** Ends the resident process that a command of this home may have started. */
const endLink = (home: string): void => {
  const file = join(home, 'link.json')
  if (!existsSync(file)) return
  const { pid } = JSON.parse(readFileSync(file, 'utf8')) as { pid: number }
  process.kill(pid, 'SIGTERM')
}

export const cliStart = async (log: (line: string) => void): Promise<Findings> => {
  const agent = program('clawlink-agent')
  const server = await clawlink.start(tempDir())
  const relay = `http://127.0.0.1:${server.port}`
  const hot = { ...childEnv, CLAWLINK_HOME: tempDir() }
  const alone = { ...childEnv, CLAWLINK_HOME: tempDir(), CLAWLINK_LINK: 'off' }
  const baseline: Command = { name: '`node -e 0`', args: ['-e', '0'], env: hot, ms: [] }
  const commands: Command[] = [
    baseline,
    { name: '`clawlink-agent --version`', args: [agent, '--version'], env: hot, ms: [] },
    { name: '`clawlink-agent discover`', args: [agent, 'discover'], env: hot, ms: [] },
    { name: 'the same without a link', args: [agent, 'discover'], env: alone, ms: [] },
  ]
  try {
    for (const env of [hot, alone]) {
      time([agent, '--relay', relay, 'register', '--name', 'bench', '--caps', 'none'], env)
    }
    // The first time does not count.
    for (let run = -1; run < RUNS; run++) {
      for (const { args, env, ms } of commands) {
        const took = time(args, env)
        if (run >= 0) ms.push(took)
      }
    }
  } finally {
    endLink(hot.CLAWLINK_HOME)
    await server.kill()
  }
  const rows = commands.map(({ name, ms }) => [
    name,
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

const METHOD = `Wall time of a whole process, from spawn to exit, NODE_EXTRA_CA_CERTS unset. \`discover\` asks in a
workspace of two agents on a running server, from a profile that has been there before: once with the resident link
that the first command starts, once with \`CLAWLINK_LINK=off\`.`
