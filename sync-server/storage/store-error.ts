import { ClawError } from '../../protocol/errors.ts'
import { isSystemError, meaningOf } from '../../protocol/system-error.ts'
import { Fault } from './faults.ts'
import { Corruption, causeOf, Newer, Older, Unreadable } from './integrity/corruption.ts'
import { isStoreFailure, Unavailable } from './integrity/db.ts'

/** The hint for a damaged store. */
export const DAMAGED_HINT =
  'keep a copy of the folder as it is; "clawlink-sync verify" says what else is wrong, "clawlink-sync restore" brings a backup back (docs/OPERATIONS.md)'

/** The hint for a workspace with unreadable content. */
export const REPAIR_HINT =
  'stop the server and run "clawlink-sync repair": it takes out what cannot stay and keeps it beside (docs/OPERATIONS.md)'

/** The user's error for a store in `dir`, or at that address, that cannot be opened or read. */
export const storeError = (dir: string, thrown: unknown): ClawError => {
  if (thrown instanceof ClawError) return thrown
  const error = errorFor(dir, thrown)
  error.cause = thrown
  return error
}

const errorFor = (dir: string, thrown: unknown): ClawError => {
  const damage = causeOf(thrown, Corruption)
  if (damage !== null) {
    return new ClawError('data_damaged', `${dir} is damaged: ${damage.message}`, DAMAGED_HINT)
  }
  const unreadable = causeOf(thrown, Unreadable)
  if (unreadable !== null) {
    return new ClawError('data_damaged', unreadable.message, REPAIR_HINT)
  }
  const newer = causeOf(thrown, Newer)
  if (newer !== null) {
    return new ClawError(
      'data_newer',
      `${dir} was written by a newer version: ${newer.message}`,
      'install that version again, or restore a backup from before it',
    )
  }
  const older = causeOf(thrown, Older)
  if (older !== null) {
    return new ClawError(
      'data_unusable',
      `${dir} was written by an older version: ${older.message}`,
      'copy the folder while no server runs, then start the server once: it brings it along',
    )
  }
  const cause = innermost(thrown)
  if (causeOf(thrown, Unavailable) !== null) {
    return new ClawError(
      'data_unusable',
      `${dir} cannot be used: ${cause.message || cause.code}`,
      'check that PostgreSQL runs there, and the address, user and password in --store',
    )
  }
  if (isSystemError(cause)) {
    const [as, message, hint] = meaningOf(cause)
    const isOthers = cause.code === 'EACCES' || cause.code === 'EPERM'
    const todo = 'run this as the user of the server (sudo -u USER), or name another with --data'
    return new ClawError(as, message, isOthers ? todo : hint)
  }
  const { code, message } = cause
  if (code === 'LEVEL_LOCKED') {
    return new ClawError(
      'data_locked',
      `${dir} is in use by another server`,
      'stop that one, or give this one a folder of its own with --data',
    )
  }
  return new ClawError(
    'data_unusable',
    `${dir} cannot be used: ${message}`,
    /no space|ENOSPC/i.test(message)
      ? 'make room on its disk; nothing is lost'
      : 'check that it is a folder you may write to, or choose another with --data',
  )
}

/** The innermost cause. */
const innermost = (thrown: unknown): Error & { code?: string } => {
  const { cause } = thrown as { cause?: unknown }
  return cause instanceof Error ? innermost(cause) : (thrown as Error)
}

/**
 * The client's error for an error in a request. `trouble`: the store's failure; null if it works.
 */
export const requestError = (thrown: unknown, trouble: string | null): ClawError => {
  const damage = causeOf(thrown, Corruption)
  if (damage !== null) {
    return new ClawError('data_damaged', damage.message, 'the owner of the server must look at it')
  }
  if (thrown instanceof ClawError) return thrown
  const error = ClawError.from(thrown)
  if (trouble !== null || isStoreFailure(thrown)) {
    const what = trouble ?? `the store failed: ${innermost(thrown).message}`
    return new ClawError('storage_failed', what, 'try again later; the server log says more')
  }
  if (isSystemError(thrown)) {
    const { code } = thrown
    const what = `the disk of the server refused it (${code})`
    return new ClawError('storage_failed', what, 'try again later; the server log says more')
  }
  const fault = causeOf(thrown, Fault)
  if (fault === null) return error
  return new ClawError(
    'workspace_failed',
    `${fault.message}; the other workspaces are served`,
    'try again later; the owner of the server must look at its log and run "clawlink-sync verify"',
    fault.retryAfter ?? undefined,
  )
}
