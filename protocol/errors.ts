import { isSystemError, meaningOf } from './system-error.ts'

/**
 * The table of errors, by stable code: exit code of the CLI, HTTP status, WebSocket close code (for errors of the sync
 * socket), and whether the same call may succeed when it is repeated unchanged. Codes and numbers are a contract: rows
 * are added, never changed. protocol/error-guide.ts has the cause and the remedy of each row; it is a file of its own
 * because only docs/errors.md reads it, and every program loads this one.
 */
export const ERRORS = {
  bug: { exit: 1, http: 500 },
  usage: { exit: 2, http: 400 },
  bad_json: { exit: 2, http: 400 },
  bad_status: { exit: 2, http: 400 },
  bad_url: { exit: 2, http: 400 },
  bad_path: { exit: 2, http: 400 },
  bad_text: { exit: 2, http: 400 },
  bad_name: { exit: 2, http: 400 },
  too_large: { exit: 2, http: 413, close: 4413 },
  invalid: { exit: 2, http: 422, close: 4422 },
  malformed: { exit: 2, http: 400, close: 4400 },
  task_cycle: { exit: 2, http: 400 },
  ambiguous: { exit: 2, http: 400 },
  not_registered: { exit: 3, http: 404 },
  unknown_agent: { exit: 3, http: 404 },
  unknown_task: { exit: 3, http: 404 },
  unknown_file: { exit: 3, http: 404 },
  unknown_version: { exit: 3, http: 404 },
  unknown_checkpoint: { exit: 3, http: 404 },
  unknown_suggestion: { exit: 3, http: 404 },
  unknown_message: { exit: 3, http: 404 },
  unknown_route: { exit: 3, http: 404 },
  unknown_undo: { exit: 3, http: 404 },
  unknown_blob: { exit: 3, http: 404 },
  no_candidate: { exit: 3, http: 404 },
  nothing_to_claim: { exit: 3, http: 404 },
  no_match: { exit: 3, http: 404 },
  no_such_local_file: { exit: 3, http: 404 },
  unknown_mirror: { exit: 3, http: 404 },
  unknown_workspace: { exit: 3, http: 404 },
  openclaw_missing: { exit: 3, http: 404 },
  host_missing: { exit: 3, http: 404 },
  no_data: { exit: 3, http: 404 },
  task_taken: { exit: 4, http: 409 },
  task_terminal: { exit: 4, http: 409 },
  task_blocked: { exit: 4, http: 409 },
  lease_lost: { exit: 4, http: 409 },
  task_state: { exit: 4, http: 409 },
  suggestion_state: { exit: 4, http: 409 },
  no_base: { exit: 4, http: 409 },
  stale: { exit: 4, http: 409 },
  file_exists: { exit: 4, http: 409 },
  is_text: { exit: 4, http: 409 },
  not_text: { exit: 4, http: 409 },
  bad_blob: { exit: 4, http: 422 },
  wrong_offset: { exit: 4, http: 409 },
  quota: { exit: 4, http: 507, close: 4414 },
  key_reused: { exit: 4, http: 409 },
  mirror_taken: { exit: 4, http: 409 },
  openclaw_refused: { exit: 4, http: 409 },
  host_taken: { exit: 4, http: 409 },
  host_changed: { exit: 4, http: 409 },
  checkpoint_exists: { exit: 4, http: 409 },
  name_taken: { exit: 4, http: 409 },
  port_taken: { exit: 4, http: 409 },
  data_locked: { exit: 4, http: 409 },
  not_empty: { exit: 4, http: 409 },
  bad_backup: { exit: 4, http: 422 },
  storm: { exit: 4, http: 429 },
  too_many: { exit: 4, http: 429, retryable: true },
  busy: { exit: 4, http: 409, retryable: true },
  not_allowed: { exit: 5, http: 403, close: 4403 },
  insecure: { exit: 5, http: 403 },
  unauthorized: { exit: 5, http: 401, close: 4401 },
  revoked: { exit: 5, http: 401 },
  forged: { exit: 5, http: 403, close: 4430 },
  cannot_write: { exit: 5, http: 507 },
  old_node: { exit: 5, http: 503 },
  host_config: { exit: 5, http: 503 },
  data_unusable: { exit: 5, http: 503 },
  data_damaged: { exit: 5, http: 503 },
  data_newer: { exit: 5, http: 503 },
  unreachable: { exit: 6, http: 503, retryable: true },
  not_clawlink: { exit: 6, http: 502 },
  proxy_refused: { exit: 6, http: 502 },
  no_websockets: { exit: 6, http: 502, retryable: true },
  other_server: { exit: 6, http: 502 },
  unproven: { exit: 6, http: 502, retryable: true },
  bad_certificate: { exit: 6, http: 502 },
  storage_failed: { exit: 6, http: 503, close: 4503, retryable: true },
  workspace_failed: { exit: 6, http: 503, retryable: true },
  moved: { exit: 6, http: 503, close: 4307, retryable: true },
  shutting_down: { exit: 6, http: 503, close: 1001, retryable: true },
  slow_reader: { exit: 6, http: 503, close: 4408, retryable: true },
  gap: { exit: 6, http: 409, close: 4409, retryable: true },
  timeout: { exit: 7, http: 504, retryable: true },
} as const satisfies Record<
  string,
  { exit: number; http: number; close?: number; retryable?: boolean }
>

export type ErrorCode = keyof typeof ERRORS

/** Request header of the agent CLI. With it, hints name verbs of the CLI; without it, routes of HTTP. */
export const VERBS_HEADER = 'clawlink-verbs'

/** The JSON form of an error, the same on stdout (`--json`) and over HTTP. */
export interface ErrorBody {
  code: ErrorCode
  message: string
  hint: string
  retryable: boolean
  /** Seconds until a retry can succeed; absent if unknown. */
  retry_after?: number
}

/** An expected failure. `message` says what is wrong in one line, `hint` what to do next. */
export class ClawError extends Error {
  readonly code: ErrorCode
  readonly hint: string
  /** Seconds until a retry can succeed; undefined if unknown. */
  readonly retryAfter: number | undefined

  constructor(code: ErrorCode, message: string, hint = '', retryAfter?: number) {
    super(message)
    this.name = 'ClawError'
    this.code = code
    this.hint = hint
    this.retryAfter = retryAfter
  }

  get exit(): number {
    return ERRORS[this.code].exit
  }

  get http(): number {
    return ERRORS[this.code].http
  }

  toBody(): ErrorBody {
    const { code, message, hint, retryAfter } = this
    const body = { code, message, hint, retryable: 'retryable' in ERRORS[code] }
    return retryAfter === undefined ? body : { ...body, retry_after: retryAfter }
  }

  /** Reads an error that another process sent. An unknown code becomes `bug`. */
  static fromBody(body: Partial<ErrorBody>): ClawError {
    const code = body.code !== undefined && Object.hasOwn(ERRORS, body.code) ? body.code : 'bug'
    const after = typeof body.retry_after === 'number' ? body.retry_after : undefined
    return new ClawError(code, body.message ?? 'unknown error', body.hint ?? '', after)
  }

  /** Any thrown value as a ClawError: itself, an error of the file system by its code, or else a `bug`. Keeps the cause. */
  static from(thrown: unknown): ClawError {
    if (thrown instanceof ClawError) return thrown
    if (isSystemError(thrown)) {
      const error = new ClawError(...meaningOf(thrown))
      error.cause = thrown
      return error
    }
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    const error = new ClawError('bug', message, 'please report this with the command you ran')
    error.cause = thrown
    return error
  }
}
