type End = () => unknown
const ends: End[] = []
let isHooked = false

/** Runs everything that is to end, the newest first; each once. */
export const endAll = async (): Promise<void> => {
  const running = ends.splice(0).reverse()
  await Promise.allSettled(running.map(async (end) => void (await end())))
}

/**
 * Does something when the test file is done, or this process is where no test runs it. A worker of
 * vitest is ended from outside, so `exit` alone would leave the processes of tests behind.
 */
export const atEnd = (end: End): void => {
  if (!isHooked) process.once('exit', () => void endAll())
  isHooked = true
  ends.push(end)
}
