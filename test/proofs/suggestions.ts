import {
  type HttpOutcome,
  runByHttp,
  suggesters,
} from '../support/http-agents/suggestions-by-http.ts'
import { startServer } from '../support/server.ts'
import { type Outcome, runSuggestions } from '../support/workspace/suggestion-runs.ts'

/**
 * Random histories of suggestions by six agents: of the functions, and then over HTTP on a real server, where the six work at the
 * same time, and several histories as well, each in a file of its own. `npm run proof -- suggestions [RUNS [SEED]]`.
 */
const [runs = 1_000, seed = 1] = process.argv.slice(2).map(Number)
/** Histories over HTTP at the same time (count): they share commits. */
const LANES = 8
/** Progress is told this often (milliseconds). */
const TELL_MS = 15_000

const proven = async <O extends { broken: string[] }>(
  what: string,
  lanes: number,
  run: (seed: number) => O | Promise<O>,
): Promise<void> => {
  const total: Record<string, number> = {}
  const began = performance.now()
  let [next, done, broken, told] = [0, 0, 0, began]
  const lane = async (): Promise<void> => {
    while (next < runs) {
      const own = seed + next++
      const { broken: rules, ...counts } = await run(own)
      for (const [name, count] of Object.entries(counts)) {
        total[name] = (total[name] ?? 0) + Number(count)
      }
      done++
      if (rules.length > 0) {
        broken++
        console.log(`seed ${own}:`, rules.slice(0, 5))
      }
      if (performance.now() - told < TELL_MS) continue
      told = performance.now()
      console.log(
        `${Math.round((told - began) / 1000)} s: ${done} histories, ${broken} broke a rule`,
      )
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  const seconds = Math.round((performance.now() - began) / 1000)
  console.log(
    `${what}: ${done} histories from seed ${seed} in ${seconds} s, ${broken} broke a rule:`,
    total,
  )
  if (broken > 0) process.exitCode = 1
}

await proven<Outcome>('functions', 1, runSuggestions)
/** No agent of this proof is a case of a limit. */
const limits = ['requests', 'work', 'messages', 'bytes'].map((name) => `${name}=999999999`).join()
const server = await startServer({ args: ['--log-level', 'error', '--limit', limits] })
const agents = await suggesters(server)
await proven<HttpOutcome>('HTTP', LANES, (one) => runByHttp(server, agents, one))
await server.stop()
process.exit()
