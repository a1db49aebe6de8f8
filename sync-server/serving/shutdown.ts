import { once } from 'node:events'
import { saveOwner } from '../auth/owner.ts'
import { STOP_MS } from '../config/limits.ts'
import type { Announced } from './announce.ts'
import type { ServerHttp } from './http-server.ts'
import type { Parts } from './parts.ts'
import { type Step, takeSteps } from './stopping.ts'

/** The first step of stopping a node: clients move one by one, while it still takes connections for the others. */
export const handOver = async ({
  cluster,
  rooms,
  log,
}: Pick<Parts, 'cluster' | 'rooms' | 'log'>): Promise<void> => {
  if (cluster === null) return
  const { holdings } = cluster
  // The others are free at once when the node ends.
  const used = holdings.all.filter((name) => rooms.rooms.has(name))
  const step: Step = {
    ...{ what: 'handing workspaces over', ms: STOP_MS.handOver },
    run: (signal) => holdings.drain(used, signal),
  }
  await takeSteps([step], (what, err) => log.warn({ err, step: what }, 'not done in time'))
}

/**
 * Stops a server within 10 s, even if a step hangs. Rejects with Unstopped if received data could
 * not be stored.
 */
export const shutDown = async (
  parts: Parts,
  http: ServerHttp,
  announced: Announced,
): Promise<void> => {
  const { health, connections, log } = parts
  http.unfollow()
  announced.uninvite()
  health.fail('the server is stopping')
  const { server } = http
  const stopped = new Promise<void>((resolve) => server.close(() => resolve()))
  http.acceptQueue.clear()
  const allClosed = () =>
    Promise.all([stopped, ...[...connections].map(({ ws }) => once(ws, 'close'))])
  await takeSteps(
    [
      ...stepsOfRooms(parts, announced),
      {
        what: 'closing connections',
        ms: STOP_MS.connections,
        run: () => {
          parts.rooms.rooms.close()
          server.closeIdleConnections()
          return allClosed()
        },
      },
      {
        what: 'cutting connections',
        ms: STOP_MS.cut,
        run: () => {
          for (const { ws } of connections) ws.terminate()
          server.closeAllConnections()
          return allClosed()
        },
      },
      ...stepsOfStores(parts),
    ],
    (step, err) => log.warn({ err, step }, 'a step of stopping was not done'),
  )
}

/** Accepts no more input, and stores all received data. */
const stepsOfRooms = (
  { rooms, access, limiter, tasks, httpAgents, agentSockets }: Parts,
  { silence }: Announced,
): Step[] => [
  {
    ...{ what: 'what runs beside the rooms', ms: STOP_MS.aside },
    run: () =>
      Promise.all([
        ...[silence(), rooms.recovery.close(), httpAgents.settle()],
        access.members.storeSeen(),
      ]),
  },
  {
    what: 'agents over HTTP',
    run: () => {
      rooms.readers.drop(new Error('the server is stopping'))
      tasks.close()
      httpAgents.close()
      for (const socket of agentSockets.all) socket.close(1001, 'the server is stopping')
    },
  },
  {
    ...{ what: 'applying what has come', ms: STOP_MS.received },
    run: () => limiter.settled(STOP_MS.received - 100),
  },
  { what: 'storing it', ms: STOP_MS.flush, stores: true, run: () => rooms.rooms.flush() },
  {
    ...{ what: 'checkpoints', ms: STOP_MS.checkpoints },
    run: (signal) => rooms.rooms.writeCheckpoints(signal),
  },
]

const stepsOfStores = ({ options, owner, history, indexer, texts, updateLog }: Parts): Step[] => [
  { what: 'the search index', ms: STOP_MS.aside, run: () => indexer.close() },
  { what: 'versions', ms: STOP_MS.versions, run: () => history.close() },
  { what: 'the thread for texts', ms: STOP_MS.aside, run: () => texts.close() },
  {
    ...{ what: 'the store', ms: STOP_MS.store, stores: true, writes: true },
    run: () => updateLog.close(),
  },
  {
    ...{ what: 'telling the owner that it has stopped', ms: STOP_MS.aside, writes: true },
    run: () => saveOwner(options.data, { token: owner.token }),
  },
]
