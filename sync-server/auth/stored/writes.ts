import { Mutex } from '../../../lib/mutex.ts'
import type { Op } from '../../storage/integrity/level-keys.ts'
import type { FactLog } from '../../storage/update-log.ts'

/** A change of stored state: `ops` store it, `apply` changes the memory once they are on disk. */
export interface Change {
  ops: readonly Op[]
  apply: () => void
}

/**
 * Makes changes one after the other, so that each is checked against the state on disk. Memory changes after the disk:
 * a change that could not be stored has no effect.
 */
export class Writes {
  readonly #log: FactLog
  readonly #mutex = new Mutex()

  constructor(log: FactLog) {
    this.#log = log
  }

  /** Runs `work` once all earlier work is done. */
  readonly turn = <T>(work: () => Promise<T>): Promise<T> => this.#mutex.run(work)

  /** Stores changes together, then makes them so in memory. Belongs into a turn. */
  async write(...changes: readonly Change[]): Promise<void> {
    await this.#log.put(changes.flatMap(({ ops }) => ops))
    for (const { apply } of changes) apply()
  }
}
