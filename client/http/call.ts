import { setTimeout as sleep } from 'node:timers/promises'
import { exchangeHttp } from '../../lib/http.ts'
import { ClawError, type ErrorBody, VERBS_HEADER } from '../../protocol/errors.ts'
import { MAX_FILE_BYTES } from '../../protocol/limits.ts'
import {
  type Answered,
  explained,
  gateway,
  httpError,
  notClawLink,
  strangerAt,
} from './middlebox.ts'
import { agentFor } from './proof.ts'
import { authorization, type ServerAt } from './target.ts'
import { tlsFor } from './trust.ts'

/** A broken connection is tried again after each of these times; commands are idempotent by key. */
const RETRY_AFTER_MS: readonly number[] = [100, 400]
/** A throttled call waits as long as the server says, once, and at most this long, in seconds. */
const LONGEST_WAIT_S = 5
/** Above any answer of ours (the largest file, escaped as JSON): a stranger's answer must not fill the memory. */
const MAX_ANSWER_BYTES = 6 * MAX_FILE_BYTES + 1024 * 1024

/** The JSON envelope of an answer. */
export interface Answer<T> {
  ok?: boolean
  data?: T
  error?: Partial<ErrorBody>
}

/**
 * The JSON that the server answered. `key`: the idempotency key of the command. Throws the error it answered, `unreachable` or
 * `not_clawlink`.
 */
export const call = async (
  server: ServerAt,
  method: string,
  path: string,
  body: unknown,
  timeoutMs: number,
  key?: string,
): Promise<unknown> => {
  let broken = 0
  let hasWaited = false
  for (;;) {
    try {
      return await callOnce(server, method, path, body, timeoutMs, key)
    } catch (error) {
      const wait = isBroken(error) ? RETRY_AFTER_MS[broken++] : saidIn(error)
      if (wait === undefined || hasWaited) throw await explained(server.base, ClawError.from(error))
      hasWaited = !isBroken(error)
      await sleep(wait)
    }
  }
}

/** The wait before a retry, in milliseconds, if the server named one and it is short. */
const saidIn = (error: unknown): number | undefined => {
  const seconds = error instanceof ClawError ? error.retryAfter : undefined
  return seconds === undefined || seconds > LONGEST_WAIT_S ? undefined : seconds * 1_000
}

const callOnce = async (
  server: ServerAt,
  method: string,
  path: string,
  body: unknown,
  timeoutMs: number,
  key: string | undefined,
): Promise<unknown> => {
  const answered = await exchange(server, method, path, body, timeoutMs, key)
  const { status, text } = answered
  let answer: Answer<unknown> | null
  try {
    answer = JSON.parse(text) as Answer<unknown> | null
  } catch {
    throw strangerAt(server.base, answered)
  }
  if (answer?.error?.code !== undefined) throw ClawError.fromBody(answer.error)
  if (status >= 400)
    throw gateway(server.base, status) ?? notClawLink(server.base, `it answered ${status}`)
  return answer
}

const exchange = async (
  server: ServerAt,
  method: string,
  path: string,
  body: unknown,
  timeoutMs: number,
  key: string | undefined,
): Promise<Answered> => {
  const url = new URL(server.base + path)
  const payload = body === undefined ? '' : JSON.stringify(body)
  const tls = tlsFor(url)
  const shown = [server.token?.() ?? null, inviteIn(body)]
  try {
    return await exchangeHttp(url, {
      method,
      headers: {
        connection: 'close',
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(payload),
        [VERBS_HEADER]: '1',
        ...(key !== undefined && { 'idempotency-key': key }),
        ...authorization(server),
      },
      body: payload,
      agent: agentFor(server, shown, timeoutMs) ?? false,
      tls,
      timeoutMs,
      maxBytes: MAX_ANSWER_BYTES,
    })
  } catch (error) {
    throw httpError(server.base, error as Error)
  }
}

/** The secret that is shown in a body: by `join`. */
const inviteIn = (body: unknown): string | null =>
  (body as { invite?: string } | undefined)?.invite ?? null

/**
 * True if an established connection broke: the server may have run the command, or may be
 * restarting.
 */
const isBroken = (error: unknown): boolean =>
  error instanceof ClawError &&
  ['ECONNRESET', 'EPIPE'].includes((error.cause as NodeJS.ErrnoException | undefined)?.code ?? '')
