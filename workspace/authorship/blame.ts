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

/** Characters of a line, from one index of `text` to before another. */
interface Piece {
  origin: Origin
  text: string
  from: number
  end: number
}

export const shownOrigin = ({ agent, task, via, at }: Origin): ShownOrigin => ({
  agent_id: agent,
  task_id: task,
  via,
  at: at === null ? null : isoTime(at),
})

/** ISO texts of times (milliseconds since the epoch), each made once: all of a commit have the same time. */
class Times {
  readonly #texts = new Map<number, string>()

  textOf(at: number | null): string | null {
    if (at === null) return null
    let text = this.#texts.get(at)
    if (text === undefined) {
      text = isoTime(at)
      this.#texts.set(at, text)
    }
    return text
  }
}

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

/** Lines of one origin, which the next line may continue. */
interface Open {
  from: number
  to: number
  origin: Origin
  /** The newest time in them. */
  at: number | null
}

/**
 * Collects lines, and joins those of one origin. All of a large text passes here: text is cut only where the answer has
 * it, and no object is spread, which takes several times as long as a literal.
 */
class Lines {
  readonly #from: number
  readonly #to: number
  readonly #times = new Times()
  #line = 1
  #pieces: Piece[] = []
  #open: Open | null = null
  readonly #ranges: BlameRange[] = []

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
      if (stop > at && this.#line >= this.#from) {
        this.#pieces.push({ origin, text, from: at, end: stop })
      }
      if (isBreak) this.#close(origin)
      at = isBreak ? stop + 1 : stop
    }
  }

  /** Ends a line. `last`: the origin of its line break. */
  #close(last: Origin): void {
    const line = this.#line++
    const pieces = this.#pieces
    if (line < this.#from || line > this.#to) return
    if (pieces.length > 0) this.#pieces = []
    const origin = pieces[0]?.origin ?? last
    let { at } = origin
    for (const piece of pieces) {
      if (!isSameOrigin(piece.origin, origin)) {
        this.#addMixed(line, pieces)
        return
      }
      at = laterOf(at, piece.origin.at)
    }
    const open = this.#open
    if (open !== null && isSameOrigin(open.origin, origin)) {
      open.to = line
      open.at = laterOf(open.at, at)
      return
    }
    this.#shut()
    this.#open = { from: line, to: line, origin, at }
  }

  /** Adds a line of several origins. */
  #addMixed(line: number, pieces: readonly Piece[]): void {
    this.#shut()
    const main = mainOf(pieces)
    const parts: BlamePart[] = []
    let newest: number | null = null
    let column = 1
    for (let i = 0; i < pieces.length; ) {
      const { origin } = pieces[i]!
      const isMain = isSameOrigin(origin, main)
      const from_column = column
      let text = ''
      let at: number | null = null
      for (; i < pieces.length && isSameOrigin(pieces[i]!.origin, origin); i++) {
        const piece = pieces[i]!
        at = laterOf(at, piece.origin.at)
        column += piece.end - piece.from
        if (!isMain) text += piece.text.slice(piece.from, piece.end)
      }
      if (isMain) newest = laterOf(newest, at)
      else {
        const to_column = column - 1
        const { agent: agent_id, task: task_id, via } = origin
        const time = this.#times.textOf(at)
        parts.push({ from_column, to_column, text, agent_id, task_id, via, at: time })
      }
    }
    const { agent: agent_id, task: task_id, via } = main
    const at = this.#times.textOf(newest)
    this.#ranges.push({ from_line: line, to_line: line, agent_id, task_id, via, at, parts })
  }

  /** Ends the open lines. */
  #shut(): void {
    if (this.#open === null) return
    const { from: from_line, to: to_line, origin, at } = this.#open
    const { agent: agent_id, task: task_id, via } = origin
    this.#ranges.push({ from_line, to_line, agent_id, task_id, via, at: this.#times.textOf(at) })
    this.#open = null
  }

  end(): BlameRange[] {
    if (this.#pieces.length > 0) this.#close(this.#pieces[0]!.origin)
    this.#shut()
    return this.#ranges
  }
}

/** The origin of most characters, of two the first. */
const mainOf = (pieces: readonly Piece[]): Origin => {
  const sums: { origin: Origin; units: number }[] = []
  for (const { origin, from, end } of pieces) {
    const sum = sums.find((one) => isSameOrigin(one.origin, origin))
    if (sum === undefined) sums.push({ origin, units: end - from })
    else sum.units += end - from
  }
  return sums.reduce((most, one) => (one.units > most.units ? one : most)).origin
}
