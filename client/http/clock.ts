/** A difference as small as this (milliseconds) may be the way to the server and back: the clock counts as right. */
const RIGHT_MS = 5_000

/** From here on people are told that a clock is off (milliseconds). */
export const OFF_MS = 60_000

/**
 * Milliseconds by which the server's clock is ahead, from the `Date` of an answer received at
 * `now`; 0 if both agree or the answer has no date.
 */
export const clockOffset = (date: string | undefined, now: number): number => {
  const offset = Date.parse(date ?? '') - now
  return Math.abs(offset) > RIGHT_MS ? offset : 0
}
