import { Checkpoints } from '../history/checkpoints/store.ts'
import { IndexStore } from '../history/find/index-store.ts'
import { Indexer } from '../history/find/indexer.ts'
import { ArchiveFinder } from '../history/find/search.ts'
import { createTrimmer } from '../history/trim.ts'
import { FileHistory } from '../history/versions/history.ts'
import { HttpAgents } from '../http-agents/http-agents.ts'
import type { Limiter } from '../limits/limiter.ts'
import type { LevelUpdateLog } from '../storage/level-update-log.ts'
import type { Room } from '../sync/room.ts'
import { TaskScheduler } from '../tasks/scheduler.ts'
import { TextWork } from '../texts/work.ts'
import type { Base } from './parts.ts'

/** The server's background work on its rooms' documents. */
export interface Services {
  /** Moves old broadcasts of a room into its archive. */
  trim: (room: Room) => void
  texts: TextWork
  history: FileHistory
  checkpoints: Checkpoints
  tasks: TaskScheduler
  httpAgents: HttpAgents
  indexer: Indexer
  finder: ArchiveFinder
}

export const createServices = (
  { options, now, log }: Base,
  updateLog: LevelUpdateLog,
  limiter: Limiter,
): Services => {
  const trim = createTrimmer(updateLog, now, (err) => log.warn({ err }, 'broadcasts not trimmed'))
  const texts = new TextWork()
  const checkpoints = new Checkpoints(updateLog.facts)
  const history = new FileHistory({
    log: updateLog.versions,
    now,
    delta: async (from, to) => (await texts.run('delta', [from, to])).found,
    pinned: (workspace, file) => checkpoints.pinned(workspace, file),
    onError: (err) => log.error({ err }, 'versions not stored'),
  })
  const { leaseMs, offerMs, archiveAfterMs } = options
  const tasks = new TaskScheduler({
    ...{ log: updateLog, now, leaseMs, offerMs, archiveAfterMs },
    onError: (err) => log.error({ err }, 'tasks not settled'),
  })
  const httpAgents = new HttpAgents(updateLog, now, (by, ms) => limiter.worked(by, ms))
  const store = new IndexStore(updateLog.derived)
  const indexer = new Indexer({
    ...{ log: updateLog, store },
    segments: async (...block) => (await texts.run('segments', block.flat())).found,
    onError: (err) => log.warn({ err }, 'the archive is not indexed'),
  })
  updateLog.onArchived = indexer.due
  const finder = new ArchiveFinder(updateLog, store, indexer)
  return { trim, texts, history, checkpoints, tasks, httpAgents, indexer, finder }
}
