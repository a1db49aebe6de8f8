import { setTimeout as pause } from 'node:timers/promises'
import { sync } from '../ops/commands.ts'
import { makeWorkspaces, type ServerAt } from '../server.ts'
import type { Fault } from './faults.ts'
import { Load, problemsOf, storedIn } from './load.ts'
import { Cluster, type ClusterOptions } from './processes.ts'
import { Talkers, wrongMessages } from './talkers.ts'

export interface RunOptions extends ClusterOptions {
  workspaces: number
  writers: number
  pauseMs: number
  faults: readonly Fault[]
  /** Also stock clients and links, which give back what a server lost. */
  hasOthers: boolean
  onStep?: (line: string) => void
}

/** The result of a run; see `problemsOf`. */
export interface Report {
  acknowledged: number
  shown: number
  grants: number
  messages: number
  lost: number
  lostShown: number
  twice: number
  /** Overlapping grants of tasks, and messages that did not come once. */
  wrong: string[]
  /** The longest silence per fault, over all workspaces (milliseconds). */
  silence: { fault: string; longest: number; median: number }[]
  /** `clawlink-sync verify` finds nothing wrong. */
  isWell: boolean
  /** Close codes and HTTP statuses that clients saw (counts). */
  troubles: Record<string, number>
}

/** Attempts to read a workspace (count), and the time between two (milliseconds): a busy server may lose its lease. */
const READ_TRIES = 10
const READ_MS = 1_000

/** The ids in each workspace. A connection that the server ends is followed by another one; its log tells why. */
const readAll = async (
  { url, log }: ServerAt,
  workspaces: readonly string[],
  onStep: (line: string) => void,
): Promise<Map<string, string[]>> => {
  const stored = new Map<string, string[]>()
  for (const workspace of workspaces) {
    for (let tries = 1; !stored.has(workspace); tries++) {
      try {
        stored.set(workspace, await storedIn(url, workspace))
      } catch (error) {
        onStep(`${workspace} was not read, attempt ${tries}: ${(error as Error).message}\n${log()}`)
        if (tries === READ_TRIES) throw error
        await pause(READ_MS)
      }
    }
  }
  return stored
}

/** Starts a cluster and its clients, lets the faults happen one after the other, and looks for what is missing. */
export const runCluster = async (options: RunOptions): Promise<Report> => {
  const { workspaces: count, writers, pauseMs, faults, hasOthers, onStep = () => {} } = options
  const cluster = await Cluster.start(options)
  const { url } = cluster.balancer
  const workspaces = Array.from({ length: count }, (_, n) => `w${n}`)
  try {
    await makeWorkspaces(url, ...workspaces)
    const load = new Load({ url, workspaces, writers, pauseMs, hasStock: hasOthers })
    await load.start()
    const talkers = hasOthers ? new Talkers(300) : null
    await talkers?.start(url, workspaces[0]!)
    await pause(3_000)
    const silence: Report['silence'] = []
    for (const fault of faults) {
      const since = performance.now()
      await fault.run(cluster)
      const sorted = [...load.silence(since).values()].sort((a, b) => a - b)
      const [longest, median] = [sorted.at(-1)!, sorted[Math.floor(sorted.length / 2)]!]
      silence.push({ fault: fault.name, longest, median })
      onStep(`${fault.name}: longest silence ${longest} ms, median of workspaces ${median} ms`)
    }
    await talkers?.stop(20_000)
    await load.stop()
    const reader = await cluster.readBack()
    const stored = await readAll(reader, workspaces, onStep)
    await reader.stop()
    const verified = await sync('verify', '--data', reader.data)
    const isWell = verified.stdout.includes('all well')
    if (!isWell) onStep(`verify: ${verified.stdout}${verified.stderr}`)
    const { grants: wrongGrants, ...missing } = problemsOf(load.seen, stored)
    const { acked, shown, grants, troubles } = load.seen
    const sum = (all: Iterable<{ size: number }>) => [...all].reduce((n, { size }) => n + size, 0)
    return {
      ...{ acknowledged: sum(acked.values()), shown: sum(shown.values()), grants: grants.length },
      messages: talkers?.talk.sent.length ?? 0,
      ...missing,
      wrong: [...wrongGrants, ...(talkers === null ? [] : wrongMessages(talkers.talk))],
      silence,
      isWell,
      troubles: Object.fromEntries(troubles),
    }
  } finally {
    await cluster.stop()
  }
}
