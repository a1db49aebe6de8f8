import { Mutex } from '../../../lib/mutex.ts'
import type { Op } from '../../storage/integrity/level-keys.ts'
import type { FactLog } from '../../storage/update-log.ts'

/** A change of what is kept: `ops` store it, `apply` makes it so in memory once they are on disk. */
export interface Change {
  ops: readonly Op[]
  apply: () => void
}

/**
 * Does changes one after the other, so that each is checked against what is on disk. Memory changes after the disk: what
 * could not be stored was never there.
 */
export class Writes {
  readonly #log: FactLog
  readonly #mutex = new Mutex()

  constructor(log: FactLog) {
    this.#log = log
  }

  /** Runs `work` once what was begun before is done. */
  readonly turn = <T>(work: () => Promise<T>): Promise<T> => this.#mutex.run(work)

  /** Stores changes together, then makes them so in memory. Belongs into a turn. */
  async write(...changes: readonly Change[]): Promise<void> {
    await this.#log.put(changes.flatMap(({ ops }) => ops))
    for (const { apply } of changes) apply()
  }
}
