import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { RawData, WebSocket } from 'ws'
import type { AgentsEnv } from '../http-agents/env.ts'
import type { HttpAgent } from '../http-agents/http-agent.ts'
import type { Parts } from './parts.ts'
import type { Upgrade } from './upgrade-request.ts'

type Env = Pick<Parts, 'options' | 'limiter' | 'agentSockets' | 'frames'>

/** Attaches a WebSocket of a ClawLink 1.x client to its agent. */
export const attachAgentSocket = (
  { options, limiter, agentSockets, frames }: Env,
  agentsEnv: AgentsEnv,
  request: IncomingMessage,
  [ws, socket]: readonly [WebSocket, Socket],
  asked: Upgrade,
  agent: HttpAgent,
): void => {
  const { workspace, speaker } = asked
  const hold = limiter.holdFor(request, agent.agent, workspace, () => ws.terminate())
  frames.hear(ws, socket, speaker, options.limits.body, hold)
  let unsent = 0
  const opened = agentSockets.open(
    ...([ws, socket, agent, agentsEnv, asked.authorizeAgain] as const),
    (bytes) => {
      const more = bytes - unsent
      unsent = bytes
      hold.add(more)
    },
  )
  const take = (data: Buffer) => {
    const { length } = data
    hold.add(length)
    opened.receive(String(data), () => hold.add(-length))
    frames.pool.give(data)
    return null
  }
  const inbox = limiter.inbox(ws, agent.agent, workspace, take, hold)
  ws.on('message', (data: RawData) => inbox.push(data as Buffer))
}
