import { ClawError } from '../../protocol/errors.ts'
import { hashOf, newSecret } from './stored/secrets.ts'

/** Lifetime of a ticket (ms). A ticket is in the URL of a WebSocket, which proxies log: it must be worthless soon. */
export const TICKET_MS = 60_000

/** Tickets of the owner that all nodes of a cluster share: one connects to any workspace, by any node. By their hashes. */
export interface SharedTickets {
  /** Keeps it for `ms` milliseconds. */
  add: (hash: string, ms: number) => Promise<void>
  has: (hash: string) => Promise<boolean>
  /** True for one caller, once. */
  take: (hash: string) => Promise<boolean>
}

/** Unused tickets. A ticket opens one WebSocket and nothing else. Only hashes are kept, in memory. */
export class Tickets {
  /** By the ticket's hash, oldest first. `holder`: the hash of the credential; null: the owner. */
  readonly #open = new Map<string, { holder: string | null; until: number }>()

  /** null: a single server, whose tickets are all here. */
  shared: SharedTickets | null = null

  /** Rejects with Unavailable. */
  async issue(holder: string | null, now: number): Promise<string> {
    for (const [hash, { until }] of this.#open) {
      if (until > now) break
      this.#open.delete(hash)
    }
    const ticket = newSecret('ticket')
    const isShared = holder === null && this.shared !== null
    if (isShared) await this.shared?.add(hashOf(ticket), TICKET_MS)
    else this.#open.set(hashOf(ticket), { holder, until: now + TICKET_MS })
    return ticket
  }

  /** Call before `holderOf`: another node may have issued the ticket. Rejects with Unavailable. */
  async find(ticket: string, now: number): Promise<void> {
    const hash = hashOf(ticket)
    if (this.shared === null || this.#open.has(hash) || !(await this.shared.has(hash))) return
    this.#open.set(hash, { holder: null, until: now + TICKET_MS })
  }

  /** Throws `unauthorized`. */
  holderOf(ticket: string, now: number): string | null {
    const found = this.#open.get(hashOf(ticket))
    if (found !== undefined && found.until > now) return found.holder
    throw wasUsed()
  }

  /** Call just before its WebSocket opens. Throws `unauthorized` if another node has opened one. Rejects with Unavailable. */
  async claim(ticket: string): Promise<void> {
    const hash = hashOf(ticket)
    if (this.shared === null || this.#open.get(hash)?.holder !== null) return
    if (await this.shared.take(hash)) return
    this.#open.delete(hash)
    throw wasUsed()
  }

  spend(ticket: string): void {
    this.#open.delete(hashOf(ticket))
  }
}

const wasUsed = (): ClawError =>
  new ClawError(
    'unauthorized',
    'the ticket was used, or has expired',
    'each WebSocket needs its own ticket: POST /api/ticket before each connect',
  )
