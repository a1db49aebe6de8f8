import { releaseIdle } from '../cluster/handover.ts'
import type { Parts } from './parts.ts'

/** Starts the heartbeat, the sweep, and a node's release of what is idle. Returns a function that stops them. */
export const startTimers = (parts: Parts): (() => void) => {
  const { options, health, limiter, sweeper, cluster, rooms, log } = parts
  // Input received while the process was busy or stopped is read first, because it counts as a sign
  // of life.
  const heartbeat = setInterval(() => setImmediate(beat, parts), options.heartbeatMs)
  const sweep = setInterval(() => {
    if (health.failure === null) void sweeper.sweep()
    limiter.forget()
  }, options.sweepMs)
  const isUsed = (workspace: string): boolean => rooms.rooms.has(workspace)
  const stopReleasing =
    cluster === null ? () => {} : releaseIdle(cluster.holdings, isUsed, log, options.sweepMs)
  return () => {
    stopReleasing()
    clearInterval(heartbeat)
    clearInterval(sweep)
  }
}

const beat = ({ rooms, access, connections, agentSockets, frames, now, log }: Parts): void => {
  for (const room of rooms.rooms.all) room.heartbeat()
  for (const connection of connections) {
    access.members.seen(connection.speaker)
    if (connection.beat()) log.info({ connection: connection.id }, 'cut off: silent')
  }
  for (const socket of agentSockets.all) socket.beat(now())
  frames.cutStalled()
}
