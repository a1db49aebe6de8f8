import * as z from 'zod'
import { ClawError } from '../../../protocol/errors.ts'
import { random } from '../../../protocol/fresh-ids.ts'
import { type AgentId, newAgentId } from '../../../protocol/ids.ts'
import { checkFreeId, checkFreeName } from '../../../protocol/name-space.ts'
import {
  agentNames,
  getAgent,
  type Here,
  hasAgent,
  lastSeen,
} from '../../../workspace/agents/agents.ts'
import { OFFLINE_AFTER_MS } from '../../../workspace/agents/presence.ts'
import { agentsOf, isoTime } from '../../../workspace/document/schema.ts'
import { checkDisplayName } from '../../../workspace/document/validate.ts'
import type { Asked } from '../../http/route.ts'
import { registerAs } from '../../http-agents/registration.ts'
import { names, optional } from '../../http-agents/v1-bodies.ts'
import { agent1x } from '../../http-agents/v1-shapes.ts'
import type { TokenHolder } from '../../sync/principal.ts'
import type { Room } from '../../sync/room.ts'
import { asking, checkAgentId, inRoom, keyIn } from '../agent-request.ts'
import type { AppEnv } from '../env.ts'

/** Agents of one token (count) from which on the ids of those who are gone are given to newcomers. */
export const ROOMY_TOKEN_AGENTS = 1_000

/** 1.x's clients make a new id like this for each registration, and use the id in the answer. */
const MADE_BY_1X = /^[0-9a-f]{8}$/

export const RegisterBody = z.object({
  agent_id: optional(z.string()),
  name: optional(z.string()),
  capabilities: optional(names),
  machine: optional(z.string()),
  description: optional(z.string()),
})
type Wanted = z.infer<typeof RegisterBody>

/** Registers the agent of a credential, or an agent of a token. */
export const registerPlain = (env: AppEnv, { c, workspace, body }: Asked<unknown, Wanted>) =>
  inRoom(env, workspace, async (room) => {
    const by = asking(c)
    const { agent_id, ...given } = body
    if (given.name !== undefined) checkDisplayName('name', given.name)
    let place: Place
    if (by.kind === 'token') {
      place = await placeFor(env, room, by, body)
      await adopt(env, room, by, place.id, given.name)
    } else {
      const own = by.kind === 'agent' ? by.agent : newAgentId(random)
      place = { id: checkAgentId(agent_id ?? own), isAnew: false }
      env.access.authenticator.speakAs(by, place.id, workspace)
    }
    const act = { env, httpAgent: env.httpAgents.httpAgent(room, place.id), key: keyIn(c) }
    const registration = { ...given, name: given.name ?? '' }
    const agent = await registerAs(act, registration, { by, isAnew: place.isAnew })
    return { status: 'registered', agent: agent1x(agent), server_time: isoTime(env.now()) }
  })

/** Makes an agent a token's, durably. Throws `forged`, `name_taken`, and what `AccessStore.adopt` throws. */
const adopt = async (
  env: AppEnv,
  room: Room,
  by: TokenHolder,
  id: AgentId,
  name: string | undefined,
): Promise<void> => {
  if (hasAgent(room.doc, id) && !env.access.members.knows(room.name, id)) {
    throw new ClawError('forged', `${id} is somebody else's`, 'register under another agent_id')
  }
  const others = [...agentNames(room.doc)]
  if (!hasAgent(room.doc, id)) checkFreeId(id, others)
  checkFreeName(id, name ?? id, others)
  await env.access.members.adopt(by, id, name ?? '')
}

/** The id that somebody registers under. `isAnew`: it was another's, of whom nothing is to stay. */
interface Place {
  id: AgentId
  isAnew: boolean
}

/**
 * The id for a registration by a token. 1.x's clients forget their ids, so a registration continues the agent of the
 * same name and machine that is gone, with its messages and tasks. If a token has many agents, a newcomer gets the id
 * of the one without open tasks that has not been seen for longest; an id that its client chose is kept and replaces
 * that one.
 */
const placeFor = async (
  env: AppEnv,
  room: Room,
  by: TokenHolder,
  { agent_id, name, machine = '' }: Wanted,
): Promise<Place> => {
  const all = env.access.members.agentsOf(by)
  const isKnown = agent_id !== undefined && all.includes(agent_id)
  const isChosen = agent_id !== undefined && !MADE_BY_1X.test(agent_id)
  const isRoomy = all.length < ROOMY_TOKEN_AGENTS
  const asked = checkAgentId(agent_id ?? newAgentId(random))
  if (isKnown || (isChosen && isRoomy)) return { id: asked, isAnew: false }
  const busy = isRoomy ? new Set<string>() : await withOpenTasks(env, room)
  const here = env.httpAgents.here(room)
  const gone = goneOf(env, room, by, here)
  const isSame = (id: AgentId): boolean => {
    const agent = getAgent(room.doc, id, here)
    return agent.name === name && agent.machine === machine.trim()
  }
  const again = isChosen ? undefined : gone.findLast(isSame)
  const free = again ?? (isRoomy ? undefined : gone.find((id) => !busy.has(id)))
  if (free === undefined) return { id: asked, isAnew: false }
  // From here on it is here: nobody else gets it.
  env.httpAgents.seen(env.httpAgents.httpAgent(room, free))
  if (again === undefined) await env.httpAgents.httpAgent(room, free).empty()
  if (!isChosen) return { id: free, isAnew: again === undefined }
  await forget(env, room, by, free)
  return { id: asked, isAnew: false }
}

/** Makes the id of an agent that is gone nobody's. */
const forget = async (env: AppEnv, room: Room, by: TokenHolder, id: AgentId): Promise<void> => {
  const httpAgent = env.httpAgents.httpAgent(room, id)
  await httpAgent.turn(() => httpAgent.change(({ doc }) => agentsOf(doc).delete(id)))
  await env.access.members.forget(by, id)
}

/**
 * The offline agents of a token, the longest offline first; none while the server runs for less
 * than `OFFLINE_AFTER_MS`.
 */
const goneOf = (env: AppEnv, { doc, name }: Room, by: TokenHolder, here: Here): AgentId[] => {
  const { now } = here
  if (now - env.startedAt < OFFLINE_AFTER_MS) return []
  return env.access.members
    .agentsOf(by)
    .filter((id): id is AgentId => hasAgent(doc, id))
    .filter((id) => now - lastSeen(doc, id) >= OFFLINE_AFTER_MS)
    .filter((id) => !here.present.has(id) && !env.access.members.isRevoked(name, id))
    .sort((a, b) => lastSeen(doc, a) - lastSeen(doc, b))
}

/** Creators, addressees and owners of the tasks that have not ended. */
const withOpenTasks = (env: AppEnv, room: Room): Promise<Set<string>> =>
  env.tasks.command(room, (_doc, index) => {
    const ids = index.open.flatMap(({ facts, status }) => [facts.from, facts.to, status.owner])
    return new Set(ids.filter((id) => id !== null))
  })
