import { createHash } from 'node:crypto'
import { Agent } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import type { Socket } from 'node:net'
import { exchangeHttp } from '../../lib/http.ts'
import { randomToken } from '../../lib/random.ts'
import { ClawError, type ErrorBody, VERBS_HEADER } from '../../protocol/errors.ts'
import { secretId } from '../../protocol/roles.ts'
import type { OwnerFile } from '../auth/owner.ts'
import { isSame, proofOf } from '../auth/stored/secrets.ts'

/** Longest silence of a server, in milliseconds, unless it has to work for its answer. */
export const ANSWER_MS = 15_000

/** Above any answer to an operator (bytes). */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024
/** Above the proof of a server (bytes): whatever else has the port must not fill the memory. */
const MAX_PROOF_BYTES = 16 * 1024

/**
 * Asks the running server, as its owner. The token is sent only on a connection on which the server
 * has proved that it knows it: another process may have its port by now. `ms` is the longest silence
 * of the server; null: no limit. Throws the server's error, and `unreachable`.
 */
export const askServer = async <T>(
  owner: OwnerFile,
  path: string,
  body?: object,
  ms: number | null = ANSWER_MS,
): Promise<T> => {
  const base = owner.url ?? ''
  if (!URL.canParse(base)) throw lost(base, 'its address is unknown')
  const options = { keepAlive: true, maxSockets: 1 }
  const agent = base.startsWith('https:') ? new TlsAgent(options) : new Agent(options)
  // It is this machine's own server, whatever name its certificate has: it proves itself by the token.
  const connection = { agent, tls: { rejectUnauthorized: false } }
  const verbs = { [VERBS_HEADER]: '1' }
  try {
    const hash = createHash('sha256').update(owner.token).digest('hex')
    const nonce = randomToken()
    const query = new URLSearchParams({ id: secretId(hash), nonce })
    const { answer, socket } = await exchange<{ proof?: unknown } | null>(
      base,
      `/api/prove?${query}`,
      {
        ...connection,
        ...{ method: 'GET', headers: verbs, timeoutMs: ANSWER_MS, maxBytes: MAX_PROOF_BYTES },
      },
    )
    if (typeof answer?.proof !== 'string' || !isSame(answer.proof, proofOf(hash, nonce))) {
      throw lost(base, 'it does not prove that it is the server of this folder')
    }
    const asked = await exchange<T>(base, path, {
      ...connection,
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${owner.token}`,
        ...verbs,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      timeoutMs: ms,
      maxBytes: MAX_ANSWER_BYTES,
      onSocket: (opened) => {
        if (opened !== socket) throw new Error('it hung up')
      },
    })
    return asked.answer
  } finally {
    agent.destroy()
  }
}

const lost = (base: string, what: string): ClawError =>
  new ClawError(
    'unreachable',
    `the server at ${base} does not answer: ${what}`,
    'if none is running, something else has the data folder open; run "clawlink-sync doctor"',
  )

/** The data in an answer, and its connection. Throws the server's error, and `unreachable`. */
const exchange = async <T>(
  base: string,
  path: string,
  request: Parameters<typeof exchangeHttp>[1],
): Promise<{ answer: T; socket: Socket }> => {
  const { status, text, socket } = await exchangeHttp(new URL(path, base), request).catch(
    (error: Error) => {
      throw lost(base, error.message)
    },
  )
  let json: { data?: T; error?: ErrorBody }
  try {
    json = JSON.parse(text) as typeof json
    if (json === null) throw new Error('null')
  } catch {
    throw lost(base, `another program answered (HTTP ${status})`)
  }
  if (json.error !== undefined) throw ClawError.fromBody(json.error)
  return { answer: json.data ?? (json as T), socket }
}
