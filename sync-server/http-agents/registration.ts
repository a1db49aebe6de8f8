import type { MergeTexts, Write } from '../../workspace/actions/action.ts'
import type { InputOf } from '../../workspace/actions/inputs/field.ts'
import { register } from '../../workspace/actions/register.ts'
import { type Agent, getAgent, type Here } from '../../workspace/agents/agents.ts'
import { agentsOf } from '../../workspace/document/schema.ts'
import type { Caller } from '../sync/principal.ts'
import type { ActionContext } from './context.ts'
import { HttpActor } from './http-actor.ts'
import type { UnitOfWork } from './unit-of-work.ts'

/** An agent that registers. `isAnew`: another agent had its id, of which nothing is to stay. */
class Registrant extends HttpActor {
  readonly #isAnew: boolean
  readonly #sharesNames: boolean

  constructor(context: ActionContext, isAnew: boolean, sharesNames: boolean) {
    super(context, 'register')
    this.#isAnew = isAnew
    this.#sharesNames = sharesNames
  }

  override get known(): Here | undefined {
    return this.#sharesNames ? undefined : this.here
  }

  override once<T extends object>(
    write: Write,
    work: (desk: UnitOfWork, merge: MergeTexts) => T,
  ): Promise<T> {
    return super.once(write, (desk, merge) => {
      if (this.#isAnew) agentsOf(desk.doc).delete(this.id)
      return work(desk, merge)
    })
  }
}

/** Registers an agent. `by`: the principal; agents of one token may share names, as in ClawLink 1.x. */
export const registerAs = async (
  context: ActionContext,
  given: InputOf<(typeof register)['input']>,
  { by, isAnew = false }: { by?: Caller; isAnew?: boolean } = {},
): Promise<Agent> => {
  const { env, httpAgent } = context
  env.access.members.checkNames(httpAgent.room.name, httpAgent.agent, given.name)
  const actor = new Registrant(context, isAnew, by?.kind === 'token')
  await httpAgent.turn(() => register.run(actor, given))
  env.httpAgents.seen(httpAgent)
  // It is here: no need to look at the others.
  return getAgent(httpAgent.room.doc, httpAgent.agent, {
    present: new Set([httpAgent.agent]),
    now: env.now(),
  })
}
