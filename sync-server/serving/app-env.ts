import type { IncomingMessage } from 'node:http'
import type { Context } from 'hono'
import { Mutex } from '../../lib/mutex.ts'
import { readOwner } from '../auth/owner.ts'
import { drain } from '../cluster/handover.ts'
import type { Proxies } from '../config/proxies.ts'
import { Pages } from '../http/pages.ts'
import type { Requests } from '../limits/requests.ts'
import { writeBackup } from '../ops/backup.ts'
import { statusOf } from '../ops/host/server-status.ts'
import { noteBackup } from '../ops/host/status.ts'
import { summaryOf } from '../ops/manifest.ts'
import { purgeBeside } from '../ops/purge.ts'
import type { AppEnv } from '../routes/env.ts'
import { workspaceOf } from '../sync/principal.ts'
import type { Parts } from './parts.ts'
import { slowReaderMsOf } from './rooms.ts'

/** Over TLS, to this server or to a trusted proxy in front of it. */
const isSecure = ({ socket, headers }: IncomingMessage, isProxy: Proxies): boolean =>
  'encrypted' in socket ||
  (isProxy(socket.remoteAddress ?? '') && headers['x-forwarded-proto'] === 'https')

const requestOf = (c: Context): IncomingMessage => (c.env as { incoming: IncomingMessage }).incoming

/**
 * The parts of the server that its HTTP routes use. `requests` is called only once requests arrive.
 */
export const appEnvOf = (parts: Parts, requests: () => Requests): AppEnv => {
  const { options, version, log, now, limiter, health, metrics, incidents, rooms } = parts
  const startedAt = now()
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
    startedAt,
    pages: new Pages(),
    isSecure: (c) => isSecure(requestOf(c), options.isProxy),
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
    onAsked: (by, hold) => {
      access.members.seen(by)
      limiter.request(by, hold)
    },
    onWork: (by, ms) => limiter.worked(by, ms),
    onRefused: (c, error, by) => limiter.refused(requestOf(c), error, by),
    onEndedCredential: (c, why) => incidents.rejected(requestOf(c), why),
    onWrongCredential: (c, why) => incidents.signInFailed(requestOf(c), why),
    onForgery: (by, where, what) =>
      incidents.forged(by, workspaceOf(by), `${where.slice(0, 200)}: ${what}`),
    ops: opsOf(parts, startedAt),
  }
}

const opsOf = (parts: Parts, startedAt: number): AppEnv['ops'] => {
  const { options, version, log, now, updateLog, sweeper } = parts
  // A purge deletes nothing while a backup copies it.
  const alone = new Mutex()
  return {
    backup: (dir) => {
      const records = () => updateLog.records()
      // A blob that records refer to is not deleted before it is copied.
      const work = async () => {
        const made = await writeBackup({ data: options.data, records, version, now }, dir)
        await noteBackup(options.data, dir, summaryOf(made)).catch((err) =>
          log.warn({ err }, 'the backup is not remembered'),
        )
        return made
      }
      return alone.run(() => sweeper.hold(work))
    },
    purge: (workspace, by, isDry) =>
      isDry
        ? purgeBeside(parts, workspace, by, true)
        : alone.run(() => purgeBeside(parts, workspace, by, false)),
    logLevel: (level) => {
      if (level !== undefined) log.level = level
      return log.level
    },
    drain: () => drain(parts.cluster?.holdings ?? null, log),
    status: (state) => {
      const uptime_seconds = Math.floor((now() - startedAt) / 1_000)
      const url = readOwner(options.data)?.url ?? null
      return statusOf(parts, { url, uptime_seconds, ...state })
    },
  }
}
