/** Longer than all that a healthy server takes, on a machine with other work (milliseconds). */
const PATIENCE_MS = 180_000

/** The result of `work`; rejects where nothing comes of it: what was waited for is in the error. */
export const within = async <T>(what: string, work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`stands still: ${what}`)
    timer = setTimeout(() => reject(error), PATIENCE_MS)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
