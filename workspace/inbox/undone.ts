import type * as Y from 'yjs'
import { newMessageId } from '../../protocol/fresh-ids.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { agentName, hasAgent } from '../agents/agents.ts'
import type { UndoneFile } from '../authorship/undo-report.ts'
import { addBroadcast } from '../messages/broadcasts.ts'
import { linesText } from './conflicts.ts'

interface Undone {
  /** The agent that undoes. */
  me: AgentId
  id: string
  files: readonly UndoneFile[]
  /** The agents whose changes are undone. */
  authors: ReadonlySet<string | null>
  now: number
}

/** Files or places that a message names (count). */
const MAX_NAMED = 10

/** Sends one message to each agent whose changes are undone, and to those whose work overlaps with them. */
export const tellUndone = (doc: Y.Doc, { me, id, files, authors, now }: Undone): void => {
  const name = agentName(doc, me)
  const keys = named(files.map(({ file_key }) => file_key))
  const places = new Map<string, string[]>()
  for (const { file_key, overlaps } of files) {
    for (const { by, ...lines } of overlaps) {
      for (const one of by) {
        places.set(one, [...(places.get(one) ?? []), `${linesText(lines)} of ${file_key}`])
      }
    }
  }
  const tell = (to: string, topic: string, content: string): void => {
    if (to === me || !hasAgent(doc, to)) return
    const message = { id: newMessageId(), from: me, to, topic, tags: [], content, now }
    addBroadcast(doc, message)
  }
  for (const to of authors) {
    if (to !== null) tell(to, 'file-undo', `${name} undid changes of yours in ${keys}: undo ${id}`)
  }
  for (const [to, where] of places) {
    if (authors.has(to)) continue
    tell(
      to,
      'file-conflict',
      `${name} undid changes beside yours, at ${named(where)}: file-get it and see whether yours still fits`,
    )
  }
}

const named = (all: readonly string[]): string =>
  all.length <= MAX_NAMED
    ? all.join(', ')
    : `${all.slice(0, MAX_NAMED).join(', ')} and ${all.length - MAX_NAMED} more`
