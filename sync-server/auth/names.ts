import type * as Y from 'yjs'
import type { AgentId } from '../../protocol/ids.ts'
import { agentName, hasAgent } from '../../workspace/agents/agents.ts'
import { asLinkState, setLinkState } from '../../workspace/agents/presence.ts'
import { agentsOf } from '../../workspace/document/schema.ts'
import type { Room } from '../sync/room.ts'
import type { AccessStore } from './store.ts'

/** Keeps the names of who has joined a workspace as its document has them: most register after they have joined. */
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

/** Notes that those whose credential was revoked have left: their names are free. */
export const leaveRevoked = (room: Room, doc: Y.Doc, store: AccessStore): void => {
  const isThere = (id: string): id is AgentId =>
    hasAgent(doc, id) && asLinkState(agentsOf(doc).get(id)?.get('link')) !== 'down'
  const gone = store.members.revoked(room.name).filter(isThere)
  if (gone.length === 0) return
  const leave = (doc: Y.Doc) => {
    for (const id of gone) setLinkState(doc, id, 'down')
  }
  room.command(leave).catch(() => {}) // the room says so itself, and it is done when it is loaded again
}
