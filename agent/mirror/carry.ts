import { Budget, FULL } from './budget.ts'
import type { Folder, FolderChange } from './disk/folder.ts'
import { whyOf } from './disk/way.ts'
import type { DiskWrite } from './merge.ts'
import type { Overwritten } from './overwritten.ts'

/** Files written at a time (count). */
const WRITERS = 8

/** The result of a set of writes. */
export interface Carried {
  done: DiskWrite[]
  /**
   * The file or its mounts changed in the meantime, or git is about to change it: read it again.
   */
  late: string[]
  /** Refused paths, each with the cause. */
  refused: [string, string][]
}

/** Writes and removes files, as far as the budget allows. */
export class Carrier {
  readonly budget: Budget
  readonly #folder: Folder
  readonly #overwritten: Overwritten
  readonly #isBusy: (rel: string) => boolean

  /** `isBusy`: git would overwrite a file written now, as it has checked it already; or a mount would hide it. */
  constructor(
    folder: Folder,
    overwritten: Overwritten,
    isBusy: (rel: string) => boolean,
    maxBytes: number | undefined,
  ) {
    this.#folder = folder
    this.#overwritten = overwritten
    this.#isBusy = isBusy
    this.budget = new Budget(maxBytes)
  }

  /** Resolves once all writes survive a power failure. */
  async carry(writes: readonly DiskWrite[]): Promise<Carried> {
    const carried: Carried = { done: [], late: [], refused: [] }
    const left = writes.values()
    await Promise.all(
      Array.from({ length: Math.min(WRITERS, writes.length) }, async () => {
        for (const write of left) await this.#one(write, carried)
      }),
    )
    await this.#folder.flush(carried.done.map(({ rel }) => rel))
    return carried
  }

  async #one(write: DiskWrite, carried: Carried): Promise<void> {
    const { rel, text, expected } = write
    if (this.#isBusy(rel)) {
      carried.late.push(rel)
      return
    }
    const undo = this.budget.take(rel, text)
    if (undo === null) {
      carried.refused.push([rel, FULL])
      return
    }
    let change: FolderChange = { done: false }
    try {
      change =
        text === null
          ? this.#folder.remove(rel, expected!)
          : await this.#folder.replace(rel, text, expected, this.#isBusy)
      if (!change.done) carried.late.push(rel)
    } catch (error) {
      carried.refused.push([rel, whyOf(error)])
    }
    if (!change.done) return undo()
    if (expected !== null) this.#overwritten.add(rel, expected, change.old)
    carried.done.push(write)
  }
}
