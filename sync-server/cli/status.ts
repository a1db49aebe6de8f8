import { join } from 'node:path'
import { counted } from '../../lib/text/count.ts'
import { ClawError } from '../../protocol/errors.ts'
import { AccessStore } from '../auth/store.ts'
import { LOG_LEVELS } from '../config/flags.ts'
import { LIMITS } from '../config/quotas.ts'
import { askServer } from '../ops/ask.ts'
import {
  filesSize,
  readLastBackup,
  type ServerStatus,
  type WorkspaceStatus,
} from '../ops/host/status.ts'
import { isServed, openData, ownerOf } from '../ops/source.ts'
import { BlobStore } from '../storage/blobs/blob-store.ts'
import { freeBytes } from '../storage/recovery.ts'
import type { Call, Command } from './call.ts'
import { clean, escaped } from './clean.ts'
import { jsonOf, sizeText } from './command.ts'

/** The status of a stopped server; null: a server uses the data. Throws `no_data`. */
const stopped = async ({ place, version }: Call): Promise<ServerStatus | null> => {
  const log = await openData(place)
  if (log === null) return null
  try {
    const limits = { invites: LIMITS.invites.is, workspaces: LIMITS.workspaces.is }
    const access = await AccessStore.open(log, Date.now, limits)
    const blobs = new BlobStore(join(place.data, 'blobs'), Date.now)
    const members = access.members.list(null).filter(({ revoked_at }) => revoked_at === null)
    const workspaces: WorkspaceStatus[] = []
    for (const name of access.workspaces.names) {
      workspaces.push({
        ...{ workspace: name, called: access.workspaces.calledOf(name) },
        ...{ online: null, connections: 0, open_tasks: null },
        agents: members.filter(({ workspace }) => workspace === name).length,
        ...{ disk_bytes: await log.sizeOf(name), blob_bytes: await blobs.bytesOf(name) },
      })
    }
    const blobBytes = workspaces.reduce((sum, { blob_bytes }) => sum + blob_bytes, 0)
    return {
      ...{ running: false, version, url: null, pid: null, uptime_seconds: null },
      ...{ status: 'stopped', connections: 0, held_bytes: 0, workspaces, limits_near: [] },
      removed: access.workspaces.removed.map(({ name, at }) => ({
        ...{ workspace: name, at: new Date(at).toISOString() },
      })),
      disk: {
        data_bytes: (await filesSize(place.data)) + blobBytes,
        free_bytes: await freeBytes(place.data).catch(() => null),
      },
      last_backup: await readLastBackup(place.data),
    }
  } finally {
    await log.close()
  }
}

/** A time span in its largest units: `2 h 5 min`. */
export const spanText = (seconds: number): string => {
  const [days, hours] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3_600) % 24]
  const minutes = Math.floor(seconds / 60) % 60
  if (days > 0) return `${days} d ${hours} h`
  if (hours > 0) return `${hours} h ${minutes} min`
  return minutes > 0 ? `${minutes} min` : `${Math.floor(seconds)} s`
}

/** Names that a line lists (count). */
const SHOWN = 5

const onlineText = ({ online }: WorkspaceStatus): string => {
  if (online === null) return '-'
  if (online.length === 0) return '0 online'
  const names = online.slice(0, SHOWN).map(({ name }) => name)
  const more = online.length - names.length
  return `${online.length} online (${names.join(', ')}${more > 0 ? `, +${more}` : ''})`
}

/** Rows with their cells in columns. */
const aligned = (rows: readonly (readonly string[])[]): string[] => {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  )
}

const workspaceRow = (one: WorkspaceStatus): string[] => [
  one.called === one.workspace ? one.workspace : `${one.called} (${one.workspace})`,
  onlineText(one),
  `${one.agents} joined`,
  one.open_tasks === null ? '-' : counted(one.open_tasks, 'open task'),
  one.disk_bytes === null ? '-' : sizeText(one.disk_bytes),
  `${sizeText(one.blob_bytes)} in blobs`,
]

/** The status in lines for people. `now`: milliseconds since the epoch. */
export const statusLines = (status: ServerStatus, now: number): string[] => {
  const { disk, last_backup: backup, limits_near: near, removed } = status
  const health = status.reason === undefined ? status.status : `${status.status}: ${status.reason}`
  const free = disk.free_bytes === null ? '' : `, ${sizeText(disk.free_bytes)} free`
  const age = backup === null ? 0 : Math.max(0, (now - Date.parse(backup.at)) / 1_000)
  return [
    status.running
      ? `running at ${status.url ?? '?'}, process ${status.pid}, for ${spanText(status.uptime_seconds ?? 0)}: ${health}`
      : 'stopped: no server uses this data',
    '',
    ...aligned(status.workspaces.map(workspaceRow)),
    ...removed.map(({ workspace, at }) => `${workspace}  removed ${at}`),
    '',
    ...(status.running
      ? [
          `queue   ${sizeText(status.held_bytes)} held for ${counted(status.connections, 'connection')}`,
        ]
      : []),
    `disk    ${sizeText(disk.data_bytes)} of data${free}`,
    `backup  ${backup === null ? 'none known: clawlink-sync backup DIR, or --backup-dir at the start' : `${spanText(age)} ago, ${sizeText(backup.bytes)}, in ${backup.dir}`}`,
    `limits  ${near.length === 0 ? 'none near' : near.map(({ limit, is, most }) => `${limit} ${is} of ${most}`).join(', ')}`,
  ]
}

export const status: Command = async (call) => {
  const { place, json } = call
  const running = async (): Promise<ServerStatus> =>
    askServer<ServerStatus>(await ownerOf(place), '/api/admin/status')
  const found = (await isServed(place))
    ? await running()
    : ((await stopped(call)) ?? (await running()))
  if (json) call.print(`${escaped(JSON.stringify({ ok: true, data: found }))}\n`)
  else
    call.print(
      statusLines(found, Date.now())
        .map((line) => `${clean(line)}\n`)
        .join(''),
    )
  return 0
}

/** Shows or changes how much a running server logs. Throws `no_data` where none runs. */
export const logLevel: Command = async ({ place, json, print, oneOf }) => {
  const unused = (await isServed(place)) ? null : await openData(place)
  if (unused !== null) {
    await unused.close()
    throw new ClawError(
      'no_data',
      `no server uses ${place.data}`,
      'start it with --log-level LEVEL',
    )
  }
  const level = oneOf('level', LOG_LEVELS)
  const body = level === undefined ? {} : { level }
  const path = '/api/admin/log-level'
  const data = await askServer<{ level: string }>(await ownerOf(place), path, body)
  print(json ? jsonOf(data) : `${data.level}\n`)
  return 0
}

/** Gives the workspaces of a running node to the others. Exits 1 if it keeps some. Throws `no_data` where none runs. */
export const drain: Command = async ({ place, json, print }) => {
  const unused = (await isServed(place)) ? null : await openData(place)
  if (unused !== null) {
    await unused.close()
    throw new ClawError('no_data', `no server uses ${place.data}`, 'name its folder with --data')
  }
  const owner = await ownerOf(place)
  const path = '/api/admin/drain'
  const done = await askServer<{ given_up: number; kept: number }>(owner, path, {}, null)
  const { given_up: given, kept } = done
  const said = `${counted(given, 'workspace')} given to other nodes; this one claims none until it is started again`
  if (json) print(jsonOf(done))
  else print(kept === 0 ? `${said}\n` : `${said}; ${kept} kept, as no other node is up\n`)
  return kept === 0 ? 0 : 1
}
