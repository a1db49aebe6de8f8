import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { Agent, type IncomingMessage, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { randomToken } from '../../lib/random.ts'
import { ClawError, type ErrorBody } from '../../protocol/errors.ts'
import { proofText, secretId } from '../../protocol/roles.ts'
import { strangerAt } from './middlebox.ts'
import { proxyAgent, throughProxy } from './proxy.ts'

/** A proof is 64 characters in a little JSON; a stranger's answer must not fill the memory. */
const MAX_ANSWER_BYTES = 16 * 1024

/** The proof that a server owes, and its outcome. */
export interface Faith {
  /** It has proved itself before, or says that it can. Else one without that route is an older server. */
  insists: () => boolean
  proved: () => void
}

/** No proof is due: the server is unknown. */
const NO_FAITH: Faith = { insists: () => false, proved: () => {} }

/**
 * An agent for one request to a plain HTTP server, which is sent only once the server has proved, on the very same
 * connection, that it knows each of the secrets: who has taken the port of a server that is down never sees one. What is
 * sent otherwise fails with what was wrong: `unproven`, `unauthorized` where the server says that it knows no such secret.
 */
export const provingAgent = (
  base: string,
  secrets: readonly string[],
  timeout: number,
  faith: Faith = NO_FAITH,
): Agent => {
  const { host, port, pathname } = partsOf(base)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let open: Socket | null = null
  let wrong: Error | null = null
  let mayReconnect = false
  agent.createConnection = (options, done) => {
    const dialled = by?.take()
    if (wrong === null && (open === null || mayReconnect)) {
      open = dialled ?? (by === null ? connect(options as { host: string; port: number }) : null)
      if (open !== null) return open
      by?.again((error, socket) => {
        open = socket
        done?.(error, socket)
      })
      return undefined
    }
    const why = wrong ?? Object.assign(new Error('it hung up'), { code: 'ECONNRESET' })
    process.nextTick(() => done?.(why, null as never))
    return undefined
  }
  // It has its first connection before the first request, as the second one waits for that.
  const by = throughProxy(base, agent, (error) => {
    wrong = error
  })
  const refuse = (error: ClawError): void => {
    wrong ??= error
    open?.destroy()
  }
  for (const secret of secrets) {
    const hash = createHash('sha256').update(secret).digest('hex')
    const nonce = randomToken()
    const expected = hmacOf(hash, nonce)
    const path = `${pathname}/api/prove?${new URLSearchParams({ id: secretId(hash), nonce })}`
    const asked = request({ host, port, path, agent, timeout }, (answer) => {
      read(answer, (text) => {
        const verdict = judge(base, answer.statusCode ?? 0, text, expected)
        if (verdict === 'proved') {
          // As some proxies do after each answer.
          mayReconnect = answer.headers.connection === 'close'
          return faith.proved()
        }
        if (verdict !== 'silent') return refuse(verdict)
        if (faith.insists()) return refuse(inItsPlace(base, answer, text))
        mayReconnect = true
      })
    })
    asked.once('timeout', () => refuse(unproven(base, `no answer within ${timeout / 1000} s`)))
    asked.on('error', (error) => {
      wrong ??= error
    })
    asked.end()
  }
  return agent
}

/** The proof of knowing the secret with this SHA-256 (hex). */
export const hmacOf = (hash: string, nonce: string): string =>
  createHmac('sha256', hash).update(proofText(nonce)).digest('hex')

/** The agent for a request that shows these secrets; null: it needs none. Over TLS the certificate says who the server is; a server that is reached by a proxy has one in any case. */
export const agentFor = (
  { base, faith }: { base: string; faith?: Faith | undefined },
  secrets: readonly (string | null)[],
  timeoutMs: number,
): Agent | null => {
  const shown = secrets.filter((secret) => secret !== null)
  return shown.length === 0 || !base.startsWith('http:')
    ? proxyAgent(base)
    : provingAgent(base, shown, timeoutMs, faith)
}

/** The error if the answer does not prove the server. */
const inItsPlace = (
  base: string,
  { statusCode: status = 0, headers }: IncomingMessage,
  text: string,
): ClawError =>
  isJson(text)
    ? unproven(base, 'it does not prove that it knows us')
    : strangerAt(base, { status, headers, text })

const partsOf = (base: string): { host: string; port: number; pathname: string } => {
  const { hostname, port, pathname } = new URL(base)
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  return { host, port: Number(port) || 80, pathname: pathname.replace(/\/$/, '') }
}

const read = (answer: IncomingMessage, done: (text: string) => void): void => {
  let text = ''
  answer.setEncoding('utf8')
  answer.on('data', (chunk: string) => {
    if (text.length < MAX_ANSWER_BYTES) text += chunk
    else answer.destroy()
  })
  answer.on('end', () => done(text))
}

/** The outcome of an answer; 'silent' if the server does not know this route. */
const judge = (
  base: string,
  status: number,
  text: string,
  expected: string,
): 'proved' | 'silent' | ClawError => {
  const { data, error } = jsonIn(text)
  if (typeof data?.proof === 'string') {
    const [a, b] = [Buffer.from(data.proof), Buffer.from(expected)]
    const isRight = a.length === b.length && timingSafeEqual(a, b)
    return isRight ? 'proved' : unproven(base, 'its proof is wrong')
  }
  if (error?.code === 'unauthorized') {
    return new ClawError(
      'unauthorized',
      `what answers at ${base} does not know this credential: it is another server, or has other data`,
      'check --relay; where it is the right one, ask for a join link and: clawlink-agent join -',
    )
  }
  if (status === 429 || (status >= 500 && status !== 501)) {
    return error?.code === undefined
      ? unproven(base, `it says ${status}`)
      : ClawError.fromBody(error)
  }
  return 'silent'
}

interface Said {
  data?: { proof?: unknown } | null
  error?: Partial<ErrorBody> | null
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const jsonIn = (text: string): Said => {
  try {
    return (JSON.parse(text) as Said | null) ?? {}
  } catch {
    return {}
  }
}

const unproven = (base: string, why: string): ClawError =>
  new ClawError(
    'unproven',
    `what answers at ${base} is not known to be the server of this profile (${why}): it is shown no credential`,
    'find out what uses that port; if the server was downgraded, join it again',
  )
