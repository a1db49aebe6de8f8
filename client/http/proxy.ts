import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest, Agent as TlsAgent } from 'node:https'
import { BlockList, isIP, isIPv6, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { ClawError } from '../../protocol/errors.ts'

/** A proxy opens its way or refuses it within this long (milliseconds). */
const TUNNEL_MS = 15_000

type Env = Readonly<Record<string, string | undefined>>

/** The proxy that the environment names for a server; null: none. `variable`: which one names it. */
export interface Proxy {
  url: URL
  variable: string
}

const LOOPBACK =
  /^(?:localhost|.*\.localhost|127(?:\.\d{1,3}){3}|::1|::ffff:127\..*|0\.0\.0\.0|::)$/

const hostOf = ({ hostname }: URL): string =>
  (hostname.startsWith('[') ? hostname.slice(1, -1) : hostname).toLowerCase().replace(/\.$/, '')

const portOf = ({ port, protocol }: URL): number =>
  Number(port) || (protocol === 'https:' ? 443 : 80)

/**
 * The proxy by HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY; lower-case names win, as in curl.
 * This machine is never reached by a proxy. Throws `usage` for a value that is not the address of
 * an HTTP proxy.
 */
export const proxyFor = (base: string, env: Env = process.env): Proxy | null => {
  const url = new URL(base)
  const host = hostOf(url)
  if (LOOPBACK.test(host) || isExcepted(host, portOf(url), env.no_proxy ?? env.NO_PROXY ?? '')) {
    return null
  }
  const scheme = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy'
  for (const name of [scheme, 'all_proxy']) {
    for (const variable of [name, name.toUpperCase()]) {
      const value = env[variable]?.trim()
      if (value === undefined || isSocks(value)) continue
      return value === '' ? null : { url: addressIn(variable, value), variable }
    }
  }
  return null
}

const isSocks = (value: string): boolean => /^socks\w*:/i.test(value)

/**
 * A note that the environment names a SOCKS proxy, which is not used; null if it does not, or names
 * another proxy.
 */
export const skippedProxy = (base: string, env: Env = process.env): string | null => {
  const names = ['http_proxy', 'https_proxy', 'all_proxy'].flatMap((name) => [
    name,
    name.toUpperCase(),
  ])
  const found = names.find((name) => isSocks(env[name] ?? ''))
  if (found === undefined || LOOPBACK.test(hostOf(new URL(base)))) return null
  return `${found} names a SOCKS proxy, which is not used: only HTTP proxies are`
}

const addressIn = (variable: string, value: string): URL => {
  const text = value.includes('://') ? value : `http://${value}`
  const url = URL.canParse(text) ? new URL(text) : null
  if (url !== null && /^https?:$/.test(url.protocol) && url.hostname !== '') return url
  const scheme = url === null ? '' : `${url.protocol}// `
  throw new ClawError(
    'usage',
    `${variable} is ${scheme === '' ? 'no address' : `a ${scheme}address`}: only HTTP proxies are used`,
    `${variable}=http://HOST:PORT, or name this server in NO_PROXY to reach it without one`,
  )
}

/**
 * True if NO_PROXY covers a host: by name or suffix, address or range of addresses, with or without
 * `:port`.
 */
const isExcepted = (host: string, port: number, list: string): boolean =>
  list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => entry === '*' || isIn(host, port, entry))

const isIn = (host: string, port: number, entry: string): boolean => {
  const [, bracketed, named, wanted] =
    /^(?:\[([^\]]+)\]|([^:]*|[^[]*:[^[]*:.*?))(?::(\d+))?$/.exec(entry) ?? []
  const name = (bracketed ?? named ?? '').replace(/^\*?\./, '').replace(/\.$/, '')
  if (name === '' || (wanted !== undefined && Number(wanted) !== port)) return false
  const [net, bits] = name.split('/')
  if (bits !== undefined) return isInRange(host, net!, Number(bits))
  return isIP(host) === 0
    ? host === name || host.endsWith(`.${name}`)
    : isInRange(host, name, isIPv6(name) ? 128 : 32)
}

const isInRange = (host: string, net: string, bits: number): boolean => {
  const family = isIPv6(net) ? 'ipv6' : 'ipv4'
  if (isIP(net) === 0 || isIP(host) !== isIP(net)) return false
  if (!(bits >= 0 && bits <= (family === 'ipv6' ? 128 : 32))) return false
  const list = new BlockList()
  list.addSubnet(net, bits, family)
  return list.check(host, family)
}

/** The name of a proxy for people, without its credentials. */
const nameOf = ({ url }: Proxy): string => `${url.protocol}//${url.host}`

const noProxy = (proxy: Proxy, why: string): ClawError =>
  new ClawError(
    'unreachable',
    `no answer from the proxy ${nameOf(proxy)} (${why}), which ${proxy.variable} names`,
    `check ${proxy.variable}; servers that are reached without a proxy are named in NO_PROXY`,
  )

/** Explains a proxy's answer to CONNECT. */
const refused = (proxy: Proxy, to: string, status: number): ClawError => {
  if (status >= 502 && status <= 504) {
    return new ClawError(
      'unreachable',
      `the proxy ${nameOf(proxy)} does not reach ${to} (${status})`,
      'check --relay, and that the server runs',
    )
  }
  return new ClawError(
    'proxy_refused',
    `the proxy ${nameOf(proxy)} refuses the way to ${to}: ${status}${status === 407 ? ', it wants a login' : ''}`,
    status === 407
      ? `give it in ${proxy.variable}=http://USER:PASSWORD@HOST:PORT`
      : `have who runs the proxy allow ${to}; servers that are reached without it are named in NO_PROXY`,
  )
}

type Done = (error: Error | null, socket: Socket) => void

/** Connects to a server through the proxy: CONNECT, for any protocol. */
const tunnel = (proxy: Proxy, base: URL, done: Done): void => {
  const to = `${base.hostname}:${portOf(base)}`
  const { url } = proxy
  const login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  const asked = (url.protocol === 'https:' ? httpsRequest : httpRequest)({
    ...{ host: hostOf(url), port: portOf(url), method: 'CONNECT', path: to, agent: false },
    headers: {
      host: to,
      ...(login !== ':' && {
        'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}`,
      }),
    },
    timeout: TUNNEL_MS,
  })
  let isDone = false
  const end = (error: Error | null, socket?: Socket): void => {
    if (isDone) return
    isDone = true
    done(error, socket as Socket)
  }
  asked.once('connect', ({ statusCode = 0 }: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.setTimeout(0)
    if (statusCode < 200 || statusCode > 299) {
      socket.destroy()
      return end(refused(proxy, to, statusCode))
    }
    if (head.length > 0) socket.unshift(head)
    end(null, socket)
  })
  asked.once('response', (answer) => {
    answer.destroy()
    end(refused(proxy, to, answer.statusCode ?? 0))
  })
  asked.once('timeout', () => asked.destroy(noProxy(proxy, `nothing for ${TUNNEL_MS / 1000} s`)))
  asked.on('error', (error: NodeJS.ErrnoException) =>
    end(error instanceof ClawError ? error : noProxy(proxy, error.code ?? error.message)),
  )
  asked.end()
}

/** Connections by a proxy for an agent that has one at a time. */
export interface Through {
  /** The first, once. */
  take: () => Socket | undefined
  again: (done: Done) => void
}

/**
 * Has the requests of an agent to a plain HTTP server wait until there is a first connection by its proxy, or `failed` was
 * told why there is none; null: it has no proxy, and they do not wait.
 */
export const throughProxy = (
  base: string,
  agent: Agent,
  failed: (error: Error) => void,
): Through | null => {
  const proxy = proxyFor(base)
  if (proxy === null) return null
  const url = new URL(base)
  let first: Socket | undefined
  const opened = new Promise<void>((resolve) => {
    tunnel(proxy, url, (error, socket) => {
      if (error !== null) failed(error)
      else first = socket
      resolve()
    })
  })
  const adding = agent as Agent & { addRequest: (...given: unknown[]) => void }
  const addRequest = adding.addRequest.bind(agent)
  adding.addRequest = (...given) => void opened.then(() => addRequest(...given))
  return {
    take: () => {
      const taken = first
      first = undefined
      return taken
    },
    again: (done) => tunnel(proxy, url, done),
  }
}

/** An agent for one request by the proxy of that server; null: it has none. */
export const proxyAgent = (base: string): Agent | null => {
  const proxy = proxyFor(base)
  if (proxy === null) return null
  const url = new URL(base)
  if (url.protocol === 'http:') {
    const agent = new Agent()
    agent.createConnection = (_options, done) => {
      tunnel(proxy, url, done as Done)
      return undefined
    }
    return agent
  }
  const agent = new TlsAgent()
  agent.createConnection = (options, done) => {
    const ready = done as Done
    tunnel(proxy, url, (error, socket) => {
      if (error !== null) return ready(error, socket)
      const servername = isIP(hostOf(url)) === 0 ? hostOf(url) : ''
      ready(null, connectTls({ ...(options as ConnectionOptions), socket, servername }))
    })
    return undefined
  }
  return agent
}
