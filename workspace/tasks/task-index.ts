import * as Y from 'yjs'
import { LazyMap, LazySet } from '../../lib/lazy.ts'
import { itemOf } from '../../lib/yjs/internals.ts'
import type { AgentId, TaskId } from '../../protocol/ids.ts'
import { tasksOf } from '../document/schema.ts'
import { taskRecord, taskRecords } from '../document/shape.ts'
import { byUrgency } from './task-routing.ts'
import { isTerminal } from './task-states.ts'
import { readEntry, type TaskEntry } from './tasks.ts'

/**
 * An index of the filed tasks of a document, so that a claim costs time by the open tasks, not by
 * all. Follows the document until it is closed.
 */
export class TaskIndex {
  readonly #doc: Y.Doc
  readonly #tasks = new LazyMap<TaskId, TaskEntry>()
  /** Tasks that have not ended, the most urgent first. */
  readonly #open: TaskEntry[] = []
  /** Task → the tasks that wait for it. */
  readonly #dependents = new LazyMap<TaskId, Set<TaskId>>()
  /** Owner → its tasks that have not ended. */
  readonly #held = new LazyMap<AgentId, Set<TaskId>>()
  /** Changed since `takeChanged`. */
  #changed = new LazySet<TaskId>()
  readonly #onEvents = (events: Y.YEvent<Y.AbstractType<unknown>>[]): void => this.#follow(events)

  constructor(doc: Y.Doc) {
    this.#doc = doc
    for (const [id] of taskRecords(doc)) this.read(id)
    tasksOf(doc).observeDeep(this.#onEvents)
  }

  get(id: TaskId): TaskEntry | undefined {
    return this.#tasks.get(id)
  }

  get all(): Iterable<TaskEntry> {
    return this.#tasks.values()
  }

  get size(): number {
    return this.#tasks.size
  }

  /** The tasks that have not ended, the most urgent first. */
  get open(): readonly TaskEntry[] {
    return this.#open
  }

  /** The tasks that have this owner and have not ended. */
  heldBy(agent: AgentId): ReadonlySet<TaskId> {
    return this.#held.get(agent) ?? NONE
  }

  /** Tells whether some lease can end: a task has an owner that does not wait for approval. */
  get hasLeases(): boolean {
    return this.#open.some(({ status }) => status.owner !== null && !status.pending)
  }

  /** The tasks that wait for this one, ended ones included. */
  dependents(id: TaskId): ReadonlySet<TaskId> {
    return this.#dependents.get(id) ?? NONE
  }

  get hasChanged(): boolean {
    return this.#changed.size > 0
  }

  /** The tasks that changed since the last call; the first call returns all tasks. */
  takeChanged(): ReadonlySet<TaskId> {
    const changed = this.#changed
    this.#changed = new LazySet()
    return changed
  }

  close(): void {
    tasksOf(this.#doc).unobserveDeep(this.#onEvents)
  }

  #follow(events: Y.YEvent<Y.AbstractType<unknown>>[]): void {
    for (const event of events) {
      const [bucket, id] = event.path
      if (id !== undefined) this.read(id as TaskId)
      else if (bucket !== undefined) this.#readAll((event as Y.YMapEvent<unknown>).keysChanged)
      else for (const name of (event as Y.YMapEvent<unknown>).keysChanged) this.#readBucket(name)
    }
  }

  #readAll(ids: Iterable<string>): void {
    for (const id of ids) this.read(id as TaskId)
  }

  /** A bucket was added or deleted; only this index still knows the tasks of a deleted one. */
  #readBucket(name: string): void {
    const bucket = tasksOf(this.#doc).get(name)
    if (bucket instanceof Y.Map) this.#readAll(bucket.keys())
    else
      for (const [id, { record }] of this.#tasks) {
        if (record !== null && itemOf(record)?.deleted) this.read(id)
      }
  }

  /** Reads a task again: within a transaction, before the document emits its events. */
  read(id: TaskId): void {
    const before = this.#tasks.get(id)
    const record = taskRecord(this.#doc, id)
    const entry = record === undefined ? undefined : readEntry(id, record)
    // Only a note or an offer changed, or the change was read within its transaction.
    if (before?.status === entry?.status && before?.record === entry?.record) return
    this.#changed.add(id)
    if (before !== undefined && isOpen(before)) {
      this.#open.splice(this.#placeOf(before), 1)
      this.#release(before)
    }
    if (entry !== undefined && isOpen(entry)) {
      this.#open.splice(this.#placeOf(entry), 0, entry)
      this.#hold(entry)
    }
    if (entry === undefined) this.#tasks.delete(id)
    else this.#tasks.set(id, entry)
    if (before === undefined && entry !== undefined) this.#link(entry)
    if (before !== undefined && entry === undefined) this.#unlink(before)
  }

  #hold({ id, status: { owner } }: TaskEntry): void {
    if (owner === null) return
    const held = this.#held.get(owner)
    if (held === undefined) this.#held.set(owner, new Set([id]))
    else held.add(id)
  }

  #release({ id, status: { owner } }: TaskEntry): void {
    if (owner === null) return
    this.#held.get(owner)?.delete(id)
    if (this.#held.get(owner)?.size === 0) this.#held.delete(owner)
  }

  /** Its index among the open tasks, or the index where it belongs. */
  #placeOf(entry: TaskEntry): number {
    let [low, high] = [0, this.#open.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (byUrgency(this.#open[middle]!, entry) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #link({ id, facts }: TaskEntry): void {
    for (const other of facts.after ?? []) {
      const known = this.#dependents.get(other)
      if (known === undefined) this.#dependents.set(other, new Set([id]))
      else known.add(id)
    }
  }

  #unlink({ id, facts }: TaskEntry): void {
    for (const other of facts.after ?? []) this.#dependents.get(other)?.delete(id)
    if (this.#dependents.get(id)?.size === 0) this.#dependents.delete(id)
  }
}

const NONE: ReadonlySet<TaskId> = new Set()
const isOpen = ({ status }: TaskEntry): boolean => !isTerminal(status.state)

/** Calls `onChange` when a task changes. Returns the function that stops it. */
export const observeTask = (doc: Y.Doc, id: string, onChange: () => void): (() => void) => {
  const look = (events: Y.YEvent<Y.AbstractType<unknown>>[]): void => {
    const concerns = ({ path, changes }: Y.YEvent<Y.AbstractType<unknown>>) =>
      path.length < 2 ? path.length === 0 || changes.keys.has(id) : path[1] === id
    if (events.some(concerns)) onChange()
  }
  const tasks = tasksOf(doc)
  tasks.observeDeep(look)
  return () => tasks.unobserveDeep(look)
}
