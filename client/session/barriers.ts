import { AnswerWatch } from './answer-watch.ts'
import { barrierFrame } from './frames.ts'
import type { Provider } from './provider.ts'

/** The barriers of a session that have no answer yet. */
export class Barriers {
  readonly #provider: () => Provider
  readonly #watch: AnswerWatch
  readonly #awaited = new Set<number>()
  #nonce = 0

  constructor(beatMs: number, provider: () => Provider) {
    this.#provider = provider
    this.#watch = new AnswerWatch(beatMs, {
      socket: () => provider().socket,
      waits: () => this.#awaited.size > 0,
      dead: () => provider().hangUp(),
    })
  }

  get isEmpty(): boolean {
    return this.#awaited.size === 0
  }

  /** A new barrier, sent if `isReady`, else by `resend`. Returns a function that tells whether it was answered. */
  ask(isReady: boolean): () => boolean {
    const nonce = ++this.#nonce
    this.#awaited.add(nonce)
    if (isReady) this.#send(nonce)
    return () => !this.#awaited.has(nonce)
  }

  /** Sends all on a new connection. */
  resend(): void {
    for (const nonce of this.#awaited) this.#send(nonce)
  }

  answered(nonce: number): void {
    this.#awaited.delete(nonce)
    this.#watch.answered()
  }

  /** Time for the next handshake, at most `most` (milliseconds, both). */
  handshakeMs(most: number): number {
    return this.#watch.handshakeMs(most)
  }

  stop(): void {
    this.#watch.stop()
  }

  #send(nonce: number): void {
    this.#provider().send(barrierFrame(nonce))
    this.#watch.begin()
  }
}
