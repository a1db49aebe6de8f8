import type * as Y from 'yjs'
import type { AgentId, FileId } from '../../protocol/ids.ts'
import type { Presence } from '../../workspace/agents/presence.ts'
import { textOf } from '../../workspace/document/schema.ts'
import { indexOf } from '../../workspace/files/cursors.ts'

/** Another one's caret (`head`) and the other end of its selection, as indexes into the text as it is. */
export interface Other {
  id: AgentId
  name: string
  anchor: number
  head: number
  /** One of the colours of `COLOURS`, the same wherever it is shown. */
  colour: number
}

/** SGR colour numbers (to be added to 30 or 40) that read on a light ground and on a dark one. */
export const COLOURS: readonly number[] = [6, 2, 5, 1, 4]

export const colourOf = (id: string): number => {
  let hash = 0
  for (let i = 0; i < id.length; i++) hash = (hash * 31 + id.charCodeAt(i)) >>> 0
  return COLOURS[hash % COLOURS.length]!
}

/**
 * Others in the file with their carets, in the order of the text. Positions are untrusted: invalid
 * ones are left out.
 */
export const othersIn = (
  doc: Y.Doc,
  file: FileId,
  presences: readonly Presence[],
  me: AgentId,
): Other[] => {
  const text = textOf(doc, file)
  const others: Other[] = []
  for (const { agent, cursor } of presences) {
    if (agent.id === me || cursor?.file !== file) continue
    const [anchor, head] = [cursor.anchor, cursor.head].map((position) =>
      indexOf(doc, text, `file:${file}`, position),
    )
    if (typeof anchor !== 'number' || typeof head !== 'number') continue
    others.push({ id: agent.id, name: agent.name, anchor, head, colour: colourOf(agent.id) })
  }
  return others.sort((a, b) => a.head - b.head || (a.id < b.id ? -1 : 1))
}
