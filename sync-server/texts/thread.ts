import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { type Answered, type Asked, runJob, type Texts } from './jobs.ts'

/** Below the server itself: who asked waits, and others do not. */
const NICENESS = 10

// The program of the thread in which long texts are compared.
try {
  const [, thread] = /\/task\/(\d+)$/.exec(readlinkSync('/proc/thread-self')) ?? []
  if (thread !== undefined) setPriority(Number(thread), NICENESS)
} catch {
  // Not every system has priorities of threads.
}
parentPort?.on('message', ({ number, name, texts }: Asked) => {
  const began = performance.now()
  const found = runJob(name, texts as Texts<typeof name>)
  parentPort?.postMessage({ number, found, ms: performance.now() - began } satisfies Answered)
})
