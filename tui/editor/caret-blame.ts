import type { Attached } from '../../client/resident/attach.ts'
import type { Later } from './bursts.ts'

/** The author of a part of a line as clawlink-agent's `file-blame` tells of it. */
export interface LineOrigin {
  agent_id: string
  task_id: string | null
  /** The agent that accepted it; null: nobody had to. */
  via: string | null
  /** ISO 8601; null: unknown. */
  at: string | null
}

/** A line with parts of others; columns are UTF-16 units, the first is 1. */
interface BlamedLine extends LineOrigin {
  from_line: number
  to_line: number
  parts?: (LineOrigin & { from_column: number; to_column: number })[]
}

/** After such a pause (milliseconds) at a line its authors are asked for. */
export const BLAME_MS = 250

/** Asks the server for the authors of the line that the caret rests in. */
export class CaretBlame {
  readonly #run: Attached['run']
  readonly #later: Later
  readonly #onRead: () => void
  #known: { name: string; line: BlamedLine | null } | null = null
  #asked = ''
  #cancel: (() => void) | null = null

  constructor(run: Attached['run'], later: Later, onRead: () => void) {
    this.#run = run
    this.#later = later
    this.#onRead = onRead
  }

  /**
   * The origins of a token, those of most of it first; empty: the server has not answered for this line. `line` is
   * 1-based, `version` another one after each change of the text, `from` and `to` columns from 0.
   */
  of(path: string, line: number, version: number, from: number, to: number): LineOrigin[] {
    const name = `${path}\0${line}\0${version}`
    if (this.#asked !== name) this.#ask(name, path, line)
    if (this.#known?.name !== name || this.#known.line === null) return []
    const { parts = [], ...main } = this.#known.line
    const within = parts.filter(
      ({ from_column, to_column }) => from_column <= to && to_column > from,
    )
    const others = within.reduce(
      (sum, part) => sum + Math.min(part.to_column, to) - Math.max(part.from_column - 1, from),
      0,
    )
    return others < to - from ? [main, ...within] : within
  }

  close(): void {
    this.#cancel?.()
    this.#asked = ''
  }

  #ask(name: string, path: string, line: number): void {
    this.#asked = name
    this.#cancel?.()
    this.#cancel = this.#later(BLAME_MS, () => {
      this.#cancel = null
      void this.#read(name, path, line)
    })
  }

  async #read(name: string, path: string, line: number): Promise<void> {
    const argv = ['file-blame', `--key=${path}`, `--lines=${line}-${line}`]
    const { code, data } = await this.#run(argv)
    if (this.#asked !== name) return
    const ranges = code === 0 ? (data as { ranges?: BlamedLine[] }).ranges : undefined
    const found = ranges?.find(({ from_line, to_line }) => from_line <= line && line <= to_line)
    this.#known = { name, line: found ?? null }
    this.#onRead()
  }
}
