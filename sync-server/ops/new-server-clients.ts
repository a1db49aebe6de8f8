import * as Y from 'yjs'
import { renewServerClient } from '../../workspace/document/schema.ts'
import { isState, put, type State } from '../http-agents/records.ts'
import { logOn, openStore } from '../storage/open-log.ts'
import type { Place } from '../storage/place.ts'
import type { Stored } from '../storage/update-log.ts'
import { docOf } from '../sync/updates/document.ts'

/**
 * Gives the server a new Yjs client id in every workspace of a restored place: replicas have later operations
 * of the old id, and the server would reuse their numbers. The same holds for HTTP agents. The hash chain of each
 * workspace gets an entry that it was restored.
 */
export const newServerClients = async (place: Place): Promise<void> => {
  const log = await logOn(place, await openStore(place, 'takeFree', true), Date.now)
  try {
    for (const workspace of await log.workspaces()) {
      const doc = docIfAny(await log.load(workspace))
      if (doc === null) continue // it fails alone, and `repair` does it
      await log.record.noteRestored(workspace)
      const before = Y.encodeStateVector(doc)
      renewServerClient(doc)
      await log.append(workspace, [Y.encodeStateAsUpdate(doc, before)])
      doc.destroy()
    }
    const states = (await log.facts.entries('g:')).filter(({ key }) => isState(key))
    await log.facts.put(
      states.map(({ key, json }) => put(key, { ...(json as State), client: null })),
    )
  } finally {
    await log.close()
  }
}

const docIfAny = (stored: Stored): Y.Doc | null => {
  try {
    return docOf(stored)
  } catch {
    return null
  }
}
