import type { AgentId, FileKey, TaskId } from '../../protocol/ids.ts'
import { MAX_AHEAD_MS } from '../../protocol/limits.ts'
import type { TaskState } from '../../workspace/document/schema.ts'
import { withAdded } from './sorted.ts'

export type FeedKind = 'broadcast' | 'direct' | 'task' | 'note' | 'file' | 'agent'

/** One thing that was said or happened. */
export interface FeedEntry {
  /** Unique in the feed; a message's entry has the message's id. */
  id: string
  /** Milliseconds since the epoch, by the clock of whoever wrote it. */
  at: number
  kind: FeedKind
  from: AgentId
  to: AgentId | null
  /** The topic of a message; empty for other entries. */
  topic: string
  text: string
  task?: TaskId
  /** The state of the task from then on. */
  state?: TaskState
  file?: FileKey
  replyTo?: string
}

/** Newest entries that are kept (count): more than a workspace makes in a day, about 50 MB. */
export const MAX_FEED = 120_000
/** Entries dropped at a time when there are too many (count): all views of the feed are then rebuilt. */
const TRIMMED = 20_000

/** The order of the feed: by time. */
export const byTime = (a: FeedEntry, b: FeedEntry): number =>
  a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

/** All messages and events, oldest first. Entries never change; new ones may be inserted between them. */
export class EventFeed {
  entries: readonly FeedEntry[] = []
  readonly #known = new Set<string>()
  readonly #max: number
  /** The newest dropped entry: older ones are not added again. */
  #gone: FeedEntry | null = null

  constructor(max = MAX_FEED) {
    this.#max = max
  }

  /**
   * Adds those that are not in it, and tells how many those were. `now`: milliseconds since the epoch; what claims to be
   * from further ahead than clocks are off would stand last for ever, and counts as of now.
   */
  add(found: Iterable<FeedEntry>, now: number): number {
    const fresh: FeedEntry[] = []
    for (const entry of found) {
      if (this.#known.has(entry.id)) continue
      const at = entry.at > now + MAX_AHEAD_MS ? now : Math.max(0, entry.at)
      const one = at === entry.at ? entry : { ...entry, at }
      if (Number.isNaN(at) || (this.#gone !== null && byTime(one, this.#gone) <= 0)) continue
      this.#known.add(one.id)
      fresh.push(one)
    }
    if (fresh.length > 0) this.entries = withAdded(this.entries, fresh, byTime)
    if (this.entries.length > this.#max) this.#trim()
    return fresh.length
  }

  #trim(): void {
    const count = this.entries.length - this.#max + Math.min(TRIMMED, this.#max >> 2)
    const gone = this.entries.slice(0, count)
    for (const { id } of gone) this.#known.delete(id)
    this.#gone = gone.at(-1)!
    this.entries = this.entries.slice(count)
  }
}
