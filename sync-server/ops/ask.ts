import { createHash, randomBytes } from 'node:crypto'
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import { request as requestTls, Agent as TlsAgent } from 'node:https'
import type { Socket } from 'node:net'
import { ClawError, type ErrorBody, VERBS_HEADER } from '../../protocol/errors.ts'
import { secretId } from '../../protocol/roles.ts'
import type { OwnerFile } from '../auth/owner.ts'
import { isSame, proofOf } from '../auth/stored/secrets.ts'

/** A server answers within this long (milliseconds), unless it has to work for it. */
export const ANSWER_MS = 15_000

const HUNG_UP = 'it hung up'

/**
 * Asks the running server, as its owner; `ms`: so long is waited for its answer, null: for ever. The token is shown only on a
 * connection on which the server has proved that it knows it: another process may have its port by now. Throws what it
 * refuses with, and `unreachable`.
 */
export const askServer = async <T>(
  owner: OwnerFile,
  path: string,
  body?: object,
  ms: number | null = ANSWER_MS,
): Promise<T> => {
  const base = owner.url ?? ''
  if (!URL.canParse(base)) throw lost(base, 'its address is unknown')
  const isTls = new URL(base).protocol === 'https:'
  // It is this machine's own server, whatever name its certificate has: it proves itself by the token.
  const agent = isTls
    ? new TlsAgent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false })
    : new Agent({ keepAlive: true, maxSockets: 1 })
  const make = isTls ? requestTls : request
  const ask = (path: string, headers: object, body: object | undefined, ms: number | null) =>
    exchange(base, body, ms, (onAnswer) =>
      make(
        new URL(path, base),
        {
          agent,
          method: body === undefined ? 'GET' : 'POST',
          headers: {
            ...headers,
            [VERBS_HEADER]: '1',
            ...(body !== undefined && { 'content-type': 'application/json' }),
          },
        },
        onAnswer,
      ),
    )
  try {
    const hash = createHash('sha256').update(owner.token).digest('hex')
    const nonce = randomBytes(32).toString('base64url')
    const query = new URLSearchParams({ id: secretId(hash), nonce })
    const first = ask(`/api/prove?${query}`, {}, undefined, ANSWER_MS)
    const { proof } = ((await first.answer) as { proof?: unknown } | null) ?? {}
    if (typeof proof !== 'string' || !isSame(proof, proofOf(hash, nonce))) {
      throw lost(base, 'it does not prove that it is the server of this folder')
    }
    const proven: Socket | null = first.asked.socket
    const { asked, answer } = ask(path, { authorization: `Bearer ${owner.token}` }, body, ms)
    asked.once('socket', (socket) => {
      if (socket !== proven) asked.destroy(new Error(HUNG_UP))
    })
    return (await answer) as T
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

/** One request and what is answered to it. */
const exchange = (
  base: string,
  body: object | undefined,
  ms: number | null,
  send: (onAnswer: (answer: IncomingMessage) => void) => ClientRequest,
): { asked: ClientRequest; answer: Promise<unknown> } => {
  const { promise, resolve, reject } = withResolvers<unknown>()
  const asked = send((answer) => {
    let text = ''
    answer.setEncoding('utf8')
    answer.on('data', (chunk) => {
      text += chunk
    })
    answer.on('error', (error) => reject(lost(base, error.message)))
    answer.on('end', () => {
      try {
        const { data, error } = JSON.parse(text) as { data?: unknown; error?: ErrorBody }
        if (error !== undefined) reject(ClawError.fromBody(error))
        else resolve(data ?? JSON.parse(text))
      } catch {
        reject(lost(base, `another program answered (HTTP ${answer.statusCode})`))
      }
    })
  })
  const hangs = () => asked.destroy(new Error(`no answer in ${ms! / 1_000} s; it may hang`))
  const timer = ms === null ? undefined : setTimeout(hangs, ms)
  asked.on('close', () => clearTimeout(timer))
  asked.on('error', (error) => reject(lost(base, error.message)))
  asked.end(body === undefined ? undefined : JSON.stringify(body))
  return { asked, answer: promise }
}

const withResolvers = <T>() => {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
