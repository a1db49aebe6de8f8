import { ClawError } from '../../protocol/errors.ts'

/** Whom a connection counts for; null where that is not known. */
export interface Caller {
  address: string
  agent: string | null
  workspace: string
}

/** How many may be open at a time (count). */
export interface DoorLimits {
  all: number
  address: number
  agent: number
  workspace: number
}

/**
 * Counts who is in, and lets nobody in beyond the limits: one who opens connection after connection takes no place but his
 * own away.
 */
export class ConnectionLimits {
  readonly #limits: DoorLimits
  readonly #inside = new Map<string, number>()

  constructor(limits: DoorLimits) {
    this.#limits = limits
  }

  /** Lets a connection in; what it returns lets it out. Throws `too_many`, which says of what. */
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
    for (const [, key] of counts) this.#inside.set(key, this.count(key) + 1)
    let isIn = true
    return () => {
      if (!isIn) return
      isIn = false
      for (const [, key] of counts) {
        const left = this.count(key) - 1
        if (left > 0) this.#inside.set(key, left)
        else this.#inside.delete(key)
      }
    }
  }

  /** How many are in for a key: `all`, `address A`, `workspace W`, `agent W A`. */
  count(key: string): number {
    return this.#inside.get(key) ?? 0
  }
}
