const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b)

/** The value below which `part` (0–1) of the values lie, between neighbours interpolated. NaN for none. */
export const quantile = (values: readonly number[], part: number): number => {
  const all = sorted(values)
  const at = (all.length - 1) * part
  const below = all[Math.floor(at)] ?? Number.NaN
  const above = all[Math.ceil(at)] ?? below
  return below + (above - below) * (at - Math.floor(at))
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** Ratios of what was measured in the same round; their median shrugs off a machine that slows down meanwhile. */
export const pairedRatio = (of: readonly number[], over: readonly number[]): number =>
  median(of.slice(0, over.length).map((value, round) => value / over[round]!))

/** Deterministic numbers in [0, 1), so that every run and every contender gets the same work (mulberry32). */
export const seeded = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
}
