import type { ErrorBody } from '../../protocol/errors.ts'

/** A command line of clawlink-agent that changes nothing, and whose answer a page shows. */
export interface Need {
  argv: readonly string[]
  /** The answer is read again when this is another; absent: it never changes. */
  stamp?: string
  /** Runs once it has been needed for this long (milliseconds), as while somebody types on; absent: at once. */
  afterMs?: number
}

/** The answer to a need. */
export interface Read {
  stamp: string
  data: unknown
  /** Null: the command succeeded. */
  error: ErrorBody | null
}

/** Answers by `nameOfNeed`; those under way are absent. */
export type Reads = ReadonlyMap<string, Read>

export const nameOfNeed = (argv: readonly string[]): string => argv.join('\0')

/** The data of an answer; null: it is under way, or the command failed. The caller names the verb's type. */
export const dataOf = <T>(reads: Reads, argv: readonly string[]): T | null => {
  const read = reads.get(nameOfNeed(argv))
  return read === undefined || read.error !== null ? null : (read.data as T)
}

/** The error of the first of these that failed; null: none has. */
export const errorOf = (reads: Reads, needs: readonly Need[]): ErrorBody | null => {
  for (const { argv } of needs) {
    const error = reads.get(nameOfNeed(argv))?.error
    if (error !== undefined && error !== null) return error
  }
  return null
}

/** The speeds of a page that plays: `ms` milliseconds between frames, each `step` items on. */
export const SPEEDS = [
  { name: '½×', ms: 2_000, step: 1 },
  { name: '1×', ms: 1_000, step: 1 },
  { name: '2×', ms: 500, step: 1 },
  { name: '4×', ms: 250, step: 1 },
  { name: '8×', ms: 125, step: 1 },
  { name: '32×', ms: 125, step: 4 },
  { name: '128×', ms: 125, step: 16 },
] as const

/** The index of 1×. */
export const NORMAL_SPEED = 1

export const speedOf = (index = NORMAL_SPEED) => SPEEDS[index] ?? SPEEDS[NORMAL_SPEED]
