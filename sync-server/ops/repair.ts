import { join } from 'node:path'
import * as Y from 'yjs'
import { writeAtomic } from '../../lib/disk/atomic-write.ts'
import { checkDocument } from '../../workspace/document/check.ts'
import { initWorkspace, metaOf, renewServerClient } from '../../workspace/document/schema.ts'
import { makeDir } from '../storage/integrity/disk.ts'
import type { LevelUpdateLog } from '../storage/level-update-log.ts'
import { type TakenOut, takeOut } from './take-out.ts'

/** A removed entry and its author. */
export interface Removed extends TakenOut {
  workspace: string
  /** The agent that owns its Yjs client id; null: unknown. */
  by: string | null
}

export interface Repaired {
  removed: Removed[]
  /** Problems that could not be removed. */
  left: { workspace: string; what: string }[]
  /** File with the removed entries; null: nothing was removed. */
  kept: string | null
}

/** Folder for removed entries, in the data folder. */
export const REMOVED_DIR = 'removed'

/**
 * Removes from each workspace the entries that break the grammar of its document or that Yjs cannot write again. All of
 * them are on disk in a file of their own before a document is stored without them. `isDry`: changes nothing.
 */
export const repairData = async (
  log: LevelUpdateLog,
  data: string,
  workspaces: readonly string[],
  { isDry, now }: { isDry: boolean; now: number },
): Promise<Repaired> => {
  const removed: Removed[] = []
  const left: Repaired['left'] = []
  const documents: { workspace: string; seq: number; document: Uint8Array }[] = []
  for (const workspace of workspaces) {
    try {
      const stored = await log.load(workspace)
      const { doc, taken } = takeOut(stored, `workspace ${workspace}`)
      const owners = await log.owners(workspace)
      for (const one of taken) {
        removed.push({ workspace, by: owners.get(one.client) ?? null, ...one })
      }
      for (const { path, reason } of checkDocument(doc)) {
        left.push({ workspace, what: `${path}: ${reason}` })
      }
      if (taken.length > 0) {
        const ends = {
          archivedBroadcasts: await log.archiveEnd(workspace, 'broadcasts'),
          archivedTasks: await log.archiveEnd(workspace, 'tasks'),
        }
        restoreMeta(doc, workspace, ends, now)
        documents.push({ workspace, seq: stored.seq, document: Y.encodeStateAsUpdate(doc) })
      }
      doc.destroy()
    } catch (error) {
      left.push({ workspace, what: (error as Error).message })
    }
  }
  if (isDry || removed.length === 0) return { removed, left, kept: null }
  const kept = await keep(data, removed, now)
  for (const { workspace, seq, document } of documents) {
    await log.compact(workspace, seq, document, 'repaired')
  }
  return { removed, left, kept }
}

/**
 * Rewrites the server's own required entries, under a new Yjs client id from now on: an unreadable document got none
 * when it was restored.
 */
const restoreMeta = (
  doc: Y.Doc,
  workspaceId: string,
  ends: { archivedBroadcasts: number; archivedTasks: number },
  now: number,
): void => {
  initWorkspace(doc, workspaceId, now)
  const meta = metaOf(doc)
  for (const [key, value] of Object.entries({ workspaceId, ...ends })) {
    if ((meta.get(key) ?? 0) !== value) meta.set(key, value)
  }
  renewServerClient(doc)
}

/** Writes it to a new file, a line of JSON each; resolves to its path when it is on disk. */
const keep = async (data: string, removed: readonly Removed[], now: number): Promise<string> => {
  const dir = join(data, REMOVED_DIR)
  await makeDir(dir)
  const path = join(dir, `${new Date(now).toISOString().replaceAll(':', '-')}.jsonl`)
  const lines = removed.map((one) => `${JSON.stringify(one)}\n`)
  await writeAtomic(path, lines.join(''), { mode: 0o600 })
  return path
}
