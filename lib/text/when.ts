const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Parses a time span such as 90s, 30m, 2h, 7d to milliseconds; null: malformed. */
export const parseSpan = (text: string): number | null => {
  const span = /^(\d{1,9})([smhd])$/.exec(text)
  return span === null ? null : Number(span[1]) * UNIT_MS[span[2] as keyof typeof UNIT_MS]
}

/** Parses an ISO time to milliseconds since the epoch; NaN: malformed. */
export const parseIso = (text: string): number =>
  /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
