import * as Y from 'yjs'
import type { AgentId, TaskId } from '../../../protocol/ids.ts'
import {
  agentsOf,
  initWorkspace,
  serverClientOf,
  type TaskState,
} from '../../../workspace/document/schema.ts'
import { TaskReconciler } from '../../../workspace/tasks/reconcile/reconciler.ts'
import type { TaskWorld as Settling } from '../../../workspace/tasks/reconcile/world.ts'
import { type ArchivedTask, readArchivedTask } from '../../../workspace/tasks/task-archive.ts'
import type { TaskIndex } from '../../../workspace/tasks/task-index.ts'
import { Member } from './member.ts'

export const LEASE_MS = 600_000
export const OFFER_MS = 60_000
export const ARCHIVE_AFTER_MS = 2 * 3_600_000
/** Settlings in a row that time alone may cause (count): more of them is a loop that does not end. */
const MOST_SETTLINGS = 2_000

/**
 * A server's document with all that the server does about tasks, its archive, and agents with replicas of their own; no
 * socket, no disk, and a clock that moves when it is told to. What is random comes from `random`.
 */
export class TaskWorld {
  now = 1_700_000_000_000
  doc: Y.Doc
  readonly random: () => number
  readonly members: Member[] = []
  /** Positions 1, 2, 3 … */
  readonly archive: { id: string; value: Uint8Array }[] = []
  #settler!: TaskReconciler
  #archived = new Map<TaskId, ArchivedTask | null>()
  #toLookUp: ReadonlySet<TaskId> = new Set()
  #lastSeen = new Map<AgentId, number>()
  #since = this.now
  #next = Infinity

  constructor(random: () => number) {
    this.random = random
    this.doc = new Y.Doc()
    this.doc.clientID = 1
    initWorkspace(this.doc, 'model', this.now)
    this.#follow()
  }

  /** A number from 0 to below `n`. */
  below(n: number): number {
    return Math.floor(this.random() * n)
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!
  }

  get index(): TaskIndex {
    return this.#settler.index
  }

  add(name: string): Member {
    const member = new Member(this, `a-${name}` as AgentId, 100 + this.members.length)
    this.members.push(member)
    return member
  }

  #follow(): void {
    const { doc } = this
    const settler = new TaskReconciler(doc)
    this.#settler = settler
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      for (const member of this.members) if (member !== origin) member.hear(update)
    })
    agentsOf(doc).observeDeep((events) => {
      if (events.some(({ path, changes }) => path.length === 0 || changes.keys.has('capabilities')))
        settler.touchOpen()
    })
  }

  // ── What the server does ───────────────────────────────────────────────────────────────────────────────────

  settling(): Settling {
    const atWork = new Set(this.members.filter((one) => one.isAtWork).map(({ id }) => id))
    const present = new Set(this.members.filter((one) => one.connected).map(({ id }) => id))
    return {
      ...{ now: this.now, leaseMs: LEASE_MS, offerMs: OFFER_MS, archiveAfterMs: ARCHIVE_AFTER_MS },
      here: { present, now: this.now },
      lastSeen: (id) => (atWork.has(id) ? this.now : this.lastSeen(id)),
      archived: this.#archived,
    }
  }

  lastSeen(id: AgentId): number {
    return this.#lastSeen.get(id) ?? this.#since
  }

  #settle(): void {
    const { next, unknown, more } = this.doc.transact(() =>
      this.#settler.reconcile(this.settling(), ({ id, value }) => this.archive.push({ id, value })),
    )
    this.#next = next
    this.#toLookUp = unknown
    if (more) this.#settle()
  }

  /** Reads from the archive what settling did not know; whether there was anything. */
  #lookUp(): boolean {
    const before = this.#archived.size
    for (const id of this.#toLookUp) {
      if (!this.#archived.has(id)) this.#archived.set(id, this.findArchived(id))
    }
    this.#toLookUp = new Set()
    return this.#archived.size > before
  }

  /** Does all that is due now. */
  settle(): void {
    for (let i = 0; i < MOST_SETTLINGS; i++) {
      this.#settle()
      if (this.#lookUp() || this.#next <= this.now || this.#settler.isDirty) continue
      // What was not there may come.
      for (const [id, task] of this.#archived) if (task === null) this.#archived.delete(id)
      return
    }
    throw new Error('settling does not end')
  }

  /** Takes what a member sent, and settles, as the server does after a commit. */
  accept(update: Uint8Array, from: Member): void {
    Y.applyUpdate(this.doc, update, from)
    if (this.#settler.isDirty) this.settle()
  }

  /** Runs a command as the server does: on tasks as they are now. */
  command<T>(change: (doc: Y.Doc, index: TaskIndex) => T): T {
    this.settle()
    try {
      return this.doc.transact(() => change(this.doc, this.index))
    } finally {
      this.settle()
    }
  }

  /** A member's connection, or what it says of itself, changed. */
  seen({ id }: Member, wasAtWork: boolean, isAtWork: boolean): void {
    this.#lastSeen.set(id, this.now)
    if (wasAtWork === isAtWork) return
    this.#settler.touch(id)
    this.settle()
  }

  pass(ms: number): void {
    const end = this.now + ms
    for (let i = 0; this.#next <= end; i++) {
      if (i > MOST_SETTLINGS) throw new Error('time alone makes too much happen')
      this.now = Math.max(this.now, this.#next)
      this.settle()
    }
    this.now = end
  }

  /** Kills the server and starts it on what it had stored. Whoever was connected is not any more. */
  restart(): void {
    const stored = Y.encodeStateAsUpdate(this.doc)
    this.#settler.close()
    this.doc.destroy()
    this.doc = new Y.Doc()
    Y.applyUpdate(this.doc, stored)
    this.doc.clientID = serverClientOf(this.doc)
    for (const member of this.members) member.cut()
    this.#archived = new Map()
    this.#lastSeen = new Map()
    this.#since = this.now
    this.#follow()
    this.settle()
  }

  /** Whether one who looks at every task anew finds something that was left undone. */
  leftUndone(): boolean {
    const before = Y.encodeStateVector(this.doc).join()
    const fresh = new TaskReconciler(this.doc)
    try {
      this.doc.transact(() => fresh.reconcile(this.settling(), () => {}))
    } finally {
      fresh.close()
    }
    return Y.encodeStateVector(this.doc).join() !== before
  }

  // ── What it has archived ───────────────────────────────────────────────────────────────────────────────────

  findArchived(id: string): ArchivedTask | null {
    const found = this.archive.findLast((entry) => entry.id === id)
    return found === undefined ? null : readArchivedTask(found.value)
  }

  stateOf(id: TaskId): TaskState | undefined {
    return (this.index.get(id) ?? this.findArchived(id))?.status.state
  }
}
