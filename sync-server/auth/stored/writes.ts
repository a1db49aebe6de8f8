import { Mutex } from '../../../lib/mutex.ts'
import type { Op } from '../../storage/integrity/level-keys.ts'
import type { FactLog } from '../../storage/update-log.ts'
import { secretOp } from './log.ts'

/** A change of stored state: `ops` store it, `apply` changes the memory once they are on disk. */
export interface Change {
  ops: readonly Op[]
  /** The workspaces of secrets from now on, by SHA-256 (hex); null: of none. */
  secrets?: readonly (readonly [hash: string, workspace: string | null])[]
  apply: () => void
}

/**
 * Makes changes one after the other, so that each is checked against the state on disk. Memory changes after the disk:
 * a change that could not be stored has no effect.
 */
export class Writes {
  readonly #log: FactLog
  readonly #hasIndex: boolean
  readonly #mutex = new Mutex()

  /** `hasIndex`: whether it is stored which workspace a secret is of. */
  constructor(log: FactLog, hasIndex: boolean) {
    this.#log = log
    this.#hasIndex = hasIndex
  }

  /** Runs `work` once all earlier work is done. */
  readonly turn = <T>(work: () => Promise<T>): Promise<T> => this.#mutex.run(work)

  /** Stores changes together, then makes them so in memory. Belongs into a turn. */
  async write(...changes: readonly Change[]): Promise<void> {
    const index = this.#hasIndex ? changes.flatMap(({ secrets = [] }) => secrets.map(secretOp)) : []
    await this.#log.put([...changes.flatMap(({ ops }) => ops), ...index])
    for (const { apply } of changes) apply()
  }
}
