import type { ClawError } from '../../protocol/errors.ts'
import type { Target } from '../http/target.ts'

/** The credential that a session shows. A credential that has ended is never shown again. */
export class SessionCredential {
  readonly #target: Target
  /** The one that the last connection showed. */
  #shown: string | null = null
  #ended: { token: string | null; why: ClawError } | null = null

  constructor(target: Target) {
    this.#target = target
  }

  show(token: string | null): void {
    this.#shown = token
  }

  /** The shown credential has ended. */
  end(why: ClawError): void {
    this.#ended = { token: this.#shown, why }
  }

  /** Why nothing is dialled until there is another credential; null if it may be. */
  get ended(): ClawError | null {
    if (this.#ended !== null && this.#ended.token !== (this.#target.token?.() ?? null)) {
      this.#ended = null
    }
    return this.#ended?.why ?? null
  }
}
