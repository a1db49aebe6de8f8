import type { IncomingMessage } from 'node:http'
import type { ClawError } from '../../protocol/errors.ts'
import { CLOSE } from '../../protocol/frames.ts'
import type { AccessStore } from '../auth/store.ts'
import type { Metrics } from '../http/metrics.ts'
import type { Limiter } from '../limits/limiter.ts'
import { type Caller, nameOf, type Principal } from '../sync/principal.ts'
import type { Base } from './parts.ts'

interface IncidentsEnv extends Pick<Base, 'log'> {
  metrics: Metrics
  limiter: Limiter
  access: AccessStore
}

/** Logs and counts misuse by clients, and throttles the clients responsible. */
export class Incidents {
  readonly #env: IncidentsEnv

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
   * null. Attempts of a waiting address are not logged.
   */
  readonly signInFailed = (request: IncomingMessage, why: ClawError): ClawError | null => {
    const wait = this.#env.limiter.failed(request, why)
    const address = this.#env.limiter.addressOf(request)
    if (wait === null) this.#env.log.info({ address, why: why.message }, 'sign-in failed')
    return wait
  }
}
