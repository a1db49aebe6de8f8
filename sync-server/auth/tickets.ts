import { ClawError } from '../../protocol/errors.ts'
import { hashOf, newSecret } from './stored/secrets.ts'

/** Lifetime of a ticket (ms). A ticket is in the URL of a WebSocket, which proxies log: it must be worthless soon. */
export const TICKET_MS = 60_000

/** Unused tickets. A ticket opens one WebSocket and nothing else. Only hashes are kept, in memory. */
export class Tickets {
  /** By the ticket's hash, oldest first. `holder`: the hash of the credential; null: the owner. */
  readonly #open = new Map<string, { holder: string | null; until: number }>()

  issue(holder: string | null, now: number): string {
    for (const [hash, { until }] of this.#open) {
      if (until > now) break
      this.#open.delete(hash)
    }
    const ticket = newSecret('ticket')
    this.#open.set(hashOf(ticket), { holder, until: now + TICKET_MS })
    return ticket
  }

  /** Throws `unauthorized`. */
  holderOf(ticket: string, now: number): string | null {
    const found = this.#open.get(hashOf(ticket))
    if (found !== undefined && found.until > now) return found.holder
    throw new ClawError(
      'unauthorized',
      'the ticket was used, or has expired',
      'each WebSocket needs its own ticket: POST /api/ticket before each connect',
    )
  }

  spend(ticket: string): void {
    this.#open.delete(hashOf(ticket))
  }
}
