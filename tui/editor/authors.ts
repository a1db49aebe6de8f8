import type * as Y from 'yjs'
import { firstItem, isElement, itemAfter } from '../../lib/yjs/internals.ts'
import type { AgentId, FileId } from '../../protocol/ids.ts'
import { textOf } from '../../workspace/document/schema.ts'
import { editCounts } from '../../workspace/files/tree.ts'
import type { Range } from './search.ts'

/**
 * The agent that wrote most of each range; ranges are in order. Null: unknown (an agent is known
 * once its first burst is counted), or the range is empty. `me` is this replica's agent.
 */
export const writersOf = (
  doc: Y.Doc,
  id: FileId,
  ranges: readonly Range[],
  me: AgentId,
): (AgentId | null)[] => {
  const agents = new Map<string, AgentId>(
    editCounts(doc, id).map(([client, { agent }]) => [client, agent]),
  )
  agents.set(String(doc.clientID), me)
  const shares = ranges.map(() => new Map<AgentId, number>())
  const end = ranges.at(-1)?.[1] ?? 0
  let first = 0
  let index = 0
  for (
    let item = firstItem(textOf(doc, id));
    item !== null && index < end;
    item = itemAfter(item)
  ) {
    if (!isElement(item)) continue
    const next = index + item.length
    while (first < ranges.length && ranges[first]![1] <= index) first++
    const agent = agents.get(String(item.id.client))
    for (let i = first; i < ranges.length && ranges[i]![0] < next; i++) {
      const shared = Math.min(next, ranges[i]![1]) - Math.max(index, ranges[i]![0])
      if (agent !== undefined && shared > 0) {
        shares[i]!.set(agent, (shares[i]!.get(agent) ?? 0) + shared)
      }
    }
    index = next
  }
  return shares.map((share) => {
    const [most] = [...share].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    return most?.[0] ?? null
  })
}
