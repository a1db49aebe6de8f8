const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A time span such as 90s, 30m, 2h, 7d, in milliseconds; null: it is none. */
export const parseSpan = (text: string): number | null => {
  const span = /^(\d{1,9})([smhd])$/.exec(text)
  return span === null ? null : Number(span[1]) * UNIT_MS[span[2] as keyof typeof UNIT_MS]
}

/** An ISO time in milliseconds since the epoch; NaN: it is none. */
export const parseIso = (text: string): number =>
  /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
