import type { IncomingMessage } from 'node:http'
import type { ClawError } from '../../protocol/errors.ts'
import { CLOSE } from '../../protocol/frames.ts'
import type { AccessStore } from '../auth/store.ts'
import type { Metrics } from '../http/metrics.ts'
import type { Limiter } from '../limits/limiter.ts'
import { type Caller, nameOf, type Principal } from '../sync/principal.ts'
import type { Base } from './parts.ts'

/** Addresses remembered as locked out (count). */
const MAX_LOCKED = 10_000

interface IncidentsEnv extends Pick<Base, 'log' | 'now'> {
  metrics: Metrics
  limiter: Limiter
  access: AccessStore
}

/** Logs and counts misuse by clients, and throttles the clients responsible. */
export class Incidents {
  readonly #env: IncidentsEnv
  /** When each address that is locked out may try again (milliseconds since the epoch). */
  readonly #lockedUntil = new Map<string, number>()

  constructor(env: IncidentsEnv) {
    this.#env = env
  }

  /** Call when the server closes a connection for a message of `bytes`, or for unread data (0). */
  readonly closed = (code: number, reason: string, by: Principal, bytes = 0): void => {
    const { metrics, log, limiter } = this.#env
    metrics.closes.inc({ code })
    log.warn({ code, reason, by: nameOf(by) }, 'closing a connection')
    const isOffence = code !== CLOSE.slowReader && code !== CLOSE.full
    if (isOffence) limiter.offended(by, bytes)
  }

  /** Call when a client's message in another agent's name was rejected. */
  readonly forged = (by: Caller, workspace: string, what: string): void => {
    const { metrics, log, access } = this.#env
    log.warn({ by: nameOf(by), workspace, what }, 'rejected: in another name')
    metrics.forgeries.inc()
    access.refused(by, workspace, what)
  }

  /**
   * Call for a wrong credential. Returns the error to answer with if the address must wait, else
   * null. Of the attempts of a waiting address the first is noted.
   */
  readonly signInFailed = (request: IncomingMessage, why: ClawError): ClawError | null => {
    const { limiter, log, access, metrics, now } = this.#env
    const wait = limiter.failed(request, why)
    const address = limiter.addressOf(request)
    if (wait === null) {
      this.rejected(request, why)
      return null
    }
    metrics.signInFailures.inc({ reason: 'locked' })
    if (now() < (this.#lockedUntil.get(address) ?? 0)) return wait
    if (this.#lockedUntil.size >= MAX_LOCKED) this.#lockedUntil.clear()
    this.#lockedUntil.set(address, now() + (wait.retryAfter ?? 1) * 1_000)
    metrics.lockouts.inc()
    log.warn({ address, seconds: wait.retryAfter }, 'locked out: too many failed sign-ins')
    access.rejected('locked', address, `too many failed sign-ins from ${address}`)
    return wait
  }

  /** Call for a credential or invite that is not accepted, or has ended. */
  readonly rejected = (request: IncomingMessage, why: ClawError): void => {
    const { limiter, log, access, metrics } = this.#env
    const address = limiter.addressOf(request)
    metrics.signInFailures.inc({ reason: why.code })
    log.info({ address, why: why.message }, 'sign-in failed')
    access.rejected('rejected', address, why.message)
  }
}
