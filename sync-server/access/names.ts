import type * as Y from 'yjs'
import { agentName, hasAgent } from '../../workspace/agents.ts'
import { agentsOf } from '../../workspace/schema.ts'
import type { AccessStore } from './store.ts'

/** Keeps the names of who has joined a workspace as its document has them: most register after they have joined. */
export const followNames = (doc: Y.Doc, workspace: string, store: AccessStore): void => {
  const tell = (ids: Iterable<string>): void => {
    for (const id of ids) if (hasAgent(doc, id)) store.named(id, workspace, agentName(doc, id))
  }
  const agents = agentsOf(doc)
  tell(agents.keys())
  agents.observeDeep((events) => {
    for (const { path, changes } of events) {
      tell(path.length > 0 ? [String(path[0])] : changes.keys.keys())
    }
  })
}
