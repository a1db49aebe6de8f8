import { agentName } from '../../../workspace/agents/agents.ts'
import { taskRecords } from '../../../workspace/document/shape.ts'
import { isOpen } from '../../../workspace/tasks/tasks.ts'
import type { AccessStore } from '../../auth/store.ts'
import type { Options } from '../../config/options.ts'
import type { Figures } from '../../http/metrics.ts'
import type { HttpAgents } from '../../http-agents/http-agents.ts'
import type { Limiter } from '../../limits/limiter.ts'
import type { Blobs } from '../../storage/blobs/blobs.ts'
import type { LevelUpdateLog } from '../../storage/level-update-log.ts'
import { freeBytes } from '../../storage/recovery.ts'
import type { Room } from '../../sync/room.ts'
import type { Rooms } from '../../sync/rooms.ts'
import {
  filesSize,
  nearLimits,
  readLastBackup,
  type ServerStatus,
  type WorkspaceStatus,
} from './status.ts'

/** The parts of a server that its status tells of. */
export interface Env {
  options: Pick<Options, 'data' | 'limits'>
  version: string
  access: AccessStore
  rooms: { rooms: Rooms }
  updateLog: LevelUpdateLog
  blobs: Blobs
  limiter: Limiter
  connections: ReadonlySet<unknown>
  httpAgents: HttpAgents
}

/** Tasks of a room that have not ended (count). */
export const openTasks = ({ doc }: Room): number => {
  let open = 0
  for (const [id] of taskRecords(doc)) if (isOpen(doc, id)) open++
  return open
}

/** The agents that are here. */
export const onlineIn = ({ httpAgents }: Pick<Env, 'httpAgents'>, room: Room): string[] => [
  ...httpAgents.here(room).present,
]

/** The rooms in memory, by name. */
const roomsOf = ({ rooms }: Env): Map<string, Room> =>
  new Map([...rooms.rooms.all].map((room) => [room.name, room]))

/** The state of a running server, for its host. `about`: where it is, since when, and how it is. */
export const statusOf = async (
  env: Env,
  about: Pick<ServerStatus, 'url' | 'status' | 'reason' | 'uptime_seconds'>,
): Promise<ServerStatus> => {
  const { access, options, limiter, connections, updateLog, blobs } = env
  const all = await access.overAll()
  const { names, removed } = all.workspaces
  const inMemory = roomsOf(env)
  const members = all.members.list(null).filter(({ revoked_at }) => revoked_at === null)
  const joined = new Map<string, number>()
  for (const { workspace } of members) joined.set(workspace, (joined.get(workspace) ?? 0) + 1)
  const workspaces: WorkspaceStatus[] = []
  for (const name of names) {
    const room = inMemory.get(name)
    const online = room === undefined ? [] : onlineIn(env, room)
    // A node knows of others' workspaces only what is stored.
    const isHere = access.workspaces.has(name)
    workspaces.push({
      ...{ workspace: name, called: all.workspaces.calledOf(name) },
      online: isHere
        ? online.map((id) => ({ agent_id: id, name: agentName(room!.doc, id) }))
        : null,
      ...{ connections: room?.connections.size ?? 0, agents: joined.get(name) ?? 0 },
      open_tasks: room === undefined ? null : openTasks(room),
      ...{ disk_bytes: await updateLog.sizeOf(name), blob_bytes: await blobs.bytesOf(name) },
    })
  }
  const used = {
    connections: connections.size,
    workspaces: names.length,
    rooms: inMemory.size,
    invites: all.admin.invites(null).length,
    held: limiter.held.of(),
  }
  const blobBytes = workspaces.reduce((sum, { blob_bytes }) => sum + blob_bytes, 0)
  return {
    ...{ running: true, version: env.version, pid: process.pid, ...about },
    ...{ connections: connections.size, held_bytes: limiter.held.of(), workspaces },
    removed: removed.map(({ name, at }) => ({ workspace: name, at: new Date(at).toISOString() })),
    disk: {
      data_bytes: (await filesSize(options.data)) + blobBytes,
      free_bytes: await freeBytes(options.data).catch(() => null),
    },
    last_backup: await readLastBackup(options.data),
    limits_near: nearLimits(used, options.limits),
  }
}

/** The figures for Prometheus. `isWell`: `/health` does not answer 503. */
export const figuresOf = async (env: Env, isWell: boolean): Promise<Figures> => {
  const { access, options, limiter, connections, rooms } = env
  const inMemory = [...rooms.rooms.all]
  const joined = access.members.list(null).filter(({ revoked_at }) => revoked_at === null)
  const sum = (of: (room: Room) => number) => inMemory.reduce((all, room) => all + of(room), 0)
  const backup = await readLastBackup(options.data)
  return {
    ...{ connections: connections.size, rooms: inMemory.length, agentsJoined: joined.length },
    workspaces: access.workspaces.names.length,
    agentsOnline: sum((room) => onlineIn(env, room).length),
    openTasks: sum(openTasks),
    heldBytes: limiter.held.of(),
    dataBytes: await filesSize(options.data),
    freeBytes: await freeBytes(options.data).catch(() => Number.NaN),
    lastBackup: backup === null ? 0 : Date.parse(backup.at) / 1_000,
    isWell: isWell ? 1 : 0,
  }
}
