import { type Agent, getAgent, resolveAgent, setPaused } from '../agents/agents.ts'
import { type Actor, action } from './action.ts'
import * as inputs from './inputs/team.ts'

const set = async (
  actor: Actor,
  payload: { name: string; note: string },
  note: string | null,
): Promise<{ agent: Agent }> => {
  const by = actor.agent
  return actor.once({ payload }, ({ doc }) => {
    const id = resolveAgent(doc, payload.name, actor.known)
    setPaused(doc, id, note === null ? null : { by, now: actor.now(), note })
    return { agent: getAgent(doc, id, actor.here) }
  })
}

const errors = ['unknown_agent', 'ambiguous', 'too_large'] as const

/** Asks an agent to take up no work; its `prime` and `poll` tell it so. */
export const pause = action({
  name: 'pause',
  roles: ['write', 'admin'],
  errors,
  input: inputs.pause,
  run: (actor, input) => set(actor, input, input.note),
})

/** Lets a paused agent go on. */
export const resume = action({
  name: 'resume',
  roles: ['write', 'admin'],
  errors,
  /** A note is accepted, as with `pause`, and not kept. */
  input: inputs.resume,
  run: (actor, input) => set(actor, input, null),
})
