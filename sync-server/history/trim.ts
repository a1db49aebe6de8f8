import { broadcastsOf } from '../../workspace/document/schema.ts'
import { readArchived, trimBroadcasts } from '../../workspace/inbox/archive.ts'
import { liveBroadcasts } from '../../workspace/messages/live-log.ts'
import { KEPT_BROADCASTS, MAX_LIVE_BROADCASTS } from '../config/limits.ts'
import type { UpdateLog } from '../storage/update-log.ts'
import type { Room } from '../sync/room.ts'

/**
 * Keeps the live array of every room short: call it after each commit. Entries move from the document to the archive
 * in one durable record. A room has one trim at a time, so that the archive's end does not move during it.
 */
export const createTrimmer = (log: UpdateLog, now: () => number, onError: (e: unknown) => void) => {
  const trimming = new WeakSet<Room>()
  const due = (room: Room): boolean => broadcastsOf(room.doc).length > MAX_LIVE_BROADCASTS

  return (room: Room): void => {
    if (trimming.has(room) || !due(room)) return
    trimming.add(room)
    const trim = async (): Promise<void> => {
      // More may have come while the last trim was on its way to the disk.
      while (due(room)) await trimOnce(room, log, now())
    }
    trim()
      .catch(onError)
      .finally(() => trimming.delete(room))
  }
}

const trimOnce = async (room: Room, log: UpdateLog, now: number): Promise<void> => {
  const end = await log.archiveEnd(room.name, 'broadcasts')
  const [newest] = end === 0 ? [] : await log.archived(room.name, 'broadcasts', end - 1, 1)
  // The clock may have been set back; finding a time in the archive relies on the order.
  const at = newest === undefined ? now : Math.max(now, readArchived(newest.value).at)
  const taken = await archivedIds(room, log, now)
  await room.command((doc, archive) => {
    for (const { id, value } of trimBroadcasts(doc, KEPT_BROADCASTS, end, at)) {
      // A lookup by id finds the first entry with it.
      const isFirst = id !== null && !taken.has(id)
      if (isFirst) taken.add(id)
      archive({ shelf: 'broadcasts', id: isFirst ? id : null, value })
    }
  })
}

/** Ids of due entries that the archive already has: old documents may hold an id twice. */
const archivedIds = async (room: Room, log: UpdateLog, now: number): Promise<Set<string>> => {
  const ids = liveBroadcasts(room.doc, now)
    .slice(0, -KEPT_BROADCASTS)
    .map(({ id }) => id)
  const places = await Promise.all(
    ids.map((id) => log.archivePosition(room.name, 'broadcasts', id)),
  )
  return new Set(ids.filter((_, i) => places[i] !== null))
}
