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
  /** An agent's id, `server`, `owner`: the owner of the server, in nobody's name, or `unknown`. */
  agent: string
  /** Null: none, or stored by a version without attribution. */
  task: string | null
  /** The agent that caused it without being its author; null: none. */
  via: string | null
  /** Milliseconds since the epoch; null: stored by a version without attribution. */
  at: number | null
}

/** Operations of an undo by agent `by` that put text back. The text still belongs to its author. */
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

/** Gets a part of some operations, from `clock` to `end - 1`, with its origin. */
type Take = (origin: Origin, clock: number, end: number) => void

const NONE: readonly never[] = []

/**
 * Returns the function that passes inserted operations on, cut by their origins. It runs for every item of large texts:
 * it makes one object per run and none per item, so that equal origins are usually the same object.
 */
export const originsOf = (
  { inserts, putBack }: Pick<AttributionRuns, 'inserts' | 'putBack'>,
  agentOf: AgentOf,
): ((client: number, clock: number, length: number, take: Take) => void) => {
  const known = new Map<number, Client>()
  const written = (client: number, clock: number, length: number, take: Take): void => {
    let one = known.get(client)
    if (one === undefined) {
      one = new Client(agentOf(client), inserts.get(client) ?? NONE)
      known.set(client, one)
    }
    one.cut(clock, clock + length, take)
  }
  return (client, clock, length, take) => {
    const copies = putBack?.get(client)
    if (copies === undefined) return written(client, clock, length, take)
    for (const { run, clock: from, end } of cutByRuns(copies, clock, clock + length)) {
      if (run === undefined) written(client, from, end - from, take)
      else {
        const shift = run.ofClock - run.clock
        written(run.ofClient, from + shift, end - from, (origin, at, to) =>
          take({ ...origin, via: run.by }, at - shift, to - shift),
        )
      }
    }
  }
}

/** The origins of one Yjs client id. */
class Client {
  readonly #agent: string
  readonly #runs: readonly InsertRun[]
  /** By index of the run. */
  readonly #origins: (Origin | undefined)[] = []
  readonly #unknown: Origin

  constructor(agent: string, runs: readonly InsertRun[]) {
    this.#agent = agent
    this.#runs = runs
    this.#unknown = { agent, task: null, via: null, at: null }
  }

  cut(clock: number, end: number, take: Take): void {
    const runs = this.#runs
    let at = clock
    for (let i = runIndex(runs, clock); at < end; i++) {
      const run = runs[i]
      if (run === undefined || run.clock >= end) {
        take(this.#unknown, at, end)
        return
      }
      if (run.clock > at) take(this.#unknown, at, run.clock)
      const from = Math.max(at, run.clock)
      at = Math.min(end, run.clock + run.length)
      take(this.#originAt(i, run), from, at)
    }
  }

  #originAt(i: number, { task, via, at }: InsertRun): Origin {
    const known = this.#origins[i]
    if (known !== undefined) return known
    const origin = { agent: this.#agent, task, via, at }
    this.#origins[i] = origin
    return origin
  }
}

/** True if both have the same agent, task and via; their times may differ. */
export const isSameOrigin = (a: Origin, b: Origin): boolean =>
  a === b || (a.agent === b.agent && a.task === b.task && a.via === b.via)

/** The later of two times; null is the earliest. */
export const laterOf = (a: number | null, b: number | null): number | null =>
  a === null || (b !== null && b > a) ? b : a
