import { setTimeout as sleep } from 'node:timers/promises'
import { cpuSeconds, serveJobs } from './programs.ts'
import type { Screen } from './screen.ts'
import { openDesk, timeKey } from './tui-desk.ts'

/** One side of `bench/tui-before.ts`. */
export type TuiJob =
  /** Opens the workspace in a new terminal. */
  | { do: 'start' }
  /** Types keys into the open file while the agents work. */
  | { do: 'keys'; count: number }
  /** Ends all processes of this side. */
  | { do: 'end' }

export interface TuiResult {
  /** Of each start, or key (milliseconds). */
  ms: number[]
  /** CPU that `clawlink` took meanwhile, of keys only (milliseconds). */
  cpu: number
}

/** Before the first key the agents work for this long, and between two keys nobody types (milliseconds). */
const WARM = 500
const REST = 60

const desk = await openDesk()
let screen: Screen | null = null

serveJobs<TuiJob, TuiResult>(async (job) => {
  if (job.do === 'start') return { ms: [await desk.start()], cpu: 0 }
  if (job.do === 'end') {
    screen?.close()
    await desk.close()
    return { ms: [], cpu: 0 }
  }
  if (screen === null) {
    screen = await desk.openUi()
    await desk.openFile(screen)
  }
  const rest = desk.work()
  await sleep(WARM)
  const before = cpuSeconds(screen.pid) ?? 0
  const ms: number[] = []
  for (let i = 0; i < job.count; i++) {
    ms.push(await timeKey(screen))
    await sleep(REST)
  }
  rest()
  return { ms, cpu: ((cpuSeconds(screen.pid) ?? 0) - before) * 1_000 }
})
