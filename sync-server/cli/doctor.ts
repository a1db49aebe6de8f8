import { constants } from 'node:fs'
import { access, readdir, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { counted } from '../../lib/text/count.ts'
import { ClawError } from '../../protocol/errors.ts'
import { OWNER_FILE, readOwner } from '../auth/owner.ts'
import { DEFAULT_PORT } from '../config/flags.ts'
import { RECOVERY_BYTES } from '../config/limits.ts'
import type { StoreAddress } from '../config/store-address.ts'
import { askServer } from '../ops/ask.ts'
import { openData } from '../ops/source.ts'
import { namesIn } from '../storage/integrity/disk.ts'
import type { Place } from '../storage/place.ts'
import { freeBytes } from '../storage/recovery.ts'
import type { Command } from './call.ts'
import { jsonOf, sizeText } from './command.ts'

/** A disk with less is nearly full. */
const LOW_DISK_BYTES = 1024 * 1024 * 1024
/** Largest difference between the clock and file times on one machine (milliseconds). */
const CLOCK_MS = 60_000
const OLDEST_NODE = [20, 19]

interface Finding {
  check: string
  state: 'ok' | 'warn' | 'fail'
  says: string
  todo?: string
}

const finding = (check: string) => ({
  ok: (says: string): Finding => ({ check, state: 'ok', says }),
  warn: (says: string, todo: string): Finding => ({ check, state: 'warn', says, todo }),
  fail: (says: string, todo: string): Finding => ({ check, state: 'fail', says, todo }),
})

export const doctor: Command = async (call) => {
  const { place, json } = call
  const { data } = place
  const port = call.number('port') ?? DEFAULT_PORT
  const { finding: store, isInUse } = await ofStore(place)
  const findings = [
    ofNode(call.version),
    ...(await ofFolder(data)),
    await ofDisk(data),
    store,
    ...(place.store === null ? [] : await ofDatabase(place.store)),
    isInUse ? await ofServer(data, call.version) : await ofPort(port),
    await ofClock(data),
    ...(await ofLeftovers(data)),
  ]
  if (json) call.print(jsonOf({ findings }))
  else for (const one of findings) call.print(lineOf(one))
  return findings.some(({ state }) => state === 'fail') ? 1 : 0
}

const lineOf = ({ state, check, says, todo }: Finding): string =>
  `${state.padEnd(5)} ${check}: ${says}${todo === undefined ? '' : ` — ${todo}`}\n`

const ofNode = (version: string): Finding => {
  const says = `clawlink-sync ${version}, Node.js ${process.versions.node}`
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const isOld = major < OLDEST_NODE[0]! || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]!)
  const { ok, fail } = finding('versions')
  return isOld ? fail(says, `install Node.js ${OLDEST_NODE.join('.')} or newer`) : ok(says)
}

const ofFolder = async (data: string): Promise<Finding[]> => {
  const { ok, warn, fail } = finding('folder')
  const found = await stat(data).catch(() => null)
  if (found === null) return [ok(`${data} does not exist yet; the first start creates it`)]
  if (!found.isDirectory()) return [fail(`${data} is not a folder`, 'name another with --data')]
  const mayWrite = await access(data, constants.R_OK | constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  )
  if (!mayWrite) {
    return [fail(`you may not write to ${data}`, 'run this as the user of the server')]
  }
  const open = await openToOthers(data)
  const owner = await openToOthers(join(data, OWNER_FILE))
  return [
    open ? warn(`others may read ${data}`, `chmod 700 ${data}`) : ok(`${data} is private`),
    ...(owner
      ? [
          fail(
            `others may read ${OWNER_FILE}, the key to the server`,
            `chmod 600 ${join(data, OWNER_FILE)}`,
          ),
        ]
      : []),
  ]
}

const openToOthers = async (path: string): Promise<boolean> => {
  // Windows has no permission bits.
  if (process.platform === 'win32') return false
  const found = await stat(path).catch(() => null)
  return found !== null && (found.mode & 0o077) !== 0
}

const ofDisk = async (data: string): Promise<Finding> => {
  const { ok, warn, fail } = finding('disk')
  for (let dir = data; ; dir = dirname(dir)) {
    const free = await freeBytes(dir).catch(() => null)
    if (free === null && dir !== dirname(dir)) continue
    const says = `${sizeText(free ?? 0)} free`
    const todo = `make room on the disk of ${data}, or move it`
    if (free === null || free < RECOVERY_BYTES) return fail(says, todo)
    return free < LOW_DISK_BYTES ? warn(says, todo) : ok(says)
  }
}

const ofStore = async (place: Place): Promise<{ finding: Finding; isInUse: boolean }> => {
  const { ok, fail } = finding('store')
  try {
    const log = await openData(place)
    if (log === null) return { finding: ok('in use by a server'), isInUse: true }
    const { length } = await log.workspaces()
    await log.close()
    return { finding: ok(`readable; ${counted(length, 'workspace')}`), isInUse: false }
  } catch (thrown) {
    const error = ClawError.from(thrown)
    const isNew = error.code === 'no_data'
    return { finding: isNew ? ok('empty') : fail(error.message, error.hint), isInUse: false }
  }
}

/** PostgreSQL's own findings; none if it cannot be asked, which the store's finding tells. */
const ofDatabase = async (address: StoreAddress): Promise<Finding[]> => {
  const { ok, warn, fail } = finding('database')
  const { factsOf } = await import('../storage/postgres/schemas.ts')
  const facts = await factsOf(address).catch(() => null)
  if (facts === null) return []
  const { version, bytes, hasFsync, standbys, synchronous, waits } = facts
  const says = `PostgreSQL ${version}, ${sizeText(bytes)}`
  if (!hasFsync) {
    return [fail(`${says}, fsync is off`, 'set fsync = on: a crash loses acknowledged writes')]
  }
  if (waits && synchronous === 0) {
    return [
      fail(
        `${says}, no synchronous standby is there`,
        'start it: no write is acknowledged until then',
      ),
    ]
  }
  if (standbys > 0 && synchronous === 0) {
    return [
      warn(
        `${says}, ${counted(standbys, 'asynchronous standby')}`,
        'set synchronous_standby_names: a failover loses the last acknowledged writes',
      ),
    ]
  }
  return [
    ok(
      `${says}, ${synchronous === 0 ? 'no standby' : counted(synchronous, 'synchronous standby')}`,
    ),
  ]
}

const ofServer = async (data: string, version: string): Promise<Finding> => {
  const { ok, warn, fail } = finding('server')
  const owner = readOwner(data)
  if (owner === null) return fail('running at an unknown address', 'run this as its user')
  try {
    const about = await askServer<{ version: string; server_time: string }>(owner, '/')
    const health = await askServer<{ status: string; reason?: string }>(owner, '/health')
    const says = `${about.version} at ${owner.url}`
    if (health.status !== 'ok') return fail(`${says}: ${health.reason}`, 'see docs/OPERATIONS.md')
    if (Math.abs(Date.parse(about.server_time) - Date.now()) > CLOCK_MS) {
      return fail(
        `${says}, whose clock says ${about.server_time}`,
        'the server may hang: look at its log',
      )
    }
    if (about.version === version) return ok(`${says}, all well`)
    return warn(`${says}, all well; this command is ${version}`, 'restart the server to upgrade it')
  } catch (thrown) {
    const { message, hint } = ClawError.from(thrown)
    return fail(message, hint)
  }
}

const ofPort = async (port: number): Promise<Finding> => {
  const { ok, warn } = finding('port')
  const probe = createServer()
  const code = await new Promise<string | null>((resolve) => {
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(null)))
  })
  if (code === null) return ok(`${port} is free; no server runs here`)
  return warn(
    code === 'EADDRINUSE' ? `${port} is used by another program` : `${port} is not free (${code})`,
    'stop that program, or give the server another port with --port',
  )
}

const ofClock = async (data: string): Promise<Finding> => {
  const { ok, fail } = finding('clock')
  const now = Date.now()
  let newest = 0
  for (const name of await namesIn(data).catch(() => [])) {
    const found = await stat(join(data, name)).catch(() => null)
    newest = Math.max(newest, found?.mtimeMs ?? 0)
  }
  const says = new Date(now).toISOString()
  if (newest - now <= CLOCK_MS) return ok(says)
  return fail(
    `${says}, but the newest data is from ${new Date(newest).toISOString()}`,
    'set the clock by NTP: leases and deadlines depend on it',
  )
}

/** Leftovers of killed commands, in the data folder and beside it. */
const ofLeftovers = async (data: string): Promise<Finding[]> => {
  const { warn } = finding('leftovers')
  const isLeft = /^\.(?:partial|copy)-\w+$/
  const inside = (await readdir(data).catch(() => [])).filter((name) => isLeft.test(name))
  const beside = (await readdir(dirname(data)).catch(() => [])).filter(
    (name) => name.startsWith(basename(data)) && isLeft.test(name.slice(basename(data).length)),
  )
  if (inside.length + beside.length === 0) return []
  const paths = [
    ...inside.map((name) => join(data, name)),
    ...beside.map((name) => join(dirname(data), name)),
  ]
  return [warn(`${paths.join(' ')}: left by a killed command`, 'remove it if no command runs')]
}
