import type * as Y from 'yjs'
import type { AgentId, TaskId } from '../../../protocol/ids.ts'
import { type Agent, type Here, listAgents } from '../../agents/agents.ts'
import type { ArchivedTask } from '../task-archive.ts'
import type { TaskIndex } from '../task-index.ts'
import { recordsOf, type TrackRecord } from '../task-routing.ts'
import type { TaskChange } from '../task-write.ts'

/** All that a reconciliation reads beside the document. Times are milliseconds since the epoch by the server's clock. */
export interface TaskWorld {
  now: number
  /** A task returns to the queue when its owner was not seen for this long (milliseconds). */
  leaseMs: number
  /** More agents are asked when nobody took the task for this long (milliseconds). */
  offerMs: number
  /** An ended task is archived after this long (milliseconds), or earlier when there are too many. */
  archiveAfterMs: number
  here: Here
  /** When an agent was last seen at work: now, while it is connected. */
  lastSeen: (agent: AgentId) => number
  /**
   * Archived tasks that were looked up; null: the archive has no such task. A task that is absent here was not looked
   * up yet. Reconciling keeps the entries true.
   */
  archived: Map<TaskId, ArchivedTask | null>
}

/** A step that time or another task makes. */
export type ServerStep = Omit<TaskChange, 'by' | 'key' | 'now'>

/** The outcome of looking at one open task: a step to write now, or when to look again. */
export type Next =
  | { step: ServerStep }
  | {
      /** When to look again (milliseconds since the epoch); Infinity: not by time alone. */
      until: number
      /** Agents to ask now, best first. */
      ask?: readonly AgentId[]
      /** Tasks to look up in the archive, and then to look again. */
      lookUp?: readonly TaskId[]
    }

/** The tasks and the world as one reconciliation sees them. */
export class ReconcileView {
  readonly doc: Y.Doc
  readonly index: TaskIndex
  readonly world: TaskWorld
  /** Tasks that wait for themselves, each with its cycle. */
  readonly cycles: ReadonlyMap<TaskId, readonly TaskId[]>
  #records: Map<AgentId, TrackRecord> | null = null
  #agents: Agent[] | null = null

  constructor(
    doc: Y.Doc,
    index: TaskIndex,
    world: TaskWorld,
    cycles: ReadonlyMap<TaskId, readonly TaskId[]>,
  ) {
    this.doc = doc
    this.index = index
    this.world = world
    this.cycles = cycles
  }

  /** Read when first asked for: few reconciliations look for candidates. */
  get records(): ReadonlyMap<AgentId, TrackRecord> {
    this.#records ??= recordsOf(this.index.all)
    return this.#records
  }

  /** Read when first asked for, as `records`. */
  get agents(): readonly Agent[] {
    this.#agents ??= listAgents(this.doc, this.world.here)
    return this.#agents
  }
}
