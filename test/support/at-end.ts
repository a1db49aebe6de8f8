const ends: (() => void)[] = []
let isHooked = false

/** Runs everything that is to end, the newest first; each once. */
export const endAll = (): void => {
  for (const end of ends.splice(0).reverse()) end()
}

/**
 * Does something when the test file is done, or this process is where no test runs it. A worker of
 * vitest is ended from outside, so `exit` alone would leave the processes of tests behind.
 */
export const atEnd = (end: () => void): void => {
  if (!isHooked) process.once('exit', endAll)
  isHooked = true
  ends.push(end)
}
