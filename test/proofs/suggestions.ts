import {
  type HttpOutcome,
  runByHttp,
  suggesters,
} from '../support/http-agents/suggestions-by-http.ts'
import { startServer } from '../support/server.ts'
import { type Outcome, runSuggestions } from '../support/workspace/suggestion-runs.ts'

/**
 * Random histories of suggestions by six agents: of the functions, and then over HTTP on a real server, where the six work
 * at the same time. `npm run proof -- suggestions [RUNS [SEED]]`.
 */
const [runs = 1_000, seed = 1] = process.argv.slice(2).map(Number)

const proven = async <O extends { broken: string[] }>(
  what: string,
  run: (seed: number) => O | Promise<O>,
): Promise<void> => {
  const total: Record<string, number> = {}
  let broken = 0
  for (let i = 0; i < runs; i++) {
    const { broken: rules, ...counts } = await run(seed + i)
    for (const [name, count] of Object.entries(counts)) {
      total[name] = (total[name] ?? 0) + Number(count)
    }
    if (rules.length === 0) continue
    broken++
    console.log(`seed ${seed + i}:`, rules.slice(0, 5))
  }
  console.log(`${what}: ${runs} histories from seed ${seed}, ${broken} broke a rule:`, total)
  if (broken > 0) process.exitCode = 1
}

await proven<Outcome>('functions', runSuggestions)
/** No agent of this proof is a case of a limit. */
const limits = ['requests', 'work', 'messages', 'bytes'].map((name) => `${name}=999999999`).join()
const server = await startServer({ args: ['--log-level', 'error', '--limit', limits] })
const agents = await suggesters(server)
await proven<HttpOutcome>('HTTP', (one) => runByHttp(server, agents, one))
await server.stop()
process.exit()
