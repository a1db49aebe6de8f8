import { deepStrictEqual, ok } from 'node:assert'
import type { AgentId, TaskId } from '../../../protocol/ids.ts'
import { MAX_ATTEMPTS } from '../../../protocol/limits.ts'
import type {
  Note,
  Offer,
  TaskFacts,
  TaskState,
  TaskStatus,
  Transition,
} from '../../../workspace/document/schema.ts'
import { isTerminal, TRANSITIONS } from '../../../workspace/tasks/task-states.ts'
import { offersOf } from '../../../workspace/tasks/task-write.ts'
import { historyOf, taskNotes } from '../../../workspace/tasks/tasks.ts'
import type { TaskWorld } from './world.ts'

/** What there is of a task, wherever it is. */
export interface Whole {
  id: TaskId
  facts: TaskFacts
  status: TaskStatus
  history: Transition[]
  notes: Note[]
  offers: Offer[]
  archived: boolean
}

/** All tasks that the server has, the archived ones included. */
export const wholeTasks = (world: TaskWorld): Whole[] => {
  const live = [...world.index.all].map((entry): Whole => {
    const { id, facts, status, record } = entry
    const [history, notes] = [historyOf(entry), taskNotes(world.doc, entry)]
    return { id, facts, status, history, notes, offers: offersOf(record!), archived: false }
  })
  const archived = [...new Set(world.archive.map(({ id }) => id))].map((id): Whole => {
    const task = world.findArchived(id)!
    const [history, notes, offers] = [task.history, task.notes, task.offers].map((list) =>
      list.map(({ value }) => value),
    ) as [Transition[], Note[], Offer[]]
    return { ...task, history, notes, offers, archived: true }
  })
  return [...live, ...archived]
}

/**
 * What a task's history says: who had it when. Throws where two would have had it at once, a finished one went on, a step is
 * not in the table, or history and status do not agree.
 */
export const checkHistory = ({ id, facts, status, history }: Whole): void => {
  let owner: AgentId | null = null
  let state: TaskState = 'submitted'
  let [grants, ended, pending] = [0, 0, false]
  for (const [i, step] of history.entries()) {
    const { by, event, was } = step
    const where: string = `${id}, step ${i + 1}: ${state} → ${step.state} (${event ?? ''}) by ${by}`
    deepStrictEqual(step.revision, i + 1, `${where}: no step is left out`)
    ok(!isTerminal(state), `${where}: a finished task stays as it is`)
    ok(TRANSITIONS[state][step.state] !== undefined, `${where}: is in the table`)
    const isGrant = owner === null && by !== 'server' && step.state !== 'submitted'
    if (isGrant && step.state !== 'rejected' && step.state !== 'canceled') {
      owner = by
      grants++
      ok(facts.approver !== by, `${where}: nobody approves its own`)
    } else if (event === 'claimed') ok(false, `${where}: ${owner} has it`)
    if (was !== undefined) {
      deepStrictEqual(was, owner, `${where}: who had it`)
      owner = null
      ended++
    }
    if (by !== 'server' && event !== 'declined' && owner !== null) {
      ok([owner, facts.from, facts.approver].includes(by), `${where}: ${owner} has it`)
    }
    if (step.state === 'completed' && facts.approver !== undefined) {
      deepStrictEqual([event, by, pending], ['approved', facts.approver, true], where)
    }
    pending = event === 'approval-asked'
    state = step.state
  }
  deepStrictEqual(
    { state, owner, revision: history.length, token: grants, ended },
    {
      ...{ state: status.state, owner: status.owner, revision: status.revision },
      ...{ token: status.token, ended: status.ended ?? 0 },
    },
    `${id}: history and status`,
  )
  ok(ended <= (facts.maxAttempts ?? MAX_ATTEMPTS), `${id}: ${ended} attempts`)
}

/** Follows a world step by step, and throws where something happened that must not. */
export class Watch {
  readonly #world: TaskWorld
  readonly #before = new Map<TaskId, string>()
  readonly #statuses = new Map<TaskId, TaskStatus>()

  constructor(world: TaskWorld) {
    this.#world = world
  }

  check(): void {
    const seen = new Set<TaskId>()
    const tasks = wholeTasks(this.#world)
    for (const task of tasks) {
      ok(!seen.has(task.id), `${task.id} is in the document and in the archive, or twice in one`)
      seen.add(task.id)
      const now = JSON.stringify([task.status, task.history])
      if (!task.archived) this.#checkTime(task)
      if (this.#before.get(task.id) === now) continue
      checkHistory(task)
      this.#checkChange(task)
      this.#before.set(task.id, now)
      this.#statuses.set(task.id, task.status)
    }
    for (const id of this.#before.keys()) ok(seen.has(id), `${id} is gone`)
  }

  #checkChange({ id, facts, status, archived }: Whole): void {
    const before = this.#statuses.get(id)
    ok(!archived || before === undefined || isTerminal(status.state), `${id} is archived`)
    if (before !== undefined) {
      ok(!isTerminal(before.state), `${id} was ${before.state} and changed`)
      ok(status.token >= before.token && status.revision > before.revision, `${id} went back`)
    }
    if (status.token > (before?.token ?? 0)) {
      for (const other of facts.after ?? []) {
        const state = this.#world.stateOf(other)
        const isOver = state !== undefined && isTerminal(state)
        ok(isOver, `${id} was granted, and waits for ${other}, ${state}`)
        ok(state === 'completed' || facts.afterFailed === 'run', `${id}: ${other} is ${state}`)
      }
    }
  }

  /** What is overdue. */
  #checkTime({ id, facts, status }: Whole): void {
    if (isTerminal(status.state)) return
    const { now, leaseMs, lastSeen } = this.#world.settling()
    ok(now < (facts.deadline ?? Infinity), `${id} is past its deadline`)
    ok(now < (this.#stopBy.get(id) ?? Infinity), `${id} was to be canceled by now`)
    if (status.cancel !== undefined) {
      this.#stopBy.set(id, Math.min(status.cancel.until, this.#stopBy.get(id) ?? Infinity))
    }
    if (status.owner === null || status.pending) return
    const end = Math.max(status.at, lastSeen(status.owner)) + leaseMs
    ok(now < end, `${id}: the lease of ${status.owner} is over`)
  }

  /** When a task is to have ended because its creator asked for that. */
  readonly #stopBy = new Map<TaskId, number>()
}
