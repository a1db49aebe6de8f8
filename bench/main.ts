import { loadavg } from 'node:os'
import { abuse } from './abuse.ts'
import { authorship } from './authorship.ts'
import { awareness } from './awareness.ts'
import { budgets } from './budgets.ts'
import { busyCommit } from './busy-commit.ts'
import { churn } from './churn.ts'
import { cliStart } from './cli-start.ts'
import { coldLoad } from './cold-load.ts'
import { crash } from './crash.ts'
import { durableWrite } from './durable-write.ts'
import { economy } from './economy.ts'
import { fanout } from './fanout.ts'
import { filePut } from './file-put.ts'
import { find } from './find.ts'
import { herd } from './herd.ts'
import { joins } from './joins.ts'
import { linkMemory } from './link-memory.ts'
import { mcp } from './mcp.ts'
import { mirror } from './mirror.ts'
import { nodes } from './nodes.ts'
import { type Findings, store, writePage } from './report.ts'
import { rooms } from './rooms.ts'
import { tasks } from './tasks.ts'
import { tui } from './tui.ts'
import { wake } from './wake.ts'

/** In the order of the page. */
const BENCHMARKS: Record<string, (log: (line: string) => void) => Promise<Findings>> = {
  fanout,
  rooms,
  joins,
  churn,
  awareness,
  'cold-load': coldLoad,
  'busy-commit': busyCommit,
  'durable-write': durableWrite,
  crash,
  'cli-start': cliStart,
  mcp,
  wake,
  economy,
  herd,
  'link-memory': linkMemory,
  'file-put': filePut,
  mirror,
  tasks,
  tui,
  abuse,
  authorship,
  find,
  budgets,
  nodes,
}

const names = Object.keys(BENCHMARKS)
const wanted = process.argv.length > 2 ? process.argv.slice(2) : names

const runOne = async (name: string): Promise<void> => {
  const started = performance.now()
  const [loadBefore] = loadavg()
  const findings = await BENCHMARKS[name]!((line) => console.log(`  ${line}`))
  store(name, findings, loadBefore!)
  writePage(names)
  for (const { claim, measured, passed } of findings.targets) {
    console.log(`  ${passed ? 'pass' : 'FAIL'}: ${claim}: ${measured}`)
  }
  console.log(`${name}: ${Math.round((performance.now() - started) / 1_000)} s`)
}

const run = async (): Promise<void> => {
  const unknown = wanted.filter((name) => !names.includes(name))
  if (unknown.length > 0) {
    throw new Error(`no benchmark ${unknown.join(', ')}; there are ${names.join(', ')}`)
  }
  for (const name of wanted) {
    try {
      await runOne(name)
    } catch (error) {
      console.error(`${name}: failed, its section stays as it was`, error)
      process.exitCode = 1
    }
  }
}

await run()
// What a failed one has left running must not keep this one.
process.exit()
