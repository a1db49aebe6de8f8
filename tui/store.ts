import * as Y from 'yjs'
import { type Agent, listAgents } from '../workspace/agents.ts'
import { type FileInfo, fileInfo, listFiles } from '../workspace/files.ts'
import type { AgentId, FileKey, TaskId } from '../workspace/ids.ts'
import { handedIn } from '../workspace/intake.ts'
import type { Attached } from '../workspace/link/attach.ts'
import { activities, type Presence } from '../workspace/presence.ts'
import { archivedBroadcasts, type BroadcastEntry, EDITS_PREFIX } from '../workspace/schema.ts'
import { findEntry, getTask, listTasks, type Task, taskHistory } from '../workspace/tasks.ts'
import { findFile, keysOf } from '../workspace/tree.ts'
import {
  agentEntry,
  Feed,
  fileEntry,
  removedEntries,
  saidEntries,
  saidEntry,
  taskEntries,
} from './feed.ts'
import type { AgentLine, FileLine, Snapshot } from './snapshot.ts'

/** A snapshot is taken at most this often (milliseconds): 12 a second look live, and leave time for keys. */
const EVERY_MS = 80
/** Figures of files (version, size, editor) are read at most this often (milliseconds): a keystroke is no news. */
const FILES_EVERY_MS = 1_000
/** Ages and what follows from silence are drawn anew this often (milliseconds), if nothing else happens. */
const TICK_MS = 15_000

/** What has changed since the last snapshot. */
interface Dirty {
  agents: boolean
  presence: boolean
  said: boolean
  /** null: any. */
  tasks: Set<string> | null
  files: Set<string> | null
}

/**
 * The one reader of the document: keeps what is shown, reads again only what changed (one task, not ten thousand), and
 * tells its listeners of each new snapshot.
 */
export class Store {
  snapshot: Snapshot
  readonly #attached: Attached
  readonly #now: () => number
  readonly #listeners = new Set<() => void>()
  readonly #feed = new Feed()
  readonly #tasks = new Map<string, Task>()
  readonly #files = new Map<FileKey, FileInfo>()
  readonly #roots = new WeakMap<object, string>()
  /** File ids → paths. */
  #keys: ReadonlyMap<string, FileKey> = new Map()
  readonly #historyOf: Snapshot['historyOf']
  #agents: readonly Agent[] = []
  #dirty: Dirty = { agents: true, presence: true, said: true, tasks: null, files: null }
  #timer: NodeJS.Timeout | null = null
  #tick: NodeJS.Timeout
  #takenAt = Number.NEGATIVE_INFINITY
  #filesReadAt = Number.NEGATIVE_INFINITY
  readonly #ends: (() => void)[] = []

  /** `now`: milliseconds since the epoch, for ages and for what follows from silence. */
  constructor(attached: Attached, now: () => number) {
    this.#attached = attached
    this.#now = now
    this.#historyOf = (task) => taskHistory(attached.doc, task)
    this.snapshot = this.#take()
    const onTransaction = (transaction: Y.Transaction) => this.#note(transaction)
    attached.doc.on('afterTransaction', onTransaction)
    this.#ends.push(() => attached.doc.off('afterTransaction', onTransaction))
    this.#ends.push(
      attached.onChange(() => {
        this.#dirty.presence = true
        // Who has registered may read what was sent to it.
        if (attached.me !== this.snapshot.me) this.#dirty.said = true
        this.#schedule()
      }),
    )
    this.#tick = setInterval(() => {
      this.#dirty.presence = true
      this.#schedule()
    }, TICK_MS)
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Adds what was said before: pages of the server's log. */
  addSaid(entries: readonly BroadcastEntry[]): void {
    const { me } = this.#attached
    this.#feed.add(entries.flatMap((entry) => saidEntry(entry, me) ?? []))
    this.#schedule()
  }

  close(): void {
    clearInterval(this.#tick)
    if (this.#timer !== null) clearTimeout(this.#timer)
    for (const end of this.#ends.splice(0)) end()
    this.#listeners.clear()
  }

  #schedule(): void {
    if (this.#timer !== null) return
    const wait = Math.max(0, this.#takenAt + EVERY_MS - performance.now())
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.snapshot = this.#take()
      for (const listener of this.#listeners) listener()
      if (this.#dirty.files === null || this.#dirty.files.size > 0) this.#scheduleFiles()
    }, wait)
  }

  #scheduleFiles(): void {
    const wait = Math.max(EVERY_MS, this.#filesReadAt + FILES_EVERY_MS - performance.now())
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      this.#schedule()
    }, wait)
  }

  /** The name of the root type that `type` is; types of files are named `edits:…`. */
  #rootName(type: Y.AbstractType<unknown>): string {
    let name = this.#roots.get(type)
    if (name === undefined) {
      name = Y.findRootTypeKey(type)
      this.#roots.set(type, name)
    }
    return name
  }

  #note({ changed }: Y.Transaction): void {
    const dirty = this.#dirty
    for (const [start, keys] of changed) {
      let type = start as Y.AbstractType<unknown>
      /** The keys that lead to it, from the root on. */
      const way: (string | null)[] = []
      while (type._item !== null) {
        way.unshift(type._item.parentSub)
        type = type._item.parent as Y.AbstractType<unknown>
      }
      const name = this.#rootName(type)
      if (name === 'agents') dirty.agents = true
      else if (name === 'broadcasts' || name === 'meta') dirty.said = true
      else if (name === 'tasks') {
        // Tasks are in buckets: of one that comes or goes all is looked at.
        if (way.length === 0) dirty.tasks = null
        for (const id of way.length === 1 ? keys : [way[1] ?? null]) {
          if (id !== null) dirty.tasks?.add(id)
        }
      } else if (name === 'intake') {
        for (const entry of handedIn(this.#attached.doc)) {
          if (entry.kind === 'task') dirty.tasks?.add(entry.id)
          else if (entry.kind === 'note') dirty.tasks?.add(entry.task)
        }
      } else if (name === 'files') dirty.files = null
      else if (name.startsWith(EDITS_PREFIX)) {
        const key = this.#keys.get(name.slice(EDITS_PREFIX.length))
        if (key === undefined) dirty.files = null
        else dirty.files?.add(key)
      } else continue
      this.#schedule()
    }
  }

  #take(): Snapshot {
    const { doc, me, where, contact } = this.#attached
    const now = this.#now()
    const moment = performance.now()
    const old = this.snapshot as Snapshot | undefined
    const dirty = this.#dirty
    const readFiles =
      (dirty.files === null || dirty.files.size > 0) && moment >= this.#filesReadAt + FILES_EVERY_MS
    this.#dirty = {
      ...{ agents: false, presence: false, said: false, tasks: new Set() },
      files: readFiles ? new Set() : dirty.files,
    }
    this.#takenAt = moment

    const tasks =
      dirty.tasks === null || dirty.tasks.size > 0 ? this.#readTasks(dirty.tasks) : old!.tasks
    if (readFiles) this.#readFiles(dirty.files, moment)
    if (dirty.said) this.#feed.add(saidEntries(doc, me))

    const presences = dirty.agents || dirty.presence || readFiles ? this.#attached.presences() : []
    const isAnyoneElse = dirty.agents || dirty.presence
    if (isAnyoneElse) this.#readAgents(presences, now)
    const places = isAnyoneElse || readFiles ? placesOf(presences, this.#keys) : null
    const agents =
      places !== null || tasks !== old!.tasks
        ? this.#agentLines(places, presences, tasks, old)
        : old!.agents
    const files = places === null ? old!.files : this.#fileLines(places, old)
    if (readFiles) this.#feed.add(files.map(fileEntry))

    const unread = this.#attached.unread()
    return {
      ...{
        me,
        where,
        contact: { ...contact },
        agents,
        tasks,
        taskById: this.#tasks,
        files,
        unread,
      },
      historyOf: this.#historyOf,
      feed: this.#feed.entries,
      names: dirty.agents ? new Map(this.#agents.map((a) => [a.agent_id, a.name])) : old!.names,
      unreadIds:
        unread === old?.unread
          ? old.unreadIds
          : new Set(unread.map(({ message_id }) => message_id)),
      hasOlder: dirty.said ? archivedBroadcasts(doc) > 0 : old!.hasOlder,
      now,
    }
  }

  #readTasks(changed: ReadonlySet<string> | null): readonly Task[] {
    const { doc } = this.#attached
    if (changed === null) this.#tasks.clear()
    // What has been archived is not on the board any more.
    for (const id of changed ?? []) this.#tasks.delete(id as TaskId)
    const read =
      changed === null
        ? listTasks(doc)
        : [...changed].flatMap((id) => (findEntry(doc, id) === undefined ? [] : getTask(doc, id)))
    for (const task of read) {
      this.#tasks.set(task.task_id, task)
    }
    this.#feed.add(entriesOf(doc, read))
    return [...this.#tasks.values()]
  }

  #readFiles(changed: ReadonlySet<string> | null, moment: number): void {
    const { doc } = this.#attached
    this.#filesReadAt = moment
    if (changed === null) {
      this.#files.clear()
      this.#keys = keysOf(doc)
      for (const info of listFiles(doc)) this.#files.set(info.file_key, info)
      this.#feed.add(removedEntries(doc))
      return
    }
    for (const key of changed) {
      if (findFile(doc, key) === null) this.#files.delete(key as FileKey)
      else this.#files.set(key as FileKey, fileInfo(doc, key))
    }
  }

  #readAgents(presences: readonly Presence[], now: number): void {
    const here = activities(presences)
    this.#agents = listAgents(this.#attached.doc, {
      present: new Set(here.keys()),
      activities: here,
      now,
    })
    this.#feed.add(this.#agents.map(agentEntry))
  }

  #agentLines(
    places: ReadonlyMap<AgentId, FileKey> | null,
    presences: readonly Presence[],
    tasks: readonly Task[],
    old: Snapshot | undefined,
  ): readonly AgentLine[] {
    const working = new Map<string, TaskId>()
    for (const { status, owner, task_id } of tasks) {
      if (status === 'working' && owner !== null) working.set(owner, task_id)
    }
    const people = new Set<string>()
    for (const { agent } of presences) if (agent.kind === 'person') people.add(agent.id)
    const before = new Map(old?.agents.map((line) => [line.agent.agent_id, line]))
    return this.#agents.map((agent) => {
      const known = before.get(agent.agent_id)
      const file = places === null ? known?.file : places.get(agent.agent_id)
      return {
        agent,
        task: (agent.activity?.task as TaskId | undefined) ?? working.get(agent.agent_id) ?? null,
        file: file ?? null,
        isPerson: people.has(agent.agent_id) || known?.isPerson === true,
      }
    })
  }

  /** Lines of files that nobody entered or left, and that are as they were, stay the same objects. */
  #fileLines(
    places: ReadonlyMap<AgentId, FileKey>,
    old: Snapshot | undefined,
  ): readonly FileLine[] {
    const inside = new Map<FileKey, AgentId[]>()
    for (const [agent, key] of places) {
      const editors = inside.get(key)
      if (editors === undefined) inside.set(key, [agent])
      else editors.push(agent)
    }
    const before = new Map(old?.files.map((line) => [line.info.file_key, line]))
    let same = old !== undefined && old.files.length === this.#files.size
    const lines = [...this.#files.values()].map((info) => {
      const known = before.get(info.file_key)
      const editors = inside.get(info.file_key) ?? []
      if (known?.info === info && known.editors.join() === editors.join()) return known
      same = false
      return { info, editors }
    })
    return same ? old!.files : lines
  }
}

const entriesOf = function* (doc: Y.Doc, tasks: readonly Task[]) {
  for (const task of tasks) yield* taskEntries(doc, task)
}

/** Who is in which file now. */
const placesOf = (
  presences: readonly Presence[],
  keys: ReadonlyMap<string, FileKey>,
): Map<AgentId, FileKey> => {
  const places = new Map<AgentId, FileKey>()
  for (const { agent, cursor } of presences) {
    const key = cursor === undefined ? undefined : keys.get(cursor.file)
    if (key !== undefined) places.set(agent.id, key)
  }
  return places
}
