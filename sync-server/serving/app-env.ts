import type { IncomingMessage } from 'node:http'
import type { Context } from 'hono'
import type { Requests } from '../limits/requests.ts'
import { writeBackup } from '../ops/backup.ts'
import type { AppEnv } from '../routes/env.ts'
import { workspaceOf } from '../sync/principal.ts'
import type { Parts } from './parts.ts'
import { slowReaderMsOf } from './rooms.ts'

const requestOf = (c: Context): IncomingMessage => (c.env as { incoming: IncomingMessage }).incoming

/**
 * The parts of the server that its HTTP routes use. `requests` is called only once requests arrive.
 */
export const appEnvOf = (parts: Parts, requests: () => Requests): AppEnv => {
  const { options, version, log, now, limiter, health, metrics, incidents, rooms, sweeper } = parts
  const {
    updateLog,
    access,
    identity,
    history,
    checkpoints,
    blobs,
    tasks,
    httpAgents,
    texts,
    finder,
  } = parts
  return {
    ...{
      version,
      log,
      now,
      metrics,
      updateLog,
      access,
      identity,
      history,
      checkpoints,
      blobs,
      tasks,
      httpAgents,
      texts,
      finder,
    },
    startedAt: now(),
    leaseMs: options.leaseMs,
    maxBody: options.limits.body,
    slowReaderMs: slowReaderMsOf(parts),
    trouble: () => health.failure,
    damage: () => health.damage,
    failed: () => rooms.rooms.faults.names,
    room: rooms.open,
    reader: rooms.read,
    holdOf: (request) => requests().of(request),
    mayWork: (by) => limiter.mayWork(by),
    onAsked: (by, hold) => limiter.request(by, hold),
    onWork: (by, ms) => limiter.worked(by, ms),
    onRefused: (c, error, by) => limiter.refused(requestOf(c), error, by),
    onWrongCredential: (c, why) => incidents.signInFailed(requestOf(c), why),
    onForgery: (by, where, what) =>
      incidents.forged(by, workspaceOf(by), `${where.slice(0, 200)}: ${what}`),
    ops: {
      backup: (dir) => {
        const records = () => updateLog.records()
        // A blob that records refer to is not deleted before it is copied.
        return sweeper.hold(() => writeBackup({ data: options.data, records, version, now }, dir))
      },
    },
  }
}
