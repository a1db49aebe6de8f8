import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { type Answered, type Found, type JobName, runJob, type Texts } from './jobs.ts'

/** Beside the server's own file, see scripts/build.mjs. */
const THREAD = 'clawlink-sync-texts.cjs'
/** An idle thread ends after this time (milliseconds), to free its memory. */
const IDLE_MS = 30_000
/** Heap of the thread (MiB): enough for the lines of the largest texts. A job that needs more runs without it. */
const HEAP_MIB = 512
/** Token comparisons without a thread (count): about 10 ms. The result is correct, but coarser. */
export const SHORT_STEPS = 500_000
/** Texts shorter than this in all (UTF-16 units) need no thread. */
const SHORT_TEXTS = 32 * 1024

export interface Done<N extends JobName> {
  found: Found<N>
  /** Thread time used (milliseconds). */
  ms: number
}

interface Waiting {
  name: JobName
  texts: Texts<JobName>
  resolve: (done: Done<JobName>) => void
}

/**
 * Compares long texts in a thread, one job at a time, so that only the caller waits. Without a thread the result is
 * coarser.
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
