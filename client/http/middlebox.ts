import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { HttpFailure } from '../../lib/http.ts'
import { ClawError, type ErrorBody } from '../../protocol/errors.ts'
import { proxyFor, skippedProxy } from './proxy.ts'
import { untrusted } from './trust.ts'

/** Timeout of the probe for TLS, in milliseconds. */
const PROBE_MS = 2_000
/** Longest redirect address that an error shows (characters). */
const MAX_PLACE = 200

/** An answer that may not come from the server. */
export interface Answered {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

/** The error when nothing answers at an address. */
export const noServer = (base: string, why: string): ClawError =>
  new ClawError(
    'unreachable',
    `no answer from a ClawLink server at ${base} (${why})`,
    'start one with clawlink-sync, or check --relay',
  )

/** The error when another server answers at an address. */
export const notClawLink = (
  base: string,
  why: string,
  hint = 'check --relay: host, port and path',
): ClawError =>
  new ClawError('not_clawlink', `what answers at ${base} is not a ClawLink server: ${why}`, hint)

/**
 * The error of a proxy or tunnel that answers instead of the server: away, or body too large; null
 * for any other status.
 */
export const gateway = (base: string, status: number): ClawError | null => {
  if (status === 429 || (status >= 502 && status <= 504)) {
    return noServer(base, `the gateway says ${status}`)
  }
  if (status !== 413) return null
  return new ClawError(
    'too_large',
    `a proxy before ${base} does not take so much in one request`,
    'who runs it can have it take 17 MB: nginx: client_max_body_size',
  )
}

/**
 * Explains an answer that is not ClawLink's: of a gateway, a proxy, a login page, or the same
 * server by TLS.
 */
export const strangerAt = (base: string, { status, headers, text }: Answered): ClawError => {
  const known = gateway(base, status)
  if (known !== null) return known
  const inBrowser = `open ${base} in a browser on this machine; check --relay`
  if (status === 407) {
    return new ClawError(
      'proxy_refused',
      `a proxy on the way to ${base} wants a login (407)`,
      'give it in HTTP_PROXY or HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT',
    )
  }
  if (status >= 300 && status < 400 && headers.location !== undefined) {
    return redirected(base, status, headers.location)
  }
  if (status === 400 && isPlain(base) && /\bHTTPS\b/.test(text)) return speaksTls(base)
  if (status === 511) return notClawLink(base, 'the network wants a login first (511)', inBrowser)
  if (status === 401 || status === 403) {
    return notClawLink(base, `a login or a firewall is before it (${status})`, inBrowser)
  }
  if (/html/i.test(headers['content-type'] ?? '')) {
    const what = 'a web page comes in its place, as of a login to the network'
    return notClawLink(base, `${what} (${status})`, inBrowser)
  }
  return notClawLink(base, `it answered ${status} without JSON`)
}

const redirected = (base: string, status: number, location: string): ClawError => {
  const from = new URL(base)
  const to = URL.canParse(location, base) ? new URL(location, base) : null
  if (to === null) return notClawLink(base, `it answered ${status} without JSON`)
  if (to.protocol === 'https:' && to.hostname === from.hostname && isPlain(base)) {
    const there = `https://${to.host}${from.pathname.replace(/\/$/, '')}`
    return notClawLink(base, `it sends everyone to HTTPS (${status})`, `use --relay ${there}`)
  }
  const place = `${to.origin}${to.pathname}`.slice(0, MAX_PLACE)
  return notClawLink(
    base,
    `it sends everyone to ${place} (${status})`,
    'a login page is to be opened in a browser on this machine; where the server has moved, name that with --relay',
  )
}

const isPlain = (base: string): boolean => base.startsWith('http:')

const speaksTls = (base: string): ClawError =>
  new ClawError(
    'not_clawlink',
    `what answers at ${base} speaks TLS`,
    `use --relay ${base.replace(/^http:/, 'https:')}`,
  )

const speaksPlain = (base: string): ClawError =>
  new ClawError(
    'not_clawlink',
    `what answers at ${base} speaks plain HTTP, not TLS`,
    `use --relay ${base.replace(/^https:/, 'http:')}`,
  )

/** The error in a text of ours; null: it is not ours. */
const errorIn = (text: string): ClawError | null => {
  try {
    const { error } = JSON.parse(text) as { error?: Partial<ErrorBody> }
    return error?.code === undefined ? null : ClawError.fromBody(error)
  } catch {
    return null
  }
}

/**
 * Why a WebSocket was answered by HTTP: what our server refuses it with, who else answered, or, where plain HTTP reaches
 * our server (`isThere`), that something on the way does not pass it.
 */
export const upgradeRefused = async (
  base: string,
  answer: Answered,
  isThere: () => Promise<unknown>,
): Promise<ClawError> => {
  const ours = errorIn(answer.text)
  // A request that has lost its Upgrade header is for no route.
  if (ours !== null && ours.code !== 'unknown_route') return ours
  const other = ours ?? strangerAt(base, answer)
  if (other.code === 'unreachable') return other
  const isPassing = await isThere().then(
    () => true,
    () => false,
  )
  if (!isPassing) return other
  return new ClawError(
    'no_websockets',
    `a proxy on the way to ${base} does not pass WebSockets (it answered ${answer.status})`,
    'have it pass the Upgrade header (docs/OPERATIONS.md), or use an address without it',
  )
}

/** Explains an error of Node's HTTP client. */
export const httpError = (base: string, error: NodeJS.ErrnoException): ClawError => {
  if (error instanceof ClawError) return error
  if (error instanceof HttpFailure) {
    return (error.kind === 'silent' ? noServer : notClawLink)(base, error.message)
  }
  const badCertificate = untrusted(base, error.code)
  if (badCertificate !== null) return badCertificate
  if (
    !isPlain(base) &&
    /^EPROTO$|^ERR_SSL_(?:WRONG_VERSION|PACKET_LENGTH)/.test(error.code ?? '')
  ) {
    return speaksPlain(base)
  }
  const found = error.code?.startsWith('HPE_')
    ? notClawLink(base, 'it does not speak HTTP')
    : noServer(base, error.code ?? error.message)
  found.cause = error
  return found
}

/** True if a plain connection ended as one to a TLS server does. */
const mayBeTls = (base: string, error: ClawError): boolean => {
  const { code = '' } = (error.cause ?? {}) as NodeJS.ErrnoException
  return isPlain(base) && (code === 'ECONNRESET' || code.startsWith('HPE_'))
}

/** The error of a connection, or its cause if that can be found. */
export const explained = async (base: string, error: ClawError): Promise<ClawError> => {
  if (error.code !== 'unreachable' && error.code !== 'not_clawlink') return error
  if (mayBeTls(base, error) && (await isTls(base))) return speaksTls(base)
  const skipped = error.code === 'unreachable' ? skippedProxy(base) : null
  if (skipped === null) return error
  const told = new ClawError(error.code, error.message, `${error.hint}; ${skipped}`)
  told.cause = error.cause
  return told
}

const isTls = (base: string): Promise<boolean> =>
  new Promise((resolve) => {
    if (proxyFor(base) !== null) return resolve(false)
    const { hostname, port } = new URL(base)
    const host = hostname.replace(/^\[|\]$/g, '')
    const socket = connectTls({
      ...{ host, port: Number(port) || 80, rejectUnauthorized: false },
      ...(isIP(host) === 0 && { servername: host }),
    })
    const end = (is: boolean) => () => {
      socket.destroy()
      resolve(is)
    }
    socket.setTimeout(PROBE_MS, end(false))
    socket.once('secureConnect', end(true))
    socket.on('error', end(false))
  })
