import { ClawError } from '../../protocol/errors.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { FILE_PREFIX, initWorkspace, serverClientOf } from '../../workspace/document/schema.ts'
import { followNames, leaveRevoked } from '../auth/names.ts'
import { Authors } from '../auth/ownership/authors.ts'
import { moved } from '../auth/stored/refusals.ts'
import { RECOVERY_MS } from '../config/limits.ts'
import { Corruption, causeOf } from '../storage/integrity/corruption.ts'
import { Conflict, Fenced, isStoreFailure, LeaseEnded } from '../storage/integrity/db.ts'
import { Recovery } from '../storage/recovery.ts'
import { DAMAGED_HINT, REPAIR_HINT } from '../storage/store-error.ts'
import type { Room } from '../sync/room.ts'
import type { RoomEnv } from '../sync/room-env.ts'
import { Rooms } from '../sync/rooms.ts'
import type { ClusterNode } from './node.ts'
import type { Parts } from './parts.ts'

/** Limits given in seconds, as milliseconds. */
export const slowReaderMsOf = ({ options }: Pick<Parts, 'options'>): number =>
  options.limits['slow-reader-seconds'] * 1_000

/** The workspaces in memory. */
export interface ServerRooms {
  rooms: Rooms
  /** Read-only rooms, used while the store has failed. */
  readers: Rooms
  recovery: Recovery
  /**
   * Throws `too_many` if the most workspaces are in memory; `unknown_workspace`; Fault while a
   * retry is too early.
   */
  check: (workspace: string) => void
  /** Throws like `check`, and `storage_failed` while the store has failed. */
  open: (workspace: string) => Room
  /** A room to read from, even while the store has failed. Throws like `check`. */
  read: (workspace: string) => Room
}

type Env = Omit<Parts, 'rooms' | 'sweeper' | keyof import('./parts.ts').Sockets>
type Failed = (room: Room, error: Error) => void

const roomEnvOf = (parts: Env, onFailure: Failed): Omit<RoomEnv, 'onIdle'> => {
  const { options, now, updateLog, access, tasks, httpAgents, history, metrics, trim } = parts
  const { incidents, cluster } = parts
  return {
    log: updateLog,
    maxAwareness: options.limits['awareness-bytes'],
    maxDocument: options.limits.document,
    slowReaderMs: slowReaderMsOf(parts),
    now,
    gate: () => {
      const { 'client-ids': ids, document } = options.limits
      return new Authors(() => access.isRecovering, ids, document)
    },
    prepare: (doc, name) => initWorkspace(doc, name, now()),
    serverClient: serverClientOf,
    taskOf: (room, agent) => tasks.taskOf(room, agent as AgentId),
    mayRead: (workspace) => cluster === null || cluster.holdings.mayRead(workspace),
    isMoved: (err) =>
      cluster !== null && (causeOf(err, Fenced) !== null || causeOf(err, Conflict) !== null),
    keepsText: (root) => root.startsWith(FILE_PREFIX),
    keeps: (room) => tasks.keeps(room) || httpAgents.keeps(room),
    onDocument: (room, doc) => {
      followNames(doc, room.name, access)
      leaveRevoked(room, doc, access)
      history.follow(room, doc)
      tasks.follow(room, doc)
    },
    onAwareness: (room, before, after) => tasks.seen(room, before, after),
    onFailure,
    onCommit: (room, updates, bytes, ms) => {
      trim(room)
      // A version covers a whole change, but a large update arrives in slices.
      if (!room.isPartial) history.committed(room)
      tasks.committed(room)
      httpAgents.committed(room)
      metrics.updates.inc(updates)
      metrics.bytes.inc(bytes)
      metrics.commits.observe(ms / 1000)
    },
    onForgery: (room, by, what) => incidents.forged(by, room.name, what),
    onClose: incidents.closed,
  }
}

/** Rooms without activity. */
const createReaders = (env: Omit<RoomEnv, 'onIdle'>, log: Parts['log']): Rooms =>
  new Rooms(
    {
      ...env,
      onDocument: () => {},
      onAwareness: () => {},
      onFailure: (_room, err) => log.error({ err }, 'a workspace cannot be read'),
      onCommit: () => {},
      taskOf: () => null,
      keeps: () => false,
    },
    () => {},
  )

const createRecovery = (
  { options, updateLog, access, indexer, health, log, onFenced }: Env,
  readers: Rooms,
): Recovery =>
  new Recovery({
    data: options.data,
    recover: async () => {
      await updateLog.recover().catch((error) => {
        if (causeOf(error, Fenced) !== null) onFenced()
        throw error
      })
      indexer.forget()
      await access.reload()
      if (updateLog.failure !== null) throw new Error('the store failed again')
    },
    onRecovered: () => {
      readers.drop(new Error('the store works again'))
      health.recover()
      log.info('the store works again')
    },
    onError: (err) => log.error({ err }, 'the store does not work yet'),
  })

export const createRooms = (parts: Env): ServerRooms => {
  const { options, log, updateLog, access, tasks, httpAgents, health, onFenced, cluster } = parts
  const failStore = (err: Error): void => {
    const isFenced = causeOf(err, Fenced) !== null
    if (!health.fail(`the store failed: ${reasonOf(err)}`) && !isFenced) return
    if (isFenced && cluster === null) {
      rooms.drop(err)
      onFenced()
      return
    }
    if (isFenced)
      log.warn({ err }, 'another node fenced this one; it owns nothing until it is back')
    else log.fatal({ err }, 'the store failed; nothing is accepted until it works again')
    // Memory may be ahead of the disk.
    rooms.drop(err)
    cluster?.holdings.lost()
    recovery.begin(isFenced ? 0 : RECOVERY_MS)
  }
  const env = roomEnvOf(parts, (room, err) => {
    const found = causeOf(err, Corruption)
    if (found !== null) {
      health.addDamage(found.message)
      log.fatal({ err, hint: DAMAGED_HINT }, 'a workspace is damaged; it is not served')
    } else if (causeOf(err, LeaseEnded) !== null) rooms.lose(room)
    else if (cluster !== null && updateLog.failure === null && causeOf(err, Conflict) !== null) {
      log.warn({ err, workspace: room.name }, 'another node has the workspace')
      rooms.lose(room)
      cluster.holdings.forget(room.name)
    } else if (updateLog.failure !== null || isStoreFailure(err)) failStore(err)
    else {
      const workspace = room.name
      log.error({ err, workspace, hint: REPAIR_HINT }, 'a workspace has failed; it is not served')
      rooms.fault(room, err)
    }
  })
  const rooms: Rooms = new Rooms(
    env,
    (room) => {
      tasks.forget(room)
      httpAgents.forget(room)
    },
    (room) => parts.history.settled(room.name),
  )
  if (cluster !== null) followOwner(cluster, rooms, parts)
  const readers = createReaders(env, log)
  const recovery = createRecovery(parts, readers)
  updateLog.onFailed = failStore
  // A node may lose its database before it has rooms.
  if (updateLog.failure !== null) failStore(updateLog.failure)
  const check = (workspace: string): void => {
    if (cluster !== null) checkOwner(cluster, workspace)
    if (rooms.has(workspace)) return
    access.workspaces.check(workspace)
    rooms.faults.check(workspace)
    const { rooms: most } = options.limits
    if (rooms.size < most) return
    const what = `there are ${most} workspaces in use, the most there may be`
    throw new ClawError('too_many', what, 'see --limit')
  }
  const open = (workspace: string): Room => {
    check(workspace)
    return rooms.open(workspace)
  }
  return {
    ...{ rooms, readers, recovery, check },
    open: (workspace) => {
      const { failure } = health
      if (failure !== null) throw new ClawError('storage_failed', failure, 'see the server log')
      return open(workspace)
    },
    read: (workspace) => {
      const isRead = health.failure === null || cluster !== null
      return isRead ? open(workspace) : readers.open(workspace)
    },
  }
}

/** Has the memory of workspaces follow what this node owns. */
const followOwner = (
  cluster: ClusterNode,
  rooms: Rooms,
  { history, checkpoints, indexer }: Pick<Parts, 'history' | 'checkpoints' | 'indexer'>,
): void => {
  cluster.rooms.release = (workspace) => rooms.release(workspace)
  cluster.rooms.forget = (workspace) => {
    rooms.move(workspace)
    history.forget(workspace)
    checkpoints.forget(workspace)
    indexer.forget(workspace)
  }
}

/** Throws `moved`, and LeaseEnded, unless this node owns the workspace or nobody does. */
const checkOwner = ({ holdings }: ClusterNode, workspace: string): void => {
  if (holdings.owns(workspace) || holdings.isAbsent(workspace)) return
  if (!holdings.hasLease) throw new LeaseEnded()
  throw moved()
}

/** The store's message about a failure; LevelDB's own message is in the cause. */
const reasonOf = (error: Error): string =>
  error.cause instanceof Error ? reasonOf(error.cause) : error.message
