import type { Parts } from './parts.ts'

/** Starts the heartbeat and the sweep; returns what stops them. */
export const startTimers = (parts: Parts): (() => void) => {
  const { options, health, limiter, sweeper } = parts
  // Input that came while this process was busy or stopped is read first: it is a sign of life.
  const heartbeat = setInterval(() => setImmediate(beat, parts), options.heartbeatMs)
  const sweep = setInterval(() => {
    if (health.failure === null) void sweeper.sweep()
    limiter.forget()
  }, options.sweepMs)
  return () => {
    clearInterval(heartbeat)
    clearInterval(sweep)
  }
}

const beat = ({ rooms, connections, agentSockets, frames, now, log }: Parts): void => {
  for (const room of rooms.rooms.all) room.heartbeat()
  for (const connection of connections) {
    if (connection.beat()) log.info({ connection: connection.id }, 'cut off: silent')
  }
  for (const socket of agentSockets.all) socket.beat(now())
  frames.cutStalled()
}
