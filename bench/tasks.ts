import { race, runRace } from '../test/support/claim-race.ts'
import { ownerToken, setToken } from '../test/support/server.ts'
import { clawlink } from './contenders.ts'
import { bundle, startServer, tempDir } from './programs.ts'
import { type Findings, integer, milliseconds, spread, times } from './report.ts'
import { pairedRatio, quantile } from './stats.ts'

const ROUNDS = 3
const PROCESSES = 50
const TASKS = 1_000

interface Figures {
  name: string
  perSecond: number[]
  p50: number[]
  p99: number[]
}

const figures = (name: string): Figures => ({ name, perSecond: [], p50: [], p99: [] })
const add = (to: Figures, times: number[], took: number): void => {
  to.perSecond.push(times.length / (took / 1000))
  to.p50.push(quantile(times, 0.5))
  to.p99.push(quantile(times, 0.99))
}

export const tasks = async (log: (line: string) => void): Promise<Findings> => {
  const ours = figures('clawlink-sync, claim --next')
  const floor = figures('floor: HTTP and one fsync’d put')
  let wrong = 0
  for (let round = 0; round < ROUNDS; round++) {
    const data = tempDir()
    const server = await clawlink.start(data)
    setToken(server.port, ownerToken(data))
    const url = `http://127.0.0.1:${server.port}`
    const sync = `ws://127.0.0.1:${server.port}/sync`
    const found = await runRace({ url, sync }, { processes: PROCESSES, tasks: TASKS })
    await server.kill()
    const once = JSON.stringify(found.claimed) === JSON.stringify(found.tasks)
    if (!once || found.left > 0) wrong++
    add(ours, found.times, found.took)
    const bare = await startServer([await bundle('peers/put-each.ts'), tempDir(), String(TASKS)])
    const { outcomes, took } = await race(`http://127.0.0.1:${bare.port}`, 'race', PROCESSES)
    await bare.kill()
    add(
      floor,
      outcomes.flatMap(({ times }) => times),
      took,
    )
    log(
      `round ${round + 1}: ${integer(ours.perSecond.at(-1)!)} over ${integer(floor.perSecond.at(-1)!)} commands/s`,
    )
  }
  const all = [ours, floor]
  const rows = all.map(({ name, perSecond, p50, p99 }) => [
    name,
    spread(perSecond, integer),
    spread(p50, milliseconds),
    spread(p99, milliseconds),
  ])
  const ratio = (name: 'perSecond' | 'p50' | 'p99') => times(pairedRatio(ours[name], floor[name]))
  rows.push(['clawlink-sync over the floor', ratio('perSecond'), ratio('p50'), ratio('p99')])
  return {
    title: 'Claiming tasks',
    method: METHOD,
    tables: [{ caption: `${ROUNDS} rounds`, head: ['', 'commands/s', 'p50, ms', 'p99, ms'], rows }],
    targets: [
      {
        claim: `${PROCESSES} processes, ${TASKS} tasks: each granted once, none left, none twice`,
        measured: `${ROUNDS - wrong} of ${ROUNDS} rounds`,
        passed: wrong === 0,
      },
    ],
    samples: Object.fromEntries(
      all.flatMap(({ name, perSecond, p50, p99 }) => [
        [`${name}, commands/s`, perSecond],
        [`${name}, p50, ms`, p50],
        [`${name}, p99, ms`, p99],
      ]),
    ),
  }
}

const METHOD = `${PROCESSES} processes, each an agent of its own, claim the next of ${TASKS} open tasks, one command at a time and
with a connection of its own each, until there is none, all beginning together; they use the HTTP client of \`clawlink-agent\`.
A command is answered once the grant is fsync'd. The floor, in the same rounds and with the same processes: an HTTP
server that hands out numbers, and answers once a put of its own is fsync'd, those that come meanwhile in one batch. All processes
share the machine's cores with the server: most of the time is theirs.`
