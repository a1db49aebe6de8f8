import { ClawError } from '../../protocol/errors.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { hasAgent } from '../../workspace/agents/agents.ts'
import type { AgentsEnv } from './env.ts'
import type { HttpAgent } from './http-agent.ts'

/** One request of an agent without a replica. */
export interface ActionContext {
  env: AgentsEnv
  httpAgent: HttpAgent
  /** Its idempotency key; null: it has none. */
  key: string | null
  /** False: the role of its caller does not reach to write. Absent: it does. */
  mayWrite?: boolean
  /** The token that it shows; absent: it has a credential of its own. */
  token?: string
}

/** Throws `not_registered`. */
export const registered = (httpAgent: HttpAgent): void => {
  if (hasAgent(httpAgent.room.doc, httpAgent.agent)) return
  throw new ClawError(
    'not_registered',
    `${httpAgent.agent} is not registered in workspace "${httpAgent.room.name}"`,
    'POST /register {"agent_id", "name"} first; with a credential POST …/register',
  )
}

/** `websocket`: the recipient is connected and has it at once; `queued`: it waits to be polled. */
export const deliveryTo = (
  { env, httpAgent }: ActionContext,
  agent: string | null,
): 'websocket' | 'queued' =>
  agent !== null && env.httpAgents.isConnected(httpAgent.room, agent as AgentId)
    ? 'websocket'
    : 'queued'
