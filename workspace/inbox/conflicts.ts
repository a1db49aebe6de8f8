import type * as Y from 'yjs'
import type { LineRange } from '../../lib/merge/edits.ts'
import { shellFlag } from '../../lib/text/quote.ts'
import type { AgentId, BroadcastId } from '../../protocol/ids.ts'
import { agentName, hasAgent } from '../agents/agents.ts'
import type { FileConflict } from '../files/put-file.ts'
import { addBroadcast } from '../messages/broadcasts.ts'

export const linesText = ({ from_line, to_line }: LineRange): string =>
  from_line === to_line ? `line ${from_line}` : `lines ${from_line}-${to_line}`

/** Sends a direct message to each of the others whose lines `me` also changed. */
export const tellOthers = (
  doc: Y.Doc,
  me: AgentId,
  key: string,
  conflict: FileConflict,
  newId: () => BroadcastId,
  now: number,
): void => {
  for (const to of conflict.by.split(', ')) {
    if (to === me || !hasAgent(doc, to)) continue
    addBroadcast(doc, {
      id: newId(),
      from: me,
      to,
      topic: 'file-conflict',
      tags: [],
      content: `${agentName(doc, me)} and you both changed ${linesText(conflict)} of ${key}; both texts are in it: file-get it and resolve the conflict`,
      now,
    })
  }
}

/**
 * Sends a direct message to the author of a binary version that `me` replaced without having read
 * it.
 */
export const tellReplaced = (
  doc: Y.Doc,
  me: AgentId,
  key: string,
  { by, sha256 }: { by: string; sha256: string },
  newId: () => BroadcastId,
  now: number,
): void => {
  if (by === me || !hasAgent(doc, by)) return
  addBroadcast(doc, {
    id: newId(),
    from: me,
    to: by,
    topic: 'file-conflict',
    tags: [],
    content: `${agentName(doc, me)} replaced ${key} without having read your version; that is kept: file-get ${shellFlag('key', key)} --sha256 ${sha256.slice(0, 12)} --output PATH`,
    now,
  })
}
