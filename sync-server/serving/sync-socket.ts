import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { RawData, WebSocket } from 'ws'
import { CLOSE, HEADS_HEADER } from '../../protocol/frames.ts'
import { Connection } from '../sync/connection.ts'
import { agentOf, type Principal } from '../sync/principal.ts'
import type { Parts } from './parts.ts'

type Env = Pick<
  Parts,
  'options' | 'now' | 'limiter' | 'incidents' | 'rooms' | 'connections' | 'frames'
>

/** Attaches a WebSocket of the sync protocol to the room of a workspace. */
export const attachSyncSocket = (
  { options, now, limiter, incidents, rooms, connections, frames }: Env,
  request: IncomingMessage,
  [ws, socket]: readonly [WebSocket, Socket],
  workspace: string,
  speaker: Principal,
): void => {
  socket.setNoDelay(true)
  const agent = agentOf(speaker)
  const hold = limiter.holdFor(request, agent, workspace, () => {
    const reason = 'too much is held for this agent: it does not send the rest, or takes nothing'
    incidents.closed(CLOSE.slowReader, reason, speaker)
    if (!connection.isSlow) limiter.offended(speaker, hold.most)
    connection.cut(reason)
  })
  const keepsHeads = request.headers[HEADS_HEADER] === '1'
  const connection = new Connection(ws, socket, speaker, hold, now(), keepsHeads)
  frames.hear(ws, socket, speaker, options.limits.frame, hold)
  connections.add(connection)
  socket.on('drain', () => connection.drained(now()))
  ws.on('close', () => {
    connections.delete(connection)
    room.detach(connection)
  })
  const room = rooms.rooms.attach(workspace, connection)
  const take = (message: Buffer) => {
    const work = room.receive(connection, message)
    frames.pool.give(message)
    return work
  }
  const inbox = limiter.inbox(ws, agent, workspace, take, hold)
  ws.on('message', (data: RawData, isBinary: boolean) => {
    if (!isBinary) {
      const reason = 'text frames are not part of the protocol'
      incidents.closed(CLOSE.malformed, reason, speaker)
      connection.close(CLOSE.malformed, reason)
    } else inbox.push(data as Buffer)
  })
}
