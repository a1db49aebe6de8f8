import { newEffort } from '../../lib/merge/diff.ts'
import type { MergeResult } from '../../lib/merge/edits.ts'
import { merge3 } from '../../lib/merge/merge.ts'
import { type TextDelta, textDelta } from '../../lib/merge/text-delta.ts'
import { unifiedDiff } from '../../lib/merge/unified.ts'
import { segmentsOfBlock } from '../history/find/entries.ts'
import type { Shelf } from '../storage/update-log.ts'

/** Jobs that are slow for long texts. Without `steps` (see Effort) the result is exact and may take seconds. */
export const JOBS = {
  merge: ([base, mine, theirs]: [string, string, string], steps?: number): MergeResult =>
    merge3(base, mine, theirs, newEffort(steps)),
  delta: ([from, to]: [string, string], steps?: number): TextDelta =>
    textDelta(from, to, newEffort(steps)),
  unified: ([from, to, before, after]: [string, string, string, string]): string =>
    unifiedDiff(from, to, [before, after]),
  /** The first one is the name of the shelf. */
  segments: ([shelf, ...entries]: string[]): [string, Uint8Array][] =>
    segmentsOfBlock(shelf as Shelf, entries),
} as const

export type JobName = keyof typeof JOBS
export type Texts<N extends JobName> = Parameters<(typeof JOBS)[N]>[0]
export type Found<N extends JobName> = ReturnType<(typeof JOBS)[N]>

/** Messages to and from a thread. */
export interface Asked {
  number: number
  name: JobName
  texts: string[]
}
export interface Answered {
  number: number
  found: Found<JobName>
  /** Duration in milliseconds. */
  ms: number
}

export const runJob = <N extends JobName>(name: N, texts: Texts<N>, steps?: number): Found<N> =>
  (JOBS[name] as (texts: Texts<N>, steps?: number) => Found<N>)(texts, steps)
