import type { AgentId, TaskId } from '../../protocol/ids.ts'
import type { Action, Actor, Desk, MergeTexts, Write } from '../../workspace/actions/action.ts'
import type { Fields, InputOf } from '../../workspace/actions/input.ts'
import type { Agent, Here } from '../../workspace/agents/agents.ts'
import { entryOf, findEntry } from '../../workspace/tasks/tasks.ts'
import { findArchived } from '../tasks/scheduler.ts'
import { type ActionContext, registered } from './context.ts'

/** An agent without a replica: the server acts for it, on its own document. */
export class HttpActor implements Actor {
  readonly context: ActionContext
  readonly #what: string

  /** `what`: the action's name, of which its idempotency key is. */
  constructor(context: ActionContext, what: string) {
    this.context = context
    this.#what = what
  }

  get doc() {
    return this.context.guest.room.doc
  }

  get agent(): AgentId {
    registered(this.context.guest)
    return this.id
  }

  get id(): AgentId {
    return this.context.guest.agent
  }

  get joinedAs(): Agent['kind'] | undefined {
    const { env, guest } = this.context
    return env.access.members.kindOf(guest.room.name, guest.agent)
  }

  now(): number {
    return this.context.env.now()
  }

  get askedAt(): number {
    return this.now()
  }

  get here(): Here {
    const { env, guest } = this.context
    return env.guests.here(guest.room)
  }

  get known(): Here | undefined {
    return this.here
  }

  async checkTask(id: TaskId): Promise<void> {
    const { env, guest } = this.context
    if (findEntry(this.doc, id) !== undefined) return
    if ((await findArchived(env.updateLog, guest.room.name, id)) === null) entryOf(this.doc, id)
  }

  once<T extends object>(write: Write, work: (desk: Desk, merge?: MergeTexts) => T): Promise<T> {
    const { guest, key } = this.context
    return guest.writeNow({ key, what: this.#what, ...write }, work)
  }
}

/** Carries an action out for an agent, when its earlier ones are done. Throws what the action throws. */
export const act = <F extends Fields, R extends object>(
  context: ActionContext,
  action: Action<F, R, HttpActor>,
  input: InputOf<F>,
): Promise<R> => context.guest.turn(() => action.run(new HttpActor(context, action.name), input))
