import type * as Y from 'yjs'
import type { AgentId, TaskId } from '../../../protocol/ids.ts'
import { migrate } from '../../document/migrate.ts'
import { submissionsOf } from '../../document/schema.ts'
import { TaskIndex } from '../task-index.ts'
import { isTerminal } from '../task-states.ts'
import { writeServerStep } from '../task-write.ts'
import { CycleSearch, openDependents } from './dependencies.ts'
import { type Archive, SubmissionFiler } from './filing.ts'
import { nextEvent } from './next.ts'
import { askToTake } from './offers.ts'
import { archiveEnded, endedIn, noteArchived, noteEnded } from './retention.ts'
import { ReviewQueue } from './review-queue.ts'
import { ReconcileView, type TaskWorld } from './world.ts'

// Bounds of one reconciliation (count), so that a turn of the room stays short.
const MAX_FILED = 250
const MAX_REVIEWED = 2_000
const MAX_LINKS = 100_000

export interface Reconciled {
  /** When something is due by time alone (milliseconds since the epoch; Infinity: never). */
  next: number
  /** Tasks to look up in the archive; reconcile again with them in `TaskWorld.archived`. */
  unknown: ReadonlySet<TaskId>
  /** More is due now. */
  more: boolean
}

/**
 * Does all that happens to tasks by itself: files submissions, ends leases and deadlines, releases or fails the dependents
 * of ended tasks, asks agents, archives old tasks. Server only. Idempotent: it may run whenever something may be due, and
 * a server that was killed continues where it was.
 */
export class TaskReconciler {
  readonly index: TaskIndex
  readonly #doc: Y.Doc
  readonly #queue = new ReviewQueue()
  /** Ended tasks, those first that ended first. */
  readonly #ended: TaskId[]
  readonly #cycles: CycleSearch
  readonly #filer: SubmissionFiler

  constructor(doc: Y.Doc) {
    this.#doc = doc
    this.index = new TaskIndex(doc)
    this.#cycles = new CycleSearch(this.index)
    this.#filer = new SubmissionFiler(doc, (id, { after = [] }) => {
      this.index.read(id)
      if (this.#cycles.seek(id, after)) this.#queue.touch(id)
    })
    for (const { id } of this.index.all) this.#queue.touch(id)
    this.#ended = endedIn(this.index)
  }

  close(): void {
    this.index.close()
    this.#filer.close()
  }

  /** Has the tasks that this agent owns reviewed: it connected or disconnected. */
  touch(agent: AgentId): void {
    for (const { id, status } of this.index.open) if (status.owner === agent) this.#queue.touch(id)
  }

  /** Has the unowned tasks without an addressee reviewed: an agent is new or has new capabilities. */
  touchOpen(): void {
    for (const { id, status, facts } of this.index.open) {
      if (status.owner === null && facts.to === null) this.#queue.touch(id)
    }
  }

  /** Tells whether there is work that did not come by time. */
  get isDirty(): boolean {
    return !this.#queue.isEmpty || this.index.hasChanged || submissionsOf(this.#doc).length > 0
  }

  /** Does all that is due now, within the bounds above. Call it in a transaction. */
  reconcile(world: TaskWorld, put: Archive): Reconciled {
    const unknown = new Set<TaskId>()
    let count = 0
    const archive: Archive = (entry) => {
      put(entry)
      count++
    }
    for (const id of migrate(this.#doc)) this.index.read(id)
    this.#cycles.refill(MAX_LINKS)
    let left = MAX_FILED
    const isOver = () => left-- <= 0 || this.#cycles.isSpent
    const hasUnfiled = this.#filer.file(world.archived, archive, unknown, isOver)
    const hasUnreviewed = this.#review(world, unknown)
    const oldest = archiveEnded(this.#ended, this.#doc, this.index, world, archive)
    this.index.takeChanged()
    if (count > 0) noteArchived(this.#doc, count)
    const more = hasUnfiled || hasUnreviewed
    return { next: Math.min(more ? world.now : oldest, this.#queue.next), unknown, more }
  }

  /** Reviews the tasks that are to be reviewed now. Returns whether some are left over. */
  #review(world: TaskWorld, unknown: Set<TaskId>): boolean {
    const view = new ReconcileView(this.#doc, this.index, world, this.#cycles.found)
    const todo = this.#queue.take(this.index.takeChanged(), world.now)
    let left = MAX_REVIEWED
    // Grows on the way: by tasks that took a step and by dependents of tasks that ended.
    for (const id of todo) {
      if (left-- > 0) this.#reviewOne(id, view, todo, unknown)
      else this.#queue.touch(id)
    }
    return left < 0
  }

  #reviewOne(id: TaskId, view: ReconcileView, todo: Set<TaskId>, unknown: Set<TaskId>): void {
    const entry = this.index.get(id)
    this.#queue.schedule(id, Infinity)
    if (entry === undefined) return
    if (isTerminal(entry.status.state)) {
      noteEnded(this.#ended, id)
      // Also those that were reviewed already: this task had not ended then.
      for (const other of openDependents(this.index, id)) moveToEnd(todo, other)
      return
    }
    const next = nextEvent(entry, view)
    if ('step' in next) {
      writeServerStep(this.#doc, entry, { ...next.step, now: view.world.now })
      this.index.read(id)
      moveToEnd(todo, id)
      return
    }
    for (const to of next.ask ?? []) askToTake(entry, to, view.world.now)
    for (const other of next.lookUp ?? []) unknown.add(other)
    if (next.lookUp !== undefined && next.lookUp.length > 0) this.#queue.touch(id)
    this.#queue.schedule(id, next.until)
  }
}

const moveToEnd = (todo: Set<TaskId>, id: TaskId): void => {
  todo.delete(id)
  todo.add(id)
}
