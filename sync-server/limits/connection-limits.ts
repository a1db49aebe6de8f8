import { ClawError } from '../../protocol/errors.ts'

/** The parties that a connection counts for; `agent` is null if it is unknown. */
export interface Caller {
  address: string
  agent: string | null
  workspace: string
}

/** The most connections open at once (count): in total, and per address, agent and workspace. */
export interface MaxConnections {
  all: number
  address: number
  agent: number
  workspace: number
}

/**
 * Counts open connections and rejects those beyond the limits. A peer that opens many connections
 * uses up only its own share.
 */
export class ConnectionLimits {
  readonly #limits: MaxConnections
  readonly #inside = new Map<string, number>()

  constructor(limits: MaxConnections) {
    this.#limits = limits
  }

  /**
   * Counts a new connection. Returns a function that releases it. Throws `too_many`, naming the
   * limit.
   */
  enter({ address, agent, workspace }: Caller): () => void {
    const counts = [
      ['the server', 'all', this.#limits.all],
      [`the address ${address}`, `address ${address}`, this.#limits.address],
      [`the workspace ${workspace}`, `workspace ${workspace}`, this.#limits.workspace],
    ] as [string, string, number][]
    if (agent !== null) {
      counts.push([`the agent ${agent}`, `agent ${workspace} ${agent}`, this.#limits.agent])
    }
    for (const [whose, key, limit] of counts) {
      if (this.count(key) < limit) continue
      throw new ClawError(
        'too_many',
        `${whose} has ${limit} connections, the most there may be`,
        'close some of them, or try again later',
      )
    }
    const keys = counts.map(([, key]) => key)
    for (const key of keys) this.#inside.set(key, this.count(key) + 1)
    let isIn = true
    return () => {
      if (!isIn) return
      isIn = false
      for (const key of keys) {
        const left = this.count(key) - 1
        if (left > 0) this.#inside.set(key, left)
        else this.#inside.delete(key)
      }
    }
  }

  /** Open connections of a key: `all`, `address A`, `workspace W` or `agent W A`. */
  count(key: string): number {
    return this.#inside.get(key) ?? 0
  }
}
