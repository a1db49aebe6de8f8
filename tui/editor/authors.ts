import type * as Y from 'yjs'
import { firstItem, isElement, itemAfter } from '../../lib/yjs/internals.ts'
import type { AgentId, FileId } from '../../protocol/ids.ts'
import { textOf } from '../../workspace/document/schema.ts'
import { editCounts } from '../../workspace/files/tree.ts'
import type { Range } from './search.ts'

/** Consecutive characters by one agent, by offsets in the text; null: an unknown one. */
export interface AuthorRun {
  from: number
  to: number
  agent: AgentId | null
}

/**
 * The authors of a part of a text, without gaps: an item of the document is by the agent that its Yjs client id belongs
 * to. An agent is known once its first change set is counted. `me` is this replica's agent.
 */
export const authorRuns = (
  doc: Y.Doc,
  id: FileId,
  [from, to]: Range,
  me: AgentId | null,
): AuthorRun[] => {
  const agents = new Map<number, AgentId>(
    editCounts(doc, id).map(([client, { agent }]) => [Number(client), agent]),
  )
  if (me !== null) agents.set(doc.clientID, me)
  const runs: AuthorRun[] = []
  let index = 0
  for (let item = firstItem(textOf(doc, id)); item !== null && index < to; item = itemAfter(item)) {
    if (!isElement(item)) continue
    const [start, end] = [Math.max(from, index), Math.min(to, index + item.length)]
    index += item.length
    if (end <= start) continue
    const agent = agents.get(item.id.client) ?? null
    const last = runs.at(-1)
    if (last?.agent === agent) last.to = end
    else runs.push({ from: start, to: end, agent })
  }
  return runs
}

/** The run that holds an offset; null: none does. */
export const runAt = (runs: readonly AuthorRun[], offset: number): AuthorRun | null => {
  let [low, high] = [0, runs.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (runs[middle]!.to <= offset) low = middle + 1
    else high = middle
  }
  const run = runs[low]
  return run !== undefined && run.from <= offset ? run : null
}

/** A word, or a character that is neither part of a word nor blank. */
const TOKEN = /[\p{L}\p{N}\p{M}_]+|[^\s\p{L}\p{N}\p{M}_]/gu

/** The token of a line at a column (both by UTF-16 units), or the one that ends there; null: there is only blank. */
export const tokenAt = (line: string, column: number): Range | null => {
  let before: Range | null = null
  for (const { 0: token, index } of line.matchAll(TOKEN)) {
    const range: Range = [index, index + token.length]
    if (index > column) break
    if (column < range[1]) return range
    before = range[1] === column ? range : null
  }
  return before
}

/** The agents of a line's tokens: first whoever has a part in most of them. `start`: the line's offset in the text. */
export const agentsOfTokens = (
  line: string,
  start: number,
  runs: readonly AuthorRun[],
): (AgentId | null)[] => {
  const tokens = new Map<AgentId | null, number>()
  let next = 0
  for (const { 0: token, index } of line.matchAll(TOKEN)) {
    const [from, to] = [start + index, start + index + token.length]
    while (next < runs.length && runs[next]!.to <= from) next++
    const agents = new Set<AgentId | null>()
    for (let i = next; i < runs.length && runs[i]!.from < to; i++) agents.add(runs[i]!.agent)
    for (const agent of agents) tokens.set(agent, (tokens.get(agent) ?? 0) + 1)
  }
  return [...tokens].sort(([, a], [, b]) => b - a).map(([agent]) => agent)
}
