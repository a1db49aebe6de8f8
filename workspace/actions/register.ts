import { type Agent, getAgent, hasAgent, registerAgent } from '../agents/agents.ts'
import { welcome } from '../inbox/mailbox.ts'
import { action } from './action.ts'
import * as inputs from './inputs/team.ts'

/** Registers the agent, or updates its record. A missing field stays the same. */
export const register = action({
  name: 'register',
  roles: ['suggest', 'write', 'admin'],
  errors: ['bad_name', 'name_taken', 'too_large'],
  input: inputs.register,
  run: async (actor, input): Promise<{ agent: Agent }> => {
    const { id } = actor
    // An agent that comes again takes no more room.
    const frees = (doc: typeof actor.doc): boolean => hasAgent(doc, id)
    return actor.once({ payload: input, frees }, (desk) => {
      const { doc } = desk
      const now = actor.now()
      // Read once: a server parses what all agents of the workspace announce.
      const { here } = actor
      const was = hasAgent(doc, id) ? getAgent(doc, id, here) : null
      registerAgent(doc, {
        id,
        kind: input.kind ?? (was === null ? actor.joinedAs : undefined),
        name: input.name || (was?.name ?? id),
        capabilities: input.capabilities ?? was?.capabilities ?? [],
        topics: input.topics,
        machine: input.machine ?? was?.machine ?? '',
        description: input.description ?? was?.description ?? '',
        now,
        here: actor.known,
      })
      welcome(desk, id, now)
      return { agent: getAgent(doc, id, here) }
    })
  },
})
