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

/** Logs and counts misuse by clients, and slows down whoever is responsible for it. */
export class Incidents {
  readonly #env: IncidentsEnv

  constructor(env: IncidentsEnv) {
    this.#env = env
  }

  /** The server closes a connection for a message of `bytes` (0: for what it did not read). */
  readonly closed = (code: number, reason: string, by: Principal, bytes = 0): void => {
    const { metrics, log, limiter } = this.#env
    metrics.closes.inc({ code })
    log.warn({ code, reason, by: nameOf(by) }, 'closing a connection')
    const isOffence = code !== CLOSE.slowReader && code !== CLOSE.full
    if (isOffence) limiter.offended(by, bytes)
  }

  /** A client spoke in another's name, and was rejected. */
  readonly forged = (by: Caller, workspace: string, what: string): void => {
    const { metrics, log, access } = this.#env
    log.warn({ by: nameOf(by), workspace, what }, 'rejected: in another name')
    metrics.forgeries.inc()
    access.refused(by, workspace, what)
  }

  /**
   * A credential was wrong. Returns the error to answer with where its address has to wait, else null. Attempts from an
   * address that has to wait are not logged.
   */
  readonly signInFailed = (request: IncomingMessage, why: ClawError): ClawError | null => {
    const wait = this.#env.limiter.failed(request, why)
    const { remoteAddress: address } = request.socket
    if (wait === null) this.#env.log.info({ address, why: why.message }, 'sign-in failed')
    return wait
  }
}
