/** A difference as small as this (milliseconds) may be the way to the server and back: the clock counts as right. */
const RIGHT_MS = 5_000

/** From here on people are told that a clock is off (milliseconds). */
export const OFF_MS = 60_000

/**
 * How far the server's clock is ahead of this machine's (milliseconds), by the `Date` of an answer that came at `now`; 0 where
 * both agree, or it says no time.
 */
export const clockOffset = (date: string | undefined, now: number): number => {
  const offset = Date.parse(date ?? '') - now
  return Math.abs(offset) > RIGHT_MS ? offset : 0
}
