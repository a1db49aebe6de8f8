import { isoTime } from '../document/schema.ts'
import {
  type AgentOf,
  type AttributionRuns,
  isSameOrigin,
  laterOf,
  type Origin,
  originsOf,
  type Span,
} from './attribution.ts'

/** An origin as every face shows it. */
export interface ShownOrigin {
  agent_id: string
  task_id: string | null
  via: string | null
  /** ISO 8601, by the server's clock; null: unknown. */
  at: string | null
}

/** A part of a line that somebody else wrote; columns are UTF-16 units, the first is 1. */
export interface BlamePart extends ShownOrigin {
  from_column: number
  to_column: number
  text: string
}

/** Consecutive lines of one origin, `at` the newest time in them; or one line with parts of others. */
export interface BlameRange extends ShownOrigin {
  from_line: number
  to_line: number
  parts?: BlamePart[]
}

/** Lines of a text; the first is 1. */
export interface LineRange {
  from: number
  to: number
}

interface Piece {
  origin: Origin
  text: string
  at: number | null
}

export const shownOrigin = ({ agent, task, via, at }: Origin): ShownOrigin => ({
  agent_id: agent,
  task_id: task,
  via,
  at: at === null ? null : isoTime(at),
})

/**
 * The origins of a text's lines. A line belongs to the origin of most of its characters, of two the first; the others
 * are its parts. A line break belongs to its line, and counts where the line is empty.
 */
export const blame = (
  spans: readonly Span[],
  runs: AttributionRuns,
  agentOf: AgentOf,
  { from, to }: LineRange = { from: 1, to: Number.POSITIVE_INFINITY },
): BlameRange[] => {
  const origins = originsOf(runs, agentOf)
  const lines = new Lines(from, to)
  for (const span of spans) {
    if (span.text === null) continue
    if (lines.isDone) break
    const { client, clock, length, text } = span
    origins(client, clock, length, (origin, from, end) =>
      lines.add(origin, text, from - clock, end - clock),
    )
  }
  return lines.end()
}

/** Collects lines, and joins those of one origin. */
class Lines {
  readonly #from: number
  readonly #to: number
  #line = 1
  #pieces: Piece[] = []
  readonly #ranges: (Omit<BlameRange, keyof ShownOrigin> & { origin: Origin })[] = []

  constructor(from: number, to: number) {
    this.#from = from
    this.#to = to
  }

  get isDone(): boolean {
    return this.#line > this.#to
  }

  /** Adds `text` from one index to before another. */
  add(origin: Origin, text: string, from: number, end: number): void {
    for (let at = from; at < end; ) {
      const found = text.indexOf('\n', at)
      const isBreak = found !== -1 && found < end
      const stop = isBreak ? found : end
      if (stop > at && this.#line >= this.#from) this.#addPiece(origin, text.slice(at, stop))
      if (isBreak) this.#close(origin)
      at = isBreak ? stop + 1 : stop
    }
  }

  #addPiece(origin: Origin, text: string): void {
    const last = this.#pieces.at(-1)
    if (last !== undefined && isSameOrigin(last.origin, origin)) {
      last.text += text
      last.at = laterOf(last.at, origin.at)
    } else this.#pieces.push({ origin, text, at: origin.at })
  }

  /** Ends a line. `last`: the origin of its line break. */
  #close(last: Origin): void {
    const line = this.#line++
    const pieces = this.#pieces
    if (line < this.#from || line > this.#to) return
    if (pieces.length > 0) this.#pieces = []
    const main = pieces.length > 1 ? mainOf(pieces) : (pieces[0]?.origin ?? last)
    const at = pieces.length === 0 ? last.at : newest(pieces, main)
    const before = this.#ranges.at(-1)
    const isAlone = pieces.every(({ origin }) => isSameOrigin(origin, main))
    if (isAlone && before?.parts === undefined && before && isSameOrigin(before.origin, main)) {
      before.to_line = line
      if (laterOf(before.origin.at, at) !== before.origin.at) before.origin = { ...main, at }
      return
    }
    const parts = isAlone ? {} : { parts: partsOf(pieces, main) }
    this.#ranges.push({ origin: { ...main, at }, from_line: line, to_line: line, ...parts })
  }

  end(): BlameRange[] {
    if (this.#pieces.length > 0) this.#close(this.#pieces[0]!.origin)
    return this.#ranges.map(({ origin, from_line, to_line, parts }) => {
      const range: BlameRange = { from_line, to_line, ...shownOrigin(origin) }
      if (parts !== undefined) range.parts = parts
      return range
    })
  }
}

const mainOf = (pieces: readonly Piece[]): Origin => {
  const sums: { origin: Origin; units: number }[] = []
  for (const { origin, text } of pieces) {
    const sum = sums.find((one) => isSameOrigin(one.origin, origin))
    if (sum === undefined) sums.push({ origin, units: text.length })
    else sum.units += text.length
  }
  return sums.reduce((most, one) => (one.units > most.units ? one : most)).origin
}

const newest = (pieces: readonly Piece[], main: Origin): number | null =>
  pieces
    .filter(({ origin }) => isSameOrigin(origin, main))
    .reduce<number | null>((found, { at }) => laterOf(found, at), null)

const partsOf = (pieces: readonly Piece[], main: Origin): BlamePart[] => {
  const parts: BlamePart[] = []
  let column = 1
  for (const { origin, text, at } of pieces) {
    const next = column + text.length
    if (!isSameOrigin(origin, main)) {
      const shown = shownOrigin({ ...origin, at })
      parts.push({ from_column: column, to_column: next - 1, text, ...shown })
    }
    column = next
  }
  return parts
}
