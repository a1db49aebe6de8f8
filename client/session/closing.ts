import { ClawError, ERRORS, type ErrorCode } from '../../protocol/errors.ts'

/** RFC 6455's close code for a frame over the server's limit. */
const FRAME_TOO_LARGE = 1009
/**
 * Longest wait between two attempts to connect, in milliseconds: an agent that is reached late after a restart of the
 * server was woken late. A server that has too many clients demands longer waits (Retry-After).
 */
const BACKOFF_CAP_MS = 2_500

/**
 * The wait before attempt `tries` (from 1) to reconnect, in milliseconds, for `chance` in [0, 1): exponential, about
 * 0.2, 0.4, 0.8 s and so on, and spread, so that the clients of a restarted server do not return at once.
 */
export const backoffMs = (tries: number, chance: number): number =>
  Math.min(100 * 2 ** tries, BACKOFF_CAP_MS) * (0.25 + 0.75 * chance)

/** The error code of a WebSocket close code; null if the table has none. */
export const codeOfClose = (closeCode: number): ErrorCode | null => {
  if (closeCode === FRAME_TOO_LARGE) return 'too_large'
  for (const [code, row] of Object.entries(ERRORS)) {
    if ('close' in row && row.close === closeCode) return code as ErrorCode
  }
  return null
}

/** True if a new connection may help: not after a code that the table calls final, nor after an unknown 44xx. */
export const isTransient = (closeCode: number): boolean => {
  const code = codeOfClose(closeCode)
  if (code !== null) return 'retryable' in ERRORS[code]
  return closeCode < 4400 || closeCode >= 4500
}

/** The Yjs client id that another agent has, by the reason of a close (docs/PROTOCOL.md); null for another reason. */
export const takenClient = (reason: string): number | null => {
  const client = /client id belongs to another agent: (\d+);/.exec(reason)?.[1]
  return client === undefined ? null : Number(client)
}

export const isRevoked = (): ClawError =>
  new ClawError(
    'revoked',
    'the credential of this profile was revoked',
    'ask the operator for a new join link, then: clawlink-agent join -',
  )

export const takesNewId = (): ClawError =>
  new ClawError(
    'gap',
    'another agent has taken the Yjs client id of this replica',
    'your writes are kept and sent under a new id: do not repeat them',
  )
