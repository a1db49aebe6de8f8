import type { Logger } from 'pino'
import { ClawError } from '../../protocol/errors.ts'
import type { NodeHoldings } from './node-holdings.ts'

/** Between two looks for workspaces that nobody uses (milliseconds). */
const IDLE_LOOK_MS = 60_000

/**
 * Gives all workspaces of a node to the others, several at a time, and claims none from then on. Returns the counts of those
 * given up, and of those that it keeps as no other node is up. Throws `usage` for a single server.
 */
export const drain = async (
  holdings: NodeHoldings | null,
  log: Logger,
): Promise<{ given_up: number; kept: number }> => {
  if (holdings === null) {
    throw new ClawError(
      'usage',
      'this server is not a node of a cluster',
      'stop it with SIGTERM; nodes are started with --node-url',
    )
  }
  const { all } = holdings
  log.info({ workspaces: all.length }, 'draining')
  const kept = await holdings.drain(all)
  log.info({ kept }, 'drained')
  return { given_up: Math.max(0, all.length - kept), kept }
}

/**
 * Gives up workspaces that nobody has used from one look to the next, and that another node should own: after a restart
 * the nodes share them evenly again. It looks every `mostMs` at the latest (milliseconds). Returns a function that ends it.
 */
export const releaseIdle = (
  holdings: NodeHoldings,
  isUsed: (workspace: string) => boolean,
  log: Logger,
  mostMs: number,
): (() => void) => {
  let before: ReadonlySet<string> = new Set()
  const look = async (): Promise<void> => {
    const now = new Set(holdings.better(holdings.all.filter((name) => !isUsed(name))))
    const due = [...now].filter((name) => before.has(name))
    before = now
    for (const name of due) if (!isUsed(name)) await holdings.release(name)
  }
  const timer = setInterval(
    () => {
      look().catch((err) => log.warn({ err }, 'an idle workspace was not given up'))
    },
    Math.min(mostMs, IDLE_LOOK_MS),
  )
  return () => clearInterval(timer)
}
