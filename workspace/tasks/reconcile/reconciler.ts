import type * as Y from 'yjs'
import type { AgentId, TaskId } from '../../../protocol/ids.ts'
import { MAX_ATTEMPTS } from '../../../protocol/limits.ts'
import { type Agent, agentName, type Here, listAgents } from '../../agents/agents.ts'
import { removeFrom } from '../../document/buckets.ts'
import { migrate } from '../../document/migrate.ts'
import {
  archivedTasks,
  isoTime,
  metaOf,
  submissionsOf,
  type TaskState,
  tasksOf,
} from '../../document/schema.ts'
import { type ArchivedTask, archivedOf, storedTask } from '../task-archive.ts'
import { TaskIndex } from '../task-index.ts'
import { candidates, type Record, recordsOf } from '../task-routing.ts'
import { isTerminal } from '../task-states.ts'
import { offersOf, push, type Step, writeServerStep } from '../task-write.ts'
import { cycleOf, historyOf, type TaskEntry } from '../tasks.ts'
import { type Archive, Intake } from './filing.ts'

/** How many agents at once are asked to take a task; the first who claims it has it. */
const OFFER_WIDTH = 3
/** Ended tasks that stay in the document (count): every replica holds all of them. */
export const KEPT_ENDED_TASKS = 1_000
/** Tasks that one settling archives at most (count), so that a turn of the room stays short. */
const ARCHIVED_AT_ONCE = 128

/** What one settling files, and looks at (count), and how many links it follows in search of circles, so that a turn stays short. */
const FILED_AT_ONCE = 250
const LOOKED_AT_ONCE = 2_000
const LINKS_AT_ONCE = 100_000

/** What settling goes by, beside the document. Times are milliseconds, those since the epoch by the server's clock. */
export interface TaskWorld {
  now: number
  /** A task comes back so long after its owner was last seen. */
  leaseMs: number
  /** More agents are asked after so long. */
  offerMs: number
  /** An ended task is archived after so long, or when there are too many. */
  archiveAfterMs: number
  here: Here
  /** When an agent was last seen at work: now, while it is connected. */
  lastSeen: (agent: AgentId) => number
  /** The archived tasks that were looked up: null: there is none; not in here: nobody has looked. Kept true. */
  archived: Map<TaskId, ArchivedTask | null>
}

type ServerStep = Omit<Step, 'by' | 'key' | 'now'>

/**
 * All that happens to tasks by themselves: what is handed in is filed, leases and deadlines end, tasks that others wait for
 * let them go on or fail, agents are asked, what ended long ago is archived. Server only. Settling again changes nothing,
 * so it may be done whenever something may be due, and a server that was killed goes on where it was.
 */
export class TaskReconciler {
  readonly index: TaskIndex
  readonly #doc: Y.Doc
  /** When something is due by time alone. */
  readonly #due = new Map<TaskId, number>()
  /** Ended tasks, those first that ended first. */
  readonly #ended: TaskId[] = []
  #records: Map<AgentId, Record> | null = null
  #agents: Agent[] | null = null
  readonly #touched = new Set<TaskId>()
  /** Tasks that wait for themselves, and how. */
  readonly #circles = new Map<TaskId, readonly TaskId[]>()
  /** Links that this settling may still follow (count). */
  #links = 0
  /** Tasks that were not found in the document: to be looked up in the archive. */
  #unknown = new Set<TaskId>()
  readonly #intake: Intake

  constructor(doc: Y.Doc) {
    this.#doc = doc
    this.index = new TaskIndex(doc)
    this.#intake = new Intake(doc, (id, { after = [] }) => {
      this.index.read(id)
      this.#seekCircle(id, after)
    })
    for (const { id } of this.index.all) this.#touched.add(id)
    const ended = [...this.index.all].filter(({ status }) => isTerminal(status.state))
    ended.sort((a, b) => a.status.at - b.status.at)
    this.#ended.push(...ended.map(({ id }) => id))
  }

  close(): void {
    this.index.close()
    this.#intake.close()
  }

  /** An agent came or went: what it owns is looked at again. */
  touch(agent: AgentId): void {
    for (const { id, status } of this.index.open) if (status.owner === agent) this.#touched.add(id)
  }

  /** An agent is new, or can do something else than before: what nobody has is looked at again. */
  touchOpen(): void {
    for (const { id, status, facts } of this.index.open) {
      if (status.owner === null && facts.to === null) this.#touched.add(id)
    }
  }

  /** Whether there is work that did not come by time. */
  get isDirty(): boolean {
    return this.#touched.size > 0 || this.index.hasChanged || submissionsOf(this.#doc).length > 0
  }

  /** Whether the owner of some task may be lost, so that the room must stay. */
  get hasOwners(): boolean {
    return this.index.open.some(({ status }) => status.owner !== null && !status.pending)
  }

  /**
   * Does what is due, or much of it: `more` is due now. `next`: when there will be more by time alone (Infinity: never).
   * `unknown`: tasks to look up in the archive, after which it is to be called again. Call it in a transaction.
   */
  settle(
    world: TaskWorld,
    put: Archive,
  ): { next: number; unknown: ReadonlySet<TaskId>; more: boolean } {
    this.#records = null
    this.#agents = null
    this.#unknown = new Set()
    let count = 0
    const archive: Archive = (entry) => {
      put(entry)
      count++
    }
    for (const id of migrate(this.#doc)) this.index.read(id)
    let left = FILED_AT_ONCE
    this.#links = LINKS_AT_ONCE
    const isOver = () => left-- <= 0 || this.#links < 0
    let more = this.#intake.file(world.archived, archive, this.#unknown, isOver)
    const todo = new Set([...this.#touched, ...this.index.takeChanged()])
    this.#touched.clear()
    for (const [id, at] of this.#due) if (at <= world.now) todo.add(id)
    // What a task's end changes for those that wait for it is added on the way.
    left = LOOKED_AT_ONCE
    for (const id of todo) {
      if (left-- > 0) this.#look(id, world, todo)
      else this.#touched.add(id)
    }
    if (left < 0) more = true
    this.index.takeChanged()
    const oldest = this.#archiveOld(world, archive)
    if (count > 0) {
      // The position of the newest entry: who comes back reads up to it.
      metaOf(this.#doc).set('archivedTasks', archivedTasks(this.#doc) + count)
    }
    let next = more ? world.now : oldest
    for (const at of this.#due.values()) if (at < next) next = at
    return { next, unknown: this.#unknown, more }
  }

  // ── One task ───────────────────────────────────────────────────────────────────────────────────────────────

  /** What a task waits for never changes: only one that is filed can close a circle. */
  #seekCircle(id: TaskId, after: readonly TaskId[]): void {
    if (after.length === 0 || this.index.dependents(id).size === 0) return
    const circle = cycleOf(id, after, (other) => {
      const links = this.index.get(other)?.facts.after
      this.#links -= 1 + (links?.length ?? 0)
      return links
    })
    if (circle === null) return
    this.#circles.set(id, circle)
    this.#touched.add(id)
  }

  #look(id: TaskId, world: TaskWorld, todo: Set<TaskId>): void {
    const entry = this.index.get(id)
    this.#due.delete(id)
    if (entry === undefined) return
    if (isTerminal(entry.status.state)) this.#endedNow(entry, todo)
    else this.#settleOne(entry, world, todo)
  }

  #endedNow({ id }: TaskEntry, todo: Set<TaskId>): void {
    if (this.#ended.at(-1) !== id && !this.#ended.includes(id)) this.#ended.push(id)
    for (const other of this.index.dependents(id)) {
      const waiting = this.index.get(other)
      if (waiting === undefined || isTerminal(waiting.status.state)) continue
      // Also where it was looked at already: then this one had not ended.
      todo.delete(other)
      todo.add(other)
    }
  }

  #settleOne(entry: TaskEntry, world: TaskWorld, todo: Set<TaskId>): void {
    const { id } = entry
    const next = this.#nextOf(entry, world)
    if (typeof next === 'object') {
      writeServerStep(this.#doc, entry, { ...next, now: world.now })
      this.index.read(id)
      // Once more, as it is now.
      todo.delete(id)
      todo.add(id)
    } else if (next < Infinity) {
      this.#due.set(id, next)
    }
  }

  /** The step that a task takes by itself now; or when to look at it again (Infinity: not by time alone). */
  #nextOf(entry: TaskEntry, world: TaskWorld): ServerStep | number {
    const { facts, status } = entry
    const { now } = world
    const deadline = facts.deadline ?? Infinity
    if (now >= deadline) {
      const message = `its deadline, ${isoTime(deadline)}, has passed`
      return { state: 'failed', message, event: 'deadline' }
    }
    // Whoever gives it back, or is lost, instead of stopping does not make others begin with it.
    const { cancel } = status
    if (cancel !== undefined && (status.owner === null || now >= cancel.until)) {
      return { state: 'canceled', message: cancel.reason }
    }
    if (status.owner === null) {
      const next = this.#nextOfFree(entry, world)
      return typeof next === 'object' ? next : Math.min(next, deadline)
    }
    if (status.pending) return Math.min(deadline, cancel?.until ?? Infinity)
    const leaseEnd = Math.max(status.at, world.lastSeen(status.owner)) + world.leaseMs
    if (now >= leaseEnd) return this.#afterLease(entry, status.owner)
    return Math.min(leaseEnd, deadline, status.cancel?.until ?? Infinity)
  }

  /** The same of a task that nobody owns. */
  #nextOfFree(entry: TaskEntry, world: TaskWorld): ServerStep | number {
    const { ended = 0 } = entry.status
    if (ended > 0 && ended >= (entry.facts.maxAttempts ?? MAX_ATTEMPTS)) {
      const message = `it was given back or lost ${ended} times`
      return { state: 'failed', message, event: 'attempts' }
    }
    const waits = this.#waits(entry, world)
    if (waits === 'waits') return Infinity
    if (waits !== null) return { state: 'failed', message: waits, event: 'dependency' }
    const next = this.#offer(entry, world)
    if (typeof next === 'number') return next
    return { state: 'rejected', message: next, event: 'no-candidate' }
  }

  #afterLease({ facts, status }: TaskEntry, owner: AgentId): ServerStep {
    const ended = (status.ended ?? 0) + 1
    const lost = [...new Set([...(status.lost ?? []), owner])]
    const most = facts.maxAttempts ?? MAX_ATTEMPTS
    const who = `${agentName(this.#doc, owner)} (${owner})`
    const message = `the lease of ${who} ended: attempt ${ended} of ${most} without a result`
    const step = { owner: null, message, more: { ended, lost } }
    return ended >= most
      ? { ...step, state: 'failed', event: 'attempts' }
      : { ...step, state: 'submitted', event: 'lease-lost' }
  }

  /** Null: it waits for nothing; `waits`: it does; else why it never will be ready. */
  #waits({ id, facts }: TaskEntry, world: TaskWorld): string | null {
    const { after = [] } = facts
    const circle = this.#circles.get(id)
    if (circle !== undefined) return `it waits for itself: ${circle.join(' → ')}`
    let waits: string | null = null
    for (const other of after) {
      const state = this.#stateOf(other, world)
      // Once that is looked up.
      if (state === undefined) this.#touched.add(id)
      if (state === null) return `it waits for ${other}, which is not there`
      if (state === undefined || !isTerminal(state)) waits = 'waits'
      else if (state !== 'completed' && facts.afterFailed !== 'run') {
        return `${other}, for which it waits, is ${state}`
      }
    }
    return waits
  }

  /** Null: there is no such task; undefined: that is not known yet. */
  #stateOf(id: TaskId, world: TaskWorld): TaskState | null | undefined {
    const here = this.index.get(id)
    if (here !== undefined) return here.status.state
    const known = world.archived.get(id)
    if (known === undefined) this.#unknown.add(id)
    return known === undefined || known === null ? known : known.status.state
  }

  /** Asks who is to be asked; when others are next (Infinity: never), or why nobody ever will. */
  #offer(entry: TaskEntry, world: TaskWorld): number | string {
    const { record, facts, status } = entry
    if (record === null) return Infinity
    const { now, offerMs } = world
    const offers = offersOf(record).filter(({ token }) => token === status.token)
    const ask = (to: AgentId): void => push(record, 'offers', { to, at: now, token: status.token })
    if (facts.to !== null) {
      // Whom it was given to before there were offers knows.
      if (offers.length === 0 && !record.has('past')) ask(facts.to)
      return Infinity
    }
    const { declined = [] } = status
    const open = offers.filter(({ to }) => !declined.includes(to))
    const last = Math.max(-Infinity, ...offers.map(({ at }) => at))
    // Enough are thinking about it.
    if (open.length >= OFFER_WIDTH && now < last + offerMs) return last + offerMs
    this.#records ??= recordsOf(this.index.all)
    this.#agents ??= listAgents(this.#doc, world.here)
    const all = candidates(this.#doc, entry, this.#agents, this.#records)
    if (all.length === 0) {
      const wasAsked = declined.length > 0 && offersOf(record).length > 0
      return wasAsked && this.#haveDeclined(entry, declined) ? this.#whyNobody(entry) : Infinity
    }
    const asked = new Set(offers.map(({ to }) => to))
    const rest = all.filter((id) => !asked.has(id))
    const width = now >= last + offerMs ? OFFER_WIDTH : Math.max(0, OFFER_WIDTH - open.length)
    const asking = rest.slice(0, width)
    for (const id of asking) ask(id)
    if (rest.length === asking.length) return Infinity
    return (asking.length > 0 ? now : last) + offerMs
  }

  /** Who gave it back may take it again, and has not said no. */
  #haveDeclined(entry: TaskEntry, all: readonly AgentId[]): boolean {
    const said = historyOf(entry).filter(({ event }) => event === 'declined')
    const refused = new Set(said.map(({ by }) => by))
    return all.every((id) => refused.has(id))
  }

  #whyNobody(entry: TaskEntry): string {
    const said = historyOf(entry).filter(
      ({ event }) => event === 'declined' || event === 'released',
    )
    const reasons = said.map(
      ({ by, message }) => `${agentName(this.#doc, by)}: ${message || 'no reason'}`,
    )
    return `nobody is left who could take it (${reasons.join('; ')})`
  }

  // ── Archive ────────────────────────────────────────────────────────────────────────────────────────────────

  /** Archives what ended long ago; when there will be more. */
  #archiveOld(world: TaskWorld, archive: Archive): number {
    const doc = this.#doc
    let count = 0
    const kept: TaskId[] = []
    let next = Infinity
    for (const [i, id] of this.#ended.entries()) {
      const entry = this.index.get(id)
      if (entry === undefined) continue
      const tooMany = this.#ended.length - i + kept.length > KEPT_ENDED_TASKS
      const at = entry.status.at + world.archiveAfterMs
      const isOld = tooMany || world.now >= at
      if (!isOld || count >= ARCHIVED_AT_ONCE) {
        next = isOld ? world.now : at
        kept.push(...this.#ended.slice(i))
        break
      }
      if (this.#isWaitedFor(id)) {
        kept.push(id)
        continue
      }
      archive(storedTask(archivedOf(entry, world.now)))
      world.archived.delete(id)
      removeFrom(tasksOf(doc), id)
      this.index.read(id)
      count++
    }
    if (kept.length < this.#ended.length) this.#ended.splice(0, Infinity, ...kept)
    this.index.takeChanged()
    return next
  }

  #isWaitedFor(id: TaskId): boolean {
    return [...this.index.dependents(id)].some((other) => {
      const entry = this.index.get(other)
      return entry !== undefined && !isTerminal(entry.status.state)
    })
  }
}
