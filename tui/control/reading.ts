import type { Attached } from '../../client/resident/attach.ts'
import type { ErrorBody } from '../../protocol/errors.ts'
import { type Need, nameOfNeed, type Read, type Reads } from '../model/reads.ts'

/** Answers that are kept (count): those of some pages, and the versions around a place in a history. */
const MAX_READS = 200
/** Commands that run at a time (count). */
const MAX_RUNNING = 4

/** Runs the commands whose answers the open page shows, each once until its stamp is another. */
export class Reading {
  reads: Reads = new Map()
  readonly #attached: Pick<Attached, 'run'>
  readonly #onRead: (reads: Reads) => void
  #needs: readonly Need[] = []
  readonly #running = new Set<string>()
  /** The command that waits for its time. */
  #waiting: { name: string; timer: NodeJS.Timeout } | null = null
  #isClosed = false

  constructor(attached: Pick<Attached, 'run'>, onRead: (reads: Reads) => void) {
    this.#attached = attached
    this.#onRead = onRead
  }

  /** The first of them are read first. */
  want(needs: readonly Need[]): void {
    this.#needs = needs
    const late = needs.find(({ afterMs }) => afterMs !== undefined)
    if (late === undefined || nameOfNeed(late.argv) !== this.#waiting?.name) this.#stopWaiting()
    for (const need of needs) {
      if (this.#running.size >= MAX_RUNNING) return
      const name = nameOfNeed(need.argv)
      const read = this.reads.get(name)
      const isFresh = read !== undefined && read.stamp === (need.stamp ?? '')
      if (isFresh || this.#running.has(name)) continue
      if (need.afterMs === undefined) void this.#run(need, name)
      else this.#wait(need, name, need.afterMs)
    }
  }

  /** Has commands run again whose answers may be others by now, and those that failed. Until then the old ones stay. */
  refresh(): void {
    const lasting = [...this.reads].map(([name, read]): [string, Read] =>
      read.stamp === '' ? [name, read] : [name, { ...read, stamp: `${read.stamp}?` }],
    )
    this.#see(new Map(lasting.filter(([, { error }]) => error === null)))
  }

  close(): void {
    this.#isClosed = true
    this.#stopWaiting()
  }

  /** At most one command waits: typing on makes the answer to earlier words useless. */
  #wait(need: Need, name: string, ms: number): void {
    if (this.#waiting !== null) return
    const timer = setTimeout(() => {
      this.#waiting = null
      void this.#run(need, name)
    }, ms)
    this.#waiting = { name, timer }
  }

  #stopWaiting(): void {
    if (this.#waiting !== null) clearTimeout(this.#waiting.timer)
    this.#waiting = null
  }

  async #run({ argv, stamp = '' }: Need, name: string): Promise<void> {
    this.#running.add(name)
    const { code, data, error } = await this.#attached.run(argv)
    this.#running.delete(name)
    if (this.#isClosed) return
    const failed = code === 0 ? null : (error ?? NO_ANSWER)
    const reads = new Map(this.reads)
    reads.delete(name)
    reads.set(name, { stamp, data, error: failed })
    for (const oldest of reads.keys()) {
      if (reads.size <= MAX_READS) break
      reads.delete(oldest)
    }
    this.#see(reads)
  }

  #see(reads: Reads): void {
    this.reads = reads
    this.#onRead(reads)
    this.want(this.#needs)
  }
}

const NO_ANSWER: ErrorBody = {
  ...{ code: 'bug', message: 'the command ended without an answer', hint: '', retryable: true },
}
