import { ClawError } from '../../protocol/errors.ts'

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A time span such as 90s, 30m, 2h, 7d, in milliseconds; null: it is none. */
export const parseSpan = (text: string): number | null => {
  const span = /^(\d{1,9})([smhd])$/.exec(text)
  return span === null ? null : Number(span[1]) * UNIT_MS[span[2] as keyof typeof UNIT_MS]
}

/**
 * The time span of a flag (milliseconds): at least one second, at most `mostDays` days. Throws
 * `usage`.
 */
export const spanIn = (flag: string, text: string, mostDays: number): number => {
  const ms = parseSpan(text)
  if (ms === null || ms < 1_000) {
    throw new ClawError(
      'usage',
      `"${text}" is not a span that --${flag} understands`,
      'like: 7d, 12h, 30m',
    )
  }
  if (ms <= mostDays * UNIT_MS.d) return ms
  throw new ClawError('usage', `--${flag} ${text} is too long`, `at most ${mostDays}d`)
}

/** An ISO time in milliseconds since the epoch; NaN: it is none. */
export const parseIso = (text: string): number =>
  /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
