import type * as Y from 'yjs'
import type { AgentId } from '../../protocol/ids.ts'
import { agentName, hasAgent } from '../../workspace/agents/agents.ts'
import { asLinkState, setLinkState } from '../../workspace/agents/presence.ts'
import { agentsOf } from '../../workspace/document/schema.ts'
import type { Room } from '../sync/room.ts'
import type { AccessStore } from './store.ts'

/** Keeps members' names equal to those in the document: most agents register after they join. */
export const followNames = (doc: Y.Doc, workspace: string, store: AccessStore): void => {
  const tell = (ids: Iterable<string>): void => {
    for (const id of ids)
      if (hasAgent(doc, id)) store.members.renamed(id, workspace, agentName(doc, id))
  }
  const agents = agentsOf(doc)
  tell(agents.keys())
  agents.observeDeep((events) => {
    for (const { path, changes } of events) {
      tell(path.length > 0 ? [String(path[0])] : changes.keys.keys())
    }
  })
}

/** Marks revoked agents as gone in the document, which frees their names. */
export const leaveRevoked = (room: Room, doc: Y.Doc, store: AccessStore): void => {
  const isThere = (id: string): id is AgentId =>
    hasAgent(doc, id) && asLinkState(agentsOf(doc).get(id)?.get('link')) !== 'down'
  const gone = store.members.revoked(room.name).filter(isThere)
  if (gone.length === 0) return
  const leave = (doc: Y.Doc) => {
    for (const id of gone) setLinkState(doc, id, 'down')
  }
  room.command(leave).catch(() => {}) // the room reports it, and this runs again when the room is loaded
}
