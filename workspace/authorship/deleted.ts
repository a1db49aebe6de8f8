import { type DeletedText, type DeleteRun, runIndex } from '../../lib/attribution/runs.ts'
import {
  type AgentOf,
  type AttributionRuns,
  cutByRuns,
  type Origin,
  type Span,
} from './attribution.ts'
import { type LineRange, type ShownOrigin, shownOrigin } from './blame.ts'

/** Text that is gone: the deleter's origin, and the author. */
export interface Deleted extends ShownOrigin {
  /** The line in which it would stand now. */
  line: number
  author_id: string
  /** Null: it is not kept. */
  text: string | null
  /** UTF-16 units. */
  length: number
}

type Piece = Omit<DeletedText, 'root'>

/** Deleted texts that are found by their operations. */
export class DeletedTexts {
  readonly #pieces = new Map<number, (Piece & { length: number })[]>()

  constructor(texts: readonly Piece[]) {
    for (const one of texts) {
      const piece = { ...one, length: one.text.length }
      const list = this.#pieces.get(one.client)
      if (list === undefined) this.#pieces.set(one.client, [piece])
      else list.push(piece)
    }
    for (const list of this.#pieces.values()) list.sort((a, b) => a.clock - b.clock)
  }

  /** The kept text of the operations `clock` … `end - 1`; null: none of it. */
  textOf(client: number, clock: number, end: number): string | null {
    const pieces = this.#pieces.get(client) ?? []
    let [found, at] = ['', clock]
    for (let i = runIndex(pieces, clock); i < pieces.length && pieces[i]!.clock < end; i++) {
      const piece = pieces[i]!
      const from = Math.max(at, piece.clock)
      at = Math.min(end, piece.clock + piece.length)
      if (at > from) found += piece.text.slice(from - piece.clock, at - piece.clock)
    }
    return found === '' ? null : found
  }
}

/**
 * The deleted texts of some lines, in the order of the file. `spans` are those of the text, gaps included. Leaves out
 * operations without a known deleter and without a kept text.
 */
export const deletedParts = (
  spans: readonly Span[],
  { deletes }: AttributionRuns,
  agentOf: AgentOf,
  texts: DeletedTexts,
  { from, to }: LineRange = { from: 1, to: Number.POSITIVE_INFINITY },
): Deleted[] => {
  const found: Deleted[] = []
  let line = 1
  let last: { run: DeleteRun | undefined; author: string } | null = null
  for (const { client, clock, length, text } of spans) {
    if (line > to) break
    if (text !== null) {
      last = null
      for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) line++
      continue
    }
    if (line < from) continue
    const author = agentOf(client)
    for (const { run, clock: at, end } of cutByRuns(
      deletes.get(client) ?? [],
      clock,
      clock + length,
    )) {
      const kept = texts.textOf(client, at, end)
      if (kept === null && run === undefined) continue
      const before = last !== null && last.author === author && isSameDeletion(last.run, run)
      if (before) extend(found.at(-1)!, kept, end - at)
      else {
        const shown = shownOrigin(deleterOf(run))
        found.push({ line, ...shown, author_id: author, text: kept, length: end - at })
      }
      last = { run, author }
    }
  }
  return found
}

const extend = (one: Deleted, text: string | null, length: number): void => {
  if (text !== null) one.text = (one.text ?? '') + text
  one.length += length
}

const isSameDeletion = (a: DeleteRun | undefined, b: DeleteRun | undefined): boolean =>
  a?.by === b?.by && a?.task === b?.task && a?.via === b?.via && a?.at === b?.at

const deleterOf = (run: DeleteRun | undefined): Origin => {
  const { task = null, via = null, at = null } = run ?? {}
  return { agent: run === undefined ? UNKNOWN_DELETER : (run.by ?? 'server'), task, via, at }
}

/** Stands for the deleter of operations that a version without attribution stored. */
const UNKNOWN_DELETER = 'unknown'
