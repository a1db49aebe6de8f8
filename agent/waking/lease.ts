import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { claimFile, textOf } from '../../lib/disk/claim.ts'
import { writeOwn } from '../../lib/disk/own-file.ts'
import { isLiving, isSameProcess, type LivingProcess } from '../../lib/disk/process-life.ts'
import { type HostSession, isOver, isSameSession, sessionId } from './host-session.ts'

/** The session that works as a profile; no other one is woken. */
export interface Lease extends HostSession {
  /** Other names that this session had: a host may rename it. */
  before: string[]
}

const LEASE_FILE = 'session.json'
const WATCHER_FILE = 'watcher.json'
/** Names of a session that are remembered (count). */
const MAX_NAMES = 8
/** Longest name of a host that is shown (characters). */
const HOST_NAME = /^[a-z-]{1,24}$/

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const parsed = (text: string | null): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(text ?? '')
    return isRecord(value) ? value : {}
  } catch {
    return {} // missing or damaged: it has no holder
  }
}

const processIn = ({ pid, life }: Record<string, unknown>): LivingProcess | null =>
  typeof pid === 'number' && pid > 0 && (life === null || typeof life === 'string')
    ? { pid, life }
    : null

const leaseIn = (text: string | null): Lease | null => {
  const value = parsed(text)
  const holder = processIn(value)
  const { host, id, before } = value
  if (holder === null || typeof host !== 'string' || !HOST_NAME.test(host)) return null
  const names = Array.isArray(before) ? before.flatMap((one) => sessionId(one) ?? []) : []
  return { ...holder, host, id: sessionId(id), before: names.slice(-MAX_NAMES) }
}

/** The lease of a profile whose holder lives; null if no session holds it. Never throws. */
export const leaseOf = (profileDir: string): Lease | null => {
  const lease = leaseIn(textOf(join(profileDir, LEASE_FILE)))
  return lease === null || isOver(lease) ? null : lease
}

const renamed = (lease: Lease, session: HostSession): Lease => ({
  ...session,
  id: session.id ?? lease.id,
  before: [...new Set([...lease.before, ...(lease.id === null ? [] : [lease.id])])]
    .filter((name) => name !== session.id)
    .slice(-MAX_NAMES),
})

/**
 * Takes the lease for a session unless another one that lives holds it. Returns null if the session holds it now, else
 * the lease in its way. `by force`: takes it from a living session, too. Never throws: where nothing can be written,
 * no session is kept from working.
 */
export const takeLease = (
  profileDir: string,
  session: HostSession,
  force = false,
): Lease | null => {
  const path = join(profileDir, LEASE_FILE)
  try {
    const mine: Lease = { ...session, before: [] }
    const isFree = (text: string): boolean => {
      const lease = leaseIn(text)
      return force || lease === null || isOver(lease)
    }
    const known = leaseIn(textOf(path))
    if (known !== null && isSameSession(known, session)) {
      const now = renamed(known, session)
      if (JSON.stringify(now) !== JSON.stringify(known)) writeOwn(path, now)
      return null
    }
    const text = claimFile(path, mine, isFree)
    if (text === null) return null
    const other = leaseIn(text)
    return other === null || isSameSession(other, session) ? null : other
  } catch {
    return null
  }
}

/** Gives the lease up, if this session holds it under this name. */
export const releaseLease = (profileDir: string, session: HostSession): void => {
  const path = join(profileDir, LEASE_FILE)
  const lease = leaseIn(textOf(path))
  if (lease === null || !isSameSession(lease, session)) return
  // The host has begun another session in the same process.
  if (session.id !== null && lease.id !== null && session.id !== lease.id) return
  rmSync(path, { force: true })
}

/** True if the session with this name holds the lease, or none does. */
export const mayWork = (lease: Lease | null, name: string | undefined): boolean =>
  lease === null ||
  name === undefined ||
  lease.id === null ||
  lease.id === name ||
  lease.before.includes(name)

/**
 * Makes this process the one that wakes the agent in `session`, which holds the lease. Returns false while another
 * living process does that; one of a session that lost the lease does not count.
 */
export const becomeWatcher = (
  profileDir: string,
  watcher: LivingProcess,
  session: HostSession,
): boolean => {
  const path = join(profileDir, WATCHER_FILE)
  const mine = { ...watcher, session: session.pid }
  const holderIn = (text: string | null): LivingProcess | null => {
    const value = parsed(text)
    return value.session === session.pid ? processIn(value) : null
  }
  const isMine = (text: string | null): boolean => {
    const holder = holderIn(text)
    return holder !== null && isSameProcess(holder, watcher)
  }
  try {
    if (isMine(textOf(path))) return true
    const text = claimFile(path, mine, (found) => {
      const holder = holderIn(found)
      return holder === null || !isLiving(holder)
    })
    return text === null || isMine(text)
  } catch {
    return true // no lock can be made here: better woken twice than never
  }
}
