import type * as Y from 'yjs'
import type { Attached } from '../../client/resident/attach.ts'
import type { AgentId, FileKey, TaskId } from '../../protocol/ids.ts'
import { type Agent, listAgents } from '../../workspace/agents/agents.ts'
import { activities, type Presence } from '../../workspace/agents/presence.ts'
import { archivedBroadcasts, type BroadcastEntry, textOf } from '../../workspace/document/schema.ts'
import { isBinary } from '../../workspace/files/blobs.ts'
import { type FileInfo, fileInfo, listFiles } from '../../workspace/files/file-info.ts'
import { stateOf, suggestionEntries } from '../../workspace/files/suggestions.ts'
import { findLeaf, keysByFileId } from '../../workspace/files/tree.ts'
import { waitsForReview } from '../../workspace/suggestions/news.ts'
import { submissions } from '../../workspace/tasks/submissions.ts'
import {
  findEntry,
  getTask,
  listTasks,
  type Task,
  taskHistory,
} from '../../workspace/tasks/tasks.ts'
import { Changes, type Dirty } from './changes.ts'
import { EventFeed } from './feed.ts'
import {
  agentEntry,
  fileEntry,
  removedEntries,
  saidEntries,
  saidEntry,
  taskEntries,
} from './feed-entries.ts'
import { latest } from './frame.ts'
import { agentLines, fileLines, type Places, placesOf } from './lines.ts'
import type { Review, Snapshot } from './snapshot.ts'

/** A snapshot is taken at most this often (milliseconds): 12 a second look live, and leave time for keys. */
export const EVERY_MS = 80
/** Shortest time between two reads of files' figures (version, size, editor), in milliseconds. */
const FILES_EVERY_MS = 1_000
/** Interval of updates of the time offline, in milliseconds. */
const TICK_MS = 1_000
/** Ages and states that follow from silence are updated every this many ticks. */
const TICKS = 15
/** Units of a file that a preview shows at most. */
const PEEK_UNITS = 16_000
/** Waiting in the intake, each task is looked for among all there: of more than this many all are read at once. */
const MANY_HANDED_IN = 100

/**
 * The one reader of the document: keeps what is shown, reads again only what changed (one task, not ten thousand), and
 * tells its listeners of each new snapshot.
 */
export class Store {
  snapshot: Snapshot
  readonly #attached: Attached
  readonly #now: () => number
  readonly #listeners = new Set<() => void>()
  readonly #changes = new Changes()
  readonly #feed = new EventFeed()
  readonly #tasks = new Map<string, Task>()
  readonly #files = new Map<FileKey, FileInfo>()
  /** File ids → paths. */
  #keys: ReadonlyMap<string, FileKey> = new Map()
  #places: Places = new Map()
  #agents: readonly Agent[] = []
  readonly #historyOf: Snapshot['historyOf']
  readonly #peek: Snapshot['peek']
  #timer: NodeJS.Timeout | null = null
  #takenAt = Number.NEGATIVE_INFINITY
  #filesReadAt = Number.NEGATIVE_INFINITY
  readonly #ends: (() => void)[] = []

  /** `now`: milliseconds since the epoch, for ages and for what follows from silence. */
  constructor(attached: Attached, now: () => number) {
    const { doc } = attached
    this.#attached = attached
    this.#now = now
    // A task may be archived before the next snapshot is taken.
    this.#historyOf = (task) => (findEntry(doc, task) === undefined ? [] : taskHistory(doc, task))
    const peek = latest((path: string, version: number | undefined) => {
      const leaf = findLeaf(doc, path)
      if (leaf === null || isBinary(leaf.entry)) return null
      return version === undefined
        ? ''
        : textOf(doc, leaf.entry.fileId).toString().slice(0, PEEK_UNITS)
    })
    this.#peek = (path) => peek(path, this.#files.get(path as FileKey)?.version)
    this.snapshot = this.#take(NOTHING)
    const onTransaction = (transaction: Y.Transaction) => {
      if (this.#changes.note(transaction)) this.#schedule()
    }
    doc.on('afterTransaction', onTransaction)
    let ticks = 0
    const tick = setInterval(() => {
      const isDue = ++ticks % TICKS === 0
      if (isDue) this.#changes.now.presence = true
      if (isDue || !attached.contact.connected) this.#schedule()
    }, TICK_MS)
    this.#ends.push(
      () => doc.off('afterTransaction', onTransaction),
      () => clearInterval(tick),
      attached.onChange(() => {
        this.#changes.now.presence = true
        // A registered agent may read the messages to it.
        if (attached.me !== this.snapshot.me) this.#changes.now.said = true
        this.#schedule()
      }),
    )
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Adds what was said before, pages of the server's log; tells how much of that was new. */
  addSaid(entries: readonly BroadcastEntry[]): number {
    const { me } = this.#attached
    const said = entries.flatMap((entry) => saidEntry(entry, me) ?? [])
    const added = this.#feed.add(said, this.#now())
    this.#schedule()
    return added
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    for (const end of this.#ends.splice(0)) end()
    this.#listeners.clear()
  }

  #schedule(): void {
    this.#wake(this.#takenAt + EVERY_MS, () => {
      this.snapshot = this.#take(this.snapshot)
      for (const listener of this.#listeners) listener()
      // Changes of files wait for their interval.
      if (this.#changes.hasFiles) {
        this.#wake(this.#filesReadAt + FILES_EVERY_MS, () => this.#schedule())
      }
    })
  }

  /** Does it at that moment, unless something is to be done already. */
  #wake(moment: number, then: () => void): void {
    this.#timer ??= setTimeout(
      () => {
        this.#timer = null
        then()
      },
      Math.max(0, moment - performance.now()),
    )
  }

  #take(old: Snapshot): Snapshot {
    const { doc, me, role, where, contact } = this.#attached
    const now = this.#now()
    this.#takenAt = performance.now()
    const readFiles = this.#changes.hasFiles && this.#takenAt >= this.#filesReadAt + FILES_EVERY_MS
    const dirty = this.#changes.take(readFiles)

    const tasks = this.#readTasks(dirty, old.tasks, now)
    if (readFiles) this.#readFiles(dirty.files, now)
    if (dirty.said) this.#feed.add(saidEntries(doc, me), now)
    // Of whoever has just registered, what waits for them is read anew.
    if (me !== old.me) dirty.suggestions = true
    const isAnyoneElse = dirty.agents || dirty.presence
    if (isAnyoneElse || readFiles) {
      const presences = this.#attached.presences()
      this.#places = placesOf(presences, this.#keys)
      if (isAnyoneElse) this.#readAgents(presences, now)
    }
    const agents = agentLines(this.#agents, this.#places, tasks, old.agents)
    const files = fileLines(this.#files.values(), this.#places, old.files)
    if (readFiles) this.#feed.add(files.map(fileEntry), now)

    const unread = this.#attached.unread()
    const unreadIds =
      unread === old.unread
        ? old.unreadIds
        : new Set<string>(unread.map(({ message_id }) => message_id))
    return {
      ...{ me, role, capabilities: this.#myCapabilities(old.capabilities) },
      ...{ where, contact: { ...contact }, agents, tasks, files, unread, unreadIds, now },
      taskById: this.#tasks,
      historyOf: this.#historyOf,
      peek: this.#peek,
      feed: this.#feed.entries,
      ...this.#readSuggestions(dirty.suggestions || (readFiles && dirty.files === null), old),
      names: isAnyoneElse ? this.#names(old.names) : old.names,
      hasOlder: dirty.said ? archivedBroadcasts(doc) > 0 : old.hasOlder,
    }
  }

  /** The tasks as they are; in the order in which they were, where only some of them are others. */
  #readTasks(dirty: Dirty, old: readonly Task[], now: number): readonly Task[] {
    const { doc } = this.#attached
    let changed: ReadonlySet<string> | null = dirty.tasks
    if (changed !== null && dirty.intake) {
      const entries = submissions(doc)
      const ids = entries.flatMap((entry) => (entry.kind === 'task' ? [entry.id] : []))
      const noted = entries.flatMap((entry) => (entry.kind === 'note' ? [entry.task] : []))
      changed = ids.length > MANY_HANDED_IN ? null : new Set([...changed, ...ids, ...noted])
    }
    if (changed?.size === 0) return old
    const read: Task[] = changed === null ? listTasks(doc) : []
    if (changed === null) this.#tasks.clear()
    for (const id of changed ?? []) {
      // Archived tasks leave the board.
      if (findEntry(doc, id) === undefined) this.#tasks.delete(id as TaskId)
      else read.push(getTask(doc, id))
    }
    for (const task of read) this.#tasks.set(task.task_id, task)
    this.#feed.add(
      read.flatMap((task) => [...taskEntries(doc, task)]),
      now,
    )
    return [...this.#tasks.values()]
  }

  #readFiles(changed: ReadonlySet<string> | null, now: number): void {
    const { doc } = this.#attached
    this.#filesReadAt = this.#takenAt
    const keys = [...(changed ?? [])].map((id) => this.#keys.get(id))
    if (changed === null || keys.includes(undefined)) {
      this.#files.clear()
      this.#keys = keysByFileId(doc)
      for (const info of listFiles(doc)) this.#files.set(info.file_key, info)
      this.#feed.add(removedEntries(doc), now)
      return
    }
    for (const key of keys as FileKey[]) {
      if (findLeaf(doc, key) === null) this.#files.delete(key)
      else this.#files.set(key, fileInfo(doc, key))
    }
  }

  #readSuggestions(
    hasChanged: boolean,
    { suggestionStamp, waiting, reviews }: Snapshot,
  ): Pick<Snapshot, 'suggestionStamp' | 'waiting' | 'reviews'> {
    if (!hasChanged) return { suggestionStamp, waiting, reviews }
    const mine: Review[] = []
    const counts = new Map<string, number>()
    for (const entry of suggestionEntries(this.#attached.doc)) {
      const path = this.#keys.get(entry.facts.fileId) ?? entry.facts.key
      if (waitsForReview(entry, this.#attached.me)) {
        const { by, at, note } = entry.facts
        mine.push({ id: entry.id, file: path, by, at, note })
      }
      if (stateOf(entry) === 'open') counts.set(path, (counts.get(path) ?? 0) + 1)
    }
    mine.sort((a, b) => a.at - b.at)
    return { suggestionStamp: suggestionStamp + 1, waiting: counts, reviews: mine }
  }

  #readAgents(presences: readonly Presence[], now: number): void {
    const here = activities(presences)
    this.#agents = listAgents(this.#attached.doc, {
      present: new Set(here.keys()),
      activities: here,
      now,
    })
    this.#feed.add(this.#agents.map(agentEntry), now)
  }

  /** The same list while they are the same. */
  #myCapabilities(old: readonly string[]): readonly string[] {
    const { me } = this.#attached
    const mine = this.#agents.find(({ agent_id }) => agent_id === me)?.capabilities ?? []
    return mine.join() === old.join() ? old : mine
  }

  /** The same map while all are named as they were: what is made from names stays good. */
  #names(old: Snapshot['names']): Snapshot['names'] {
    const isSame =
      old.size === this.#agents.length &&
      this.#agents.every(({ agent_id, name }) => old.get(agent_id) === name)
    return isSame ? old : new Map(this.#agents.map(({ agent_id, name }) => [agent_id, name]))
  }
}

/** The snapshot before the first read. */
const NOTHING: Snapshot = {
  me: null as AgentId | null,
  ...{ role: null, capabilities: [] },
  where: { profile: '', name: '', server: '', workspace: '' },
  contact: { connected: false, since: 0, why: null },
  ...{ agents: [], tasks: [], taskById: new Map(), historyOf: () => [], feed: [], files: [] },
  peek: () => null,
  ...{ suggestionStamp: 0, waiting: new Map(), reviews: [] },
  ...{ names: new Map(), unread: [], unreadIds: new Set<string>(), hasOlder: false, now: 0 },
}
