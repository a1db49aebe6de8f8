import type * as Y from 'yjs'
import { LazyMap } from '../../lib/lazy.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId, TaskId } from '../../protocol/ids.ts'
import { activities, readPresence } from '../../workspace/agents/presence.ts'
import { agentsOf } from '../../workspace/document/schema.ts'
import { TaskReconciler } from '../../workspace/tasks/reconcile/reconciler.ts'
import type { TaskWorld } from '../../workspace/tasks/reconcile/world.ts'
import { type ArchivedTask, readArchivedTask } from '../../workspace/tasks/task-archive.ts'
import type { TaskIndex } from '../../workspace/tasks/task-index.ts'
import { LOOKED_UP_TASKS } from '../config/limits.ts'
import { Fault } from '../storage/faults.ts'
import { causeOf } from '../storage/integrity/corruption.ts'
import type { UpdateLog } from '../storage/update-log.ts'
import type { Room } from '../sync/room.ts'
import { SeenNotes } from './seen.ts'

export interface KeeperEnv {
  log: UpdateLog
  now: () => number
  leaseMs: number
  offerMs: number
  archiveAfterMs: number
  onError: (error: unknown) => void
}

/** Attempts of a command to look up dependencies (count): each attempt more needs new ones. */
const MAX_TRIES = 8
/** Longest delay of a timer (milliseconds). */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Keeps the tasks of all rooms going: settles them whenever something changed, came, went or is due. */
export class TaskScheduler {
  readonly #env: KeeperEnv
  readonly #rooms = new Map<Room, RoomTasks>()

  constructor(env: KeeperEnv) {
    this.#env = env
  }

  /** From now on this is the room's document. */
  follow(room: Room, doc: Y.Doc): void {
    let tasks = this.#rooms.get(room)
    if (tasks === undefined) {
      tasks = new RoomTasks(room, this.#env)
      this.#rooms.set(room, tasks)
    }
    tasks.follow(doc)
  }

  /** The room's document is on disk as it is. */
  committed(room: Room): void {
    this.#rooms.get(room)?.committed()
  }

  /** One client's awareness state changed; JSON, `null` for none. */
  seen(room: Room, before: string, after: string): void {
    this.#rooms.get(room)?.seen(before, after)
  }

  /**
   * The task that an agent works on: the only one that it holds, or of several the one that its presence names. null:
   * none.
   */
  taskOf(room: Room, agent: AgentId): TaskId | null {
    return this.#rooms.get(room)?.taskOf(agent) ?? null
  }

  keeps(room: Room): boolean {
    return this.#rooms.get(room)?.hasOwners ?? false
  }

  /**
   * Runs a command on the room's tasks, after everything due is done and all submissions are filed. Resolves when it
   * is on disk. Throws what `change` throws.
   */
  command<T>(room: Room, change: (doc: Y.Doc, index: TaskIndex) => T, by = ''): Promise<T> {
    const tasks = this.#rooms.get(room)
    if (tasks === undefined) throw new Fault(room.name, new Error('the room was unloaded'))
    return tasks.command(change, by)
  }

  forget(room: Room): void {
    this.#rooms.get(room)?.close()
    this.#rooms.delete(room)
  }

  close(): void {
    for (const room of [...this.#rooms.keys()]) this.forget(room)
  }
}

/** One room's part. */
class RoomTasks {
  readonly #room: Room
  readonly #env: KeeperEnv
  #settler: TaskReconciler | null = null
  #unfollow = () => {}
  /** Awareness states, as JSON, and how many connections show each. */
  readonly #states = new LazyMap<string, number>()
  /** Connections that show that an agent is at work. */
  readonly #atWork = new LazyMap<AgentId, number>()
  /** The task that an agent’s newest presence names. */
  readonly #named = new LazyMap<AgentId, string>()
  readonly #seenNotes: SeenNotes
  /** When it was last. */
  readonly #lastSeen = new LazyMap<AgentId, number>()
  /** Start of observation: agents not seen since then were not necessarily away. */
  readonly #since: number
  #archived: TaskWorld['archived'] = new LazyMap()
  #timer: NodeJS.Timeout | undefined
  #stepping = false
  #again = false
  #closed = false

  constructor(room: Room, env: KeeperEnv) {
    this.#room = room
    this.#env = env
    this.#since = env.now()
    this.#seenNotes = new SeenNotes(room, env.now, (error) => {
      // The room has failed, and has said so.
      if (causeOf(error, Fault) === null) this.#failed(error)
    })
  }

  follow(doc: Y.Doc): void {
    this.#settler?.close()
    this.#unfollow()
    const settler = new TaskReconciler(doc)
    this.#settler = settler
    // An open task may have waited for an agent that registers, or for its new capability.
    const agents = agentsOf(doc)
    const onAgents = (events: Y.YEvent<Y.AbstractType<unknown>>[]): void => {
      const matters = ({ path, changes }: Y.YEvent<Y.AbstractType<unknown>>) =>
        path.length === 0 || changes.keys.has('capabilities')
      if (events.some(matters)) settler.touchOpen()
    }
    agents.observeDeep(onAgents)
    this.#unfollow = () => agents.unobserveDeep(onAgents)
    this.#step()
  }

  get hasOwners(): boolean {
    return this.#settler?.index.hasLeases ?? false
  }

  taskOf(agent: AgentId): TaskId | null {
    const held = this.#settler?.index.heldBy(agent)
    if (held === undefined || held.size === 0) return null
    const [first] = held
    if (held.size === 1) return first!
    const named = this.#named.get(agent) as TaskId | undefined
    return named !== undefined && held.has(named) ? named : null
  }

  committed(): void {
    if (this.#settler?.isDirty) this.#step()
  }

  seen(before: string, after: string): void {
    this.#seenNotes.changed(before, after)
    this.#countState(before, -1)
    this.#countState(after, 1)
    this.#noteNamed(before, after)
    const [was, is] = [before, after].map(workerIn)
    // A cursor that moved, a note that changed.
    if (was === is) return
    for (const [id, by] of [[is, 1] as const, [was, -1] as const]) {
      if (id !== null && id !== undefined) this.#countWorker(id, by)
    }
  }

  /** Notes the task that an agent says it works on. */
  #noteNamed(before: string, after: string): void {
    const [was, is] = [before, after].map(taskIn)
    if (was && this.#named.get(was.agent) === was.task) this.#named.delete(was.agent)
    if (is) this.#named.set(is.agent, is.task)
  }

  #countState(json: string, by: 1 | -1): void {
    if (json === 'null') return
    const count = (this.#states.get(json) ?? 0) + by
    if (count > 0) this.#states.set(json, count)
    else this.#states.delete(json)
  }

  #countWorker(id: AgentId, by: 1 | -1): void {
    const count = (this.#atWork.get(id) ?? 0) + by
    if (count > 0) this.#atWork.set(id, count)
    else this.#atWork.delete(id)
    this.#lastSeen.set(id, this.#env.now())
    const isNews = by > 0 ? count === 1 : count === 0
    if (!isNews) return
    this.#settler?.touch(id)
    this.#step()
  }

  #world(): TaskWorld {
    const now = this.#env.now()
    const { leaseMs, offerMs, archiveAfterMs } = this.#env
    const states = this.#states
    return {
      ...{ now, leaseMs, offerMs, archiveAfterMs },
      // Asked for only where somebody is to be found for a task.
      get here() {
        const present = activities([...states.keys()].map((json) => JSON.parse(json)))
        return { present: new Set(present.keys()), activities: present, now }
      },
      lastSeen: (id) => (this.#atWork.has(id) ? now : (this.#lastSeen.get(id) ?? this.#since)),
      archived: this.#archived,
    }
  }

  async command<T>(change: (doc: Y.Doc, index: TaskIndex) => T, by: string): Promise<T> {
    for (let tries = 0; tries < MAX_TRIES; ) {
      // In one commit, one after the other: nothing is filed in between.
      let left: ReturnType<TaskReconciler['reconcile']> | null = null
      const settled = this.#room.command(
        (_doc, archive) => {
          left = this.#settler!.reconcile(this.#world(), archive)
        },
        undefined,
        { by },
      )
      const done = this.#room.command(
        (doc) =>
          left === null || left.more || left.unknown.size > 0
            ? null
            : { value: change(doc, this.#settler!.index) },
        undefined,
        { by, joins: true },
      )
      settled.catch(() => {}) // so does `done`, and says why
      const outcome = await done
      if (outcome !== null) return outcome.value
      const { more, unknown } = left!
      if (!more) tries++
      // A dependency may be in the archive; how it ended decides what happens to the task.
      await this.#lookUp(unknown)
    }
    throw new ClawError('busy', 'the tasks are not settled yet', 'try again')
  }

  #settle() {
    return this.#room.command((_doc, archive) => this.#settler!.reconcile(this.#world(), archive))
  }

  /** Reconciles until nothing is left to do now. */
  #step(): void {
    this.#again = true
    if (this.#stepping || this.#closed) return
    this.#stepping = true
    void this.#steps()
      .catch((error) => this.#failed(error))
      .finally(() => {
        this.#stepping = false
      })
  }

  #failed(error: unknown): void {
    if (!this.#closed) this.#env.onError(error)
  }

  async #steps(): Promise<void> {
    // The commit that caused this is on disk first.
    await this.#room.loaded
    while (this.#again && !this.#closed) {
      this.#again = false
      const { next, unknown } = await this.#settle()
      if (unknown.size > 0 && (await this.#lookUp(unknown))) this.#again = true
      // A dependency that does not exist yet may still arrive.
      else for (const [id, task] of this.#archived) if (task === null) this.#archived.delete(id)
      this.#wakeAt(next)
    }
  }

  #wakeAt(next: number): void {
    clearTimeout(this.#timer)
    if (next === Infinity || this.#closed) return
    const wait = Math.min(LONGEST_TIMER_MS, Math.max(0, next - this.#env.now()))
    this.#timer = setTimeout(() => this.#step(), wait).unref()
  }

  /** Looks tasks up in the archive; whether any was not known. */
  async #lookUp(ids: ReadonlySet<TaskId>): Promise<boolean> {
    if (this.#archived.size > LOOKED_UP_TASKS) this.#archived = new LazyMap()
    let isNews = false
    for (const id of ids) {
      if (this.#archived.has(id)) continue
      this.#archived.set(id, await findArchived(this.#env.log, this.#room.name, id))
      isNews = true
    }
    return isNews
  }

  close(): void {
    this.#closed = true
    this.#seenNotes.close()
    clearTimeout(this.#timer)
    this.#unfollow()
    this.#settler?.close()
  }
}

/** The agent that shows by this awareness state, as JSON, that it is at work; null: nobody does. */
const workerIn = (json: string): AgentId | null => {
  const presence = readPresence(JSON.parse(json))
  return presence === null || presence.activity?.silent === true ? null : presence.agent.id
}

/** The agent and the task that an awareness state, as JSON, names; null: it names none. */
const taskIn = (json: string): { agent: AgentId; task: string } | null => {
  const presence = readPresence(JSON.parse(json))
  const task: unknown = presence?.activity?.task
  return presence !== null && typeof task === 'string' ? { agent: presence.agent.id, task } : null
}

/** An archived task; null: there is none with this id. */
export const findArchived = async (
  log: UpdateLog,
  workspace: string,
  id: string,
): Promise<ArchivedTask | null> => {
  const position = await log.archivePosition(workspace, 'tasks', id)
  if (position === null) return null
  const [found] = await log.archived(workspace, 'tasks', position - 1, 1)
  return found === undefined ? null : readArchivedTask(found.value)
}
