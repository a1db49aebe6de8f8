/** Wraps a function; `spent` gets the milliseconds of each call. */
export const timed =
  <A extends unknown[], T>(spent: (ms: number) => void, run: (...given: A) => T) =>
  (...given: A): T => {
    const began = performance.now()
    try {
      return run(...given)
    } finally {
      spent(performance.now() - began)
    }
  }
