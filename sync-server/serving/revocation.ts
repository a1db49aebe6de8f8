import { CLOSE } from '../../protocol/frames.ts'
import { ROLE_CHANGED } from '../../protocol/roles.ts'
import { leaveRevoked } from '../auth/names.ts'
import { REVOKED_MS } from '../config/limits.ts'
import type { ClusterNode } from './node.ts'
import type { Parts } from './parts.ts'

type Env = Pick<
  Parts,
  'access' | 'rooms' | 'health' | 'limiter' | 'httpAgents' | 'agentSockets' | 'connections'
>

/** Ends the connections and requests of an agent when its credential ends or its role changes, and those of a removed workspace. */
export const followRevocations = (env: Env): void => {
  const { access, limiter, httpAgents, agentSockets, connections } = env
  followRoles(env)
  followRemovals(env)
  access.onEnded = (agent, workspace, isRevoked) => {
    if (isRevoked) forgetRevoked(env, workspace)
    agentSockets.of(agent, workspace)?.close(CLOSE.unauthorized, 'the credential was revoked')
    // Waiting requests are answered with 401 first; uploads and unread answers are cut shortly
    // after.
    httpAgents.ended(agent, workspace)
    const open = limiter.holdsOf(agent, workspace)
    setTimeout(() => open.map((hold) => hold.isClosed || hold.cut()), REVOKED_MS).unref()
    for (const connection of connections) {
      const { speaker } = connection
      if (speaker.kind !== 'agent' || speaker.agent !== agent) continue
      if (speaker.workspace !== workspace) continue
      connection.close(CLOSE.unauthorized, 'the credential was revoked')
      // The room ignores its frames from now on; a client that does not close is disconnected.
      setTimeout(() => connection.ws.terminate(), REVOKED_MS).unref()
    }
  }
}

/** Ends the connections of an agent whose role changed, so that it connects anew with the new one. */
const followRoles = ({ access, connections }: Env): void => {
  access.onRole = (agent, workspace) => {
    for (const connection of connections) {
      const { speaker } = connection
      if (speaker.kind !== 'agent' || speaker.agent !== agent) continue
      if (speaker.workspace !== workspace) continue
      connection.close(1001, `${ROLE_CHANGED}${access.members.roleOf(workspace, agent)}`)
      setTimeout(() => connection.ws.terminate(), REVOKED_MS).unref()
    }
  }
}

/** Ends the room of a workspace that was removed, the other WebSockets, and the requests of its members. */
const followRemovals = (env: Env): void => {
  const { access, agentSockets, httpAgents, limiter } = env
  const why = 'the workspace was removed'
  access.onRemoved = (workspace, agents) => {
    for (const agent of agents) {
      agentSockets.of(agent, workspace)?.close(CLOSE.unauthorized, why)
      httpAgents.ended(agent, workspace)
      const open = limiter.holdsOf(agent, workspace)
      setTimeout(() => open.map((hold) => hold.isClosed || hold.cut()), REVOKED_MS).unref()
    }
    void env.rooms.rooms.end(workspace, why)
  }
}

/**
 * Frees the names of revoked agents; a workspace that is not in memory does so when it is loaded.
 */
const forgetRevoked = ({ access, rooms: { rooms }, health }: Env, workspace: string): void => {
  if (!rooms.has(workspace) || health.failure !== null) return
  const room = rooms.open(workspace)
  room.loaded.then(() => leaveRevoked(room, room.doc, access)).catch(() => {}) // the room reports it
}

/** Ends the WebSockets of 1.x in workspaces that this node lost; those of rooms end with their rooms. */
export const followLosses = (
  { holdings }: ClusterNode,
  { agentSockets }: Pick<Parts, 'agentSockets'>,
): void => {
  holdings.onLost = (workspaces) => {
    for (const socket of agentSockets.all) {
      const { name } = socket.httpAgent.room
      if (workspaces !== 'all' && !workspaces.includes(name)) continue
      socket.close(CLOSE.moved, 'another node serves the workspace now')
    }
  }
}
