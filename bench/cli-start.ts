import { spawnSync } from 'node:child_process'
import { clawlink } from './contenders.ts'
import { type Home, newHome } from './homes.ts'
import { childEnv, program, tempDir } from './programs.ts'
import { type Findings, milliseconds, spread, type Target, times } from './report.ts'
import { pairedRatio } from './stats.ts'

const RUNS = 31
/** What a verb through a running link may take of the time of `node -e 0`. */
const HOT_LIMIT = 1.4
/** Names another Node's binary, to measure with it, too. */
const NODE_24 = 'CLAWLINK_NODE24'

interface Command {
  name: string
  args: string[]
  env: NodeJS.ProcessEnv
  /** For this one there is a target. */
  isPromised?: true
  ms: number[]
}

/** The same commands on one Node; their link runs on it, too. */
interface Runtime {
  node: string
  version: string
  home: Home
  baseline: Command
  commands: Command[]
}

/** Wall time of one process, from spawn to exit; throws if it fails. */
const time = (node: string, { args, env }: Pick<Command, 'args' | 'env'>): number => {
  const start = performance.now()
  const { status, stderr } = spawnSync(node, args, { env, encoding: 'utf8' })
  const ms = performance.now() - start
  if (status !== 0) throw new Error(`node ${args.join(' ')} exited with ${status}: ${stderr}`)
  return ms
}

const versionOf = (node: string): string => {
  const { status, stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${node} is no Node`)
  return stdout.trim()
}

const commandsOn = (home: Home): Command[] => {
  const agent = program('clawlink-agent')
  const hot = (...args: string[]): Command => ({
    name: `\`clawlink-agent ${args[0]}\``,
    args: [agent, ...args],
    env: home.env,
    ms: [],
  })
  const alone = { ...home.env, CLAWLINK_HOME: tempDir(), CLAWLINK_LINK: 'off' }
  return [
    { name: '`node -e 0`', args: ['-e', '0'], env: childEnv, ms: [] },
    hot('--version'),
    { ...hot('discover'), isPromised: true },
    { ...hot('poll'), isPromised: true },
    hot('broadcast', '--content', 'all is well', '--reset-trace'),
    { ...hot('discover'), name: '`clawlink-agent discover` without a link', env: alone },
  ]
}

const newRuntime = async (node: string, port: number): Promise<Runtime> => {
  const home = newHome(port, node)
  await home.up()
  const commands = commandsOn(home)
  const [baseline] = commands
  const [, , , , hot, alone] = commands.map(({ env }) => env)
  const register = [program('clawlink-agent'), 'register', '--name', 'bench', '--caps', 'none']
  for (const env of [hot!, alone!]) time(node, { args: register, env })
  return { node, version: versionOf(node), home, baseline: baseline!, commands }
}

const targetsOf = ({ version, baseline, commands }: Runtime): Target[] =>
  commands
    .filter(({ isPromised }) => isPromised)
    .map(({ name, ms }) => {
      const ratio = pairedRatio(ms, baseline.ms)
      return {
        claim: `Node ${version}: ${name} ≤ ${HOT_LIMIT} × \`node -e 0\``,
        measured: times(ratio),
        passed: ratio <= HOT_LIMIT,
      }
    })

export const cliStart = async (log: (line: string) => void): Promise<Findings> => {
  const server = await clawlink.start(tempDir())
  const runtimes: Runtime[] = []
  const other = process.env[NODE_24]
  if (!other) log(`only on Node ${process.version}: ${NODE_24} names no other one`)
  try {
    for (const node of [process.execPath, ...(other ? [other] : [])]) {
      runtimes.push(await newRuntime(node, server.port))
    }
    // The first time does not count.
    for (let run = -1; run < RUNS; run++) {
      for (const { node, commands } of runtimes) {
        for (const command of commands) {
          const took = time(node, command)
          if (run >= 0) command.ms.push(took)
        }
      }
    }
  } finally {
    for (const { home } of runtimes) await home.end('SIGKILL')
    await server.kill()
  }
  const rows = runtimes.flatMap(({ version, baseline, commands }) =>
    commands.map(({ name, ms }) => [
      version,
      name,
      spread(ms, milliseconds),
      times(pairedRatio(ms, baseline.ms)),
    ]),
  )
  for (const row of rows) log(row.join(' · '))
  return {
    title: 'CLI start',
    method: METHOD,
    tables: [{ caption: `${RUNS} runs`, head: ['Node', '', 'ms', 'over `node -e 0`'], rows }],
    targets: runtimes.flatMap(targetsOf),
    samples: Object.fromEntries(
      runtimes.flatMap(({ version, commands }) =>
        commands.map(({ name, ms }) => [`${version}, ${name}, ms`, ms]),
      ),
    ),
  }
}

const METHOD = `Wall time of a whole process, from spawn to exit, NODE_EXTRA_CA_CERTS unset, in a workspace of a few
agents on a running server, from a profile that has been there before. The commands are answered by the resident link
of their home, except where it says that there is none. \`discover\` asks the server whether anything is new, \`poll\`
finds an empty inbox, and \`broadcast\` ends when the server has it on disk. The link runs on the same Node as its
commands.`
