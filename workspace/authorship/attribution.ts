import type * as Y from 'yjs'
import {
  type DeleteRun,
  type IdRange,
  type InsertRun,
  runIndex,
} from '../../lib/attribution/runs.ts'
import { firstItem, isElement, itemAfter, stringIn } from '../../lib/yjs/internals.ts'

/** The author of an operation, with the task and the time of its commit. */
export interface Origin {
  /** An agent's id, `server`, or `owner`: the owner of the server, in nobody's name. */
  agent: string
  /** Null: none, or stored by a version without attribution. */
  task: string | null
  /** The agent that caused it without being its author; null: none. */
  via: string | null
  /** Milliseconds since the epoch; null: stored by a version without attribution. */
  at: number | null
}

/** Operations by which the undo of agent `by` put text back: that is still the text of its author. */
export interface PutBack extends IdRange {
  /** The first operations of that text. */
  ofClient: number
  ofClock: number
  by: string
}

/** The log's attribution of some Yjs client ids, sorted by clock. */
export interface AttributionRuns {
  inserts: ReadonlyMap<number, readonly InsertRun[]>
  deletes: ReadonlyMap<number, readonly DeleteRun[]>
  putBack?: ReadonlyMap<number, readonly PutBack[]>
}

/** Operations of a text in its order: characters, or a gap where some were deleted. */
export interface Span {
  client: number
  clock: number
  length: number
  /** Null: they are deleted. */
  text: string | null
}

/** The characters of a text, with the gaps between them if `gaps`. */
export const spansOf = (text: Y.Text, gaps = false): Span[] => {
  const spans: Span[] = []
  for (let item = firstItem(text); item !== null; item = itemAfter(item)) {
    const { id, length } = item
    const words = isElement(item) ? stringIn(item) : null
    if (words === null && !(gaps && item.deleted)) continue
    spans.push({ client: id.client, clock: id.clock, length, text: words })
  }
  return spans
}

/** The Yjs client ids in spans. */
export const clientsIn = (spans: readonly Span[]): Set<number> =>
  new Set(spans.map(({ client }) => client))

/** The agent of a Yjs client id. */
export type AgentOf = (client: number) => string

/** A part of a range of operations, from `clock` to `end - 1`, and its run; undefined: it has none. */
interface Part<R> {
  run: R | undefined
  clock: number
  end: number
}

/** Cuts the operations `clock` … `end - 1` where their runs change. Runs are sorted by clock. */
export const cutByRuns = <R extends IdRange>(
  runs: readonly R[],
  clock: number,
  end: number,
): Part<R>[] => {
  const parts: Part<R>[] = []
  let at = clock
  for (let i = runIndex(runs, clock); at < end; i++) {
    const run = runs[i]
    if (run === undefined || run.clock >= end) {
      parts.push({ run: undefined, clock: at, end })
      break
    }
    if (run.clock > at) parts.push({ run: undefined, clock: at, end: run.clock })
    const from = Math.max(at, run.clock)
    at = Math.min(end, run.clock + run.length)
    parts.push({ run, clock: from, end: at })
  }
  return parts
}

const NONE: readonly never[] = []

type Inserted = Pick<Span, 'client' | 'clock' | 'length'>
type OriginsOf = (span: Inserted) => { origin: Origin; clock: number; end: number }[]

/** Returns the function that cuts inserted operations by their origins. */
export const originsOf = (
  { inserts, putBack }: Pick<AttributionRuns, 'inserts' | 'putBack'>,
  agentOf: AgentOf,
): OriginsOf => {
  const written = writtenBy(inserts, agentOf)
  return (span) => {
    const { client, clock, length } = span
    const copies = putBack?.get(client)
    if (copies === undefined) return written(span)
    return cutByRuns(copies, clock, clock + length).flatMap(({ run, ...part }) => {
      if (run === undefined) {
        return written({ client, clock: part.clock, length: part.end - part.clock })
      }
      const shift = run.ofClock - run.clock
      const of = { client: run.ofClient, clock: part.clock + shift, length: part.end - part.clock }
      return written(of).map(({ origin, ...at }) => ({
        origin: { ...origin, via: run.by },
        clock: at.clock - shift,
        end: at.end - shift,
      }))
    })
  }
}

const writtenBy = (inserts: AttributionRuns['inserts'], agentOf: AgentOf): OriginsOf => {
  // One object per run, so that equal origins are usually the same object.
  const known = new Map<InsertRun, Origin>()
  const unknown = new Map<number, Origin>()
  return ({ client, clock, length }) =>
    cutByRuns(inserts.get(client) ?? NONE, clock, clock + length).map(({ run, ...part }) => {
      let origin = run === undefined ? unknown.get(client) : known.get(run)
      if (origin === undefined) {
        const { task = null, via = null, at = null } = run ?? {}
        origin = { agent: agentOf(client), task, via, at }
        if (run === undefined) unknown.set(client, origin)
        else known.set(run, origin)
      }
      return { origin, ...part }
    })
}

/** True if both have the same agent, task and via; their times may differ. */
export const isSameOrigin = (a: Origin, b: Origin): boolean =>
  a === b || (a.agent === b.agent && a.task === b.task && a.via === b.via)

/** The later of two times; null is the earliest. */
export const laterOf = (a: number | null, b: number | null): number | null =>
  a === null || (b !== null && b > a) ? b : a
