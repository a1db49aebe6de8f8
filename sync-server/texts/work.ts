import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { type Answered, type Found, type JobName, runJob, type Texts } from './jobs.ts'

/** Beside the server's own file, see scripts/build.mjs. */
const THREAD = 'clawlink-sync-texts.cjs'
/** A thread that has nothing to do goes after so long (milliseconds): its memory is worth more. */
const IDLE_MS = 30_000
/** Of the thread's heap (MiB): lines of the largest texts fit. What needs more is done without it. */
const HEAP_MIB = 512
/** Token comparisons where there is no thread (count): some 10 ms. The result is right, and coarser. */
export const SHORT_STEPS = 500_000
/** Shorter texts (UTF-16 units, all together) are worth no thread. */
const SHORT_TEXTS = 32 * 1024

export interface Done<N extends JobName> {
  found: Found<N>
  /** What it took of a thread (milliseconds). */
  ms: number
}

interface Waiting {
  name: JobName
  texts: Texts<JobName>
  resolve: (done: Done<JobName>) => void
}

/**
 * Compares long texts in a thread of its own, one after the other, so that nobody waits for it but who asked. Where there is no
 * thread, or it ends, a coarser result is found without it.
 */
export class TextWork {
  readonly #file: string
  #worker: Worker | null = null
  #idle: NodeJS.Timeout | undefined
  readonly #waiting = new Map<number, Waiting>()
  #last = 0

  /** `file`: the thread's program. */
  constructor(file = join(__dirname, THREAD)) {
    this.#file = file
  }

  run<N extends JobName>(name: N, texts: Texts<N>): Promise<Done<N>> {
    if (texts.reduce((sum, { length }) => sum + length, 0) <= SHORT_TEXTS) {
      return Promise.resolve({ found: runJob(name, texts), ms: 0 })
    }
    const number = ++this.#last
    clearTimeout(this.#idle)
    return new Promise<Done<JobName>>((resolve) => {
      this.#waiting.set(number, { name, texts, resolve })
      this.#worker ??= this.#start()
      this.#worker.postMessage({ number, name, texts })
    }) as Promise<Done<N>>
  }

  #start(): Worker {
    const worker = new Worker(this.#file, { resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB } })
    worker.unref()
    worker.on('message', ({ number, ...done }: Answered) => {
      this.#waiting.get(number)?.resolve(done)
      this.#waiting.delete(number)
      if (this.#waiting.size === 0) this.#idle = setTimeout(() => this.close(), IDLE_MS).unref()
    })
    worker.on('error', () => {}) // it exits
    worker.once('exit', () => {
      if (this.#worker === worker) this.#worker = null
      if (this.#worker === null) this.#doWithout()
    })
    return worker
  }

  #doWithout(): void {
    const left = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { name, texts, resolve } of left) {
      resolve({ found: runJob(name, texts as Texts<typeof name>, SHORT_STEPS), ms: 0 })
    }
  }

  /** Ends the thread; what it was asked is found without it. */
  close(): void {
    clearTimeout(this.#idle)
    void this.#worker?.terminate()
  }
}
