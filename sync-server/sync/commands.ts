import { type Credit, NOBODY } from '../../lib/attribution/runs.ts'
import { COMMANDS_MS } from '../config/limits.ts'
import type { Op } from '../storage/integrity/level-keys.ts'
import type { Archivable, Owned } from '../storage/update-log.ts'
import type { Gate } from './gate.ts'
import type { Change } from './room-env.ts'
import { CommandQueue, type Queued } from './turn/command-queue.ts'
import type { LiveDocument, Own } from './updates/document.ts'

/** The place of a command among the others, and the credit of its change. */
export interface Turn extends Queued {
  /** The agent that caused the change without being its author; null: none. */
  via: string | null
  /** The task that the change is for; undefined: the one that its agent holds. */
  task: string | null | undefined
}

interface QueuedCommand extends Turn {
  run: Change<unknown>
  as: Owned | undefined
  resolve: (value: unknown) => void
  reject: (error: unknown) => void
}

/** The task that an agent works on; null: none, or several. */
export type TaskOf = (agent: string) => string | null

/** The commands of one turn, with all data to store with them. */
export class CommandBatch {
  readonly archived: Archivable[] = []
  readonly facts: Op[] = []
  /** Their updates of the document. */
  updates: readonly Own[] = []
  readonly #commands: QueuedCommand[]
  readonly #answers: (() => void)[] = []

  constructor(commands: QueuedCommand[]) {
    this.#commands = commands
  }

  /** Throws if the document fails; an error of the command itself is its result. */
  run(command: QueuedCommand, live: LiveDocument, gate: Gate, taskOf: TaskOf): void {
    const { run, as, via, resolve, reject } = command
    this.#commands.push(command)
    try {
      if (as !== undefined) gate.own(as.client, as.owner)
    } catch (error) {
      this.#answers.push(() => reject(error))
      return
    }
    const credit = as === undefined && via === null ? NOBODY : creditOf(command, taskOf)
    // A command that throws has its earlier changes stored, too.
    const outcome = live.run(
      (doc) =>
        run(
          doc,
          (entry) => this.archived.push(entry),
          (fact) => this.facts.push(fact),
        ),
      as?.client,
      credit,
    )
    this.#answers.push(() => ('error' in outcome ? reject(outcome.error) : resolve(outcome.value)))
  }

  /** Settles the commands' promises, once their effects are on disk. */
  answer(): void {
    for (const answer of this.#answers) answer()
  }

  reject(error: unknown): void {
    for (const { reject } of this.#commands) reject(error)
  }
}

const creditOf = ({ as, via, task }: QueuedCommand, taskOf: TaskOf): Credit => {
  const by = as?.owner ?? null
  return { by, via, task: task === undefined ? by && taskOf(by) : task }
}

/** The server's changes of a room's document; they wait for a turn and run in it. */
export class Commands {
  readonly #queue = new CommandQueue<QueuedCommand>()
  /** The commands of the current turn, until their updates go to the log. */
  #running: QueuedCommand[] = []

  /** Commands that wait (count). */
  get size(): number {
    return this.#queue.size
  }

  /** Settles once the change is on disk, or as `fail` says. */
  add<T>(change: Change<T>, as: Owned | undefined, turn: Partial<Turn>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const { by = as?.owner ?? '', joins = false, via = null, task } = turn
      const queued = { run: change, as, by, joins, via, task, reject }
      this.#queue.push({ ...queued, resolve: resolve as (value: unknown) => void })
    })
  }

  /** Runs commands until none waits, or COMMANDS_MS have passed. Throws if the document fails. */
  run(live: LiveDocument, gate: Gate, taskOf: TaskOf): CommandBatch {
    this.#running = []
    const batch = new CommandBatch(this.#running)
    const until = performance.now() + COMMANDS_MS
    do {
      for (const command of this.#queue.next()) batch.run(command, live, gate, taskOf)
    } while (this.#queue.size > 0 && performance.now() < until)
    batch.updates = live.takeOwn()
    this.#running = []
    return batch
  }

  /** Rejects the waiting commands, and those of the current turn. */
  fail(error: Error): void {
    for (const { reject } of [...this.#running.splice(0), ...this.#queue.takeAll()]) reject(error)
  }
}
