import { once } from 'node:events'
import { get } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Between two checks of a port, and the time for an answer (milliseconds). */
const CHECK_MS = 1_000
/** Checks without an answer, one after another, before a port is left out (count). */
const FALL = 3

/**
 * A balancer that hands each connection to the next port that accepts it, and knows nothing of what goes through. It asks
 * each port for `/health`, as docs/deploy/haproxy.cfg does: one that does not answer gets no connections and loses those
 * it has, until it answers.
 */
export interface Balancer {
  url: string
  port: number
  /** Ports in the order of their turns; may be changed at any time. */
  ports: number[]
  /** Hosts of ports that are elsewhere. */
  hosts: Map<number, string>
  close: () => void
}

/** `from`: the address that it connects from. */
export const startBalancer = async (
  ports: number[],
  host = '127.0.0.1',
  from?: string,
): Promise<Balancer> => {
  const sockets = new Set<Socket>()
  const local = from === undefined ? {} : { localAddress: from }
  /** Connections by port, and its checks without an answer. */
  const open = new Map<number, Set<Socket>>()
  const missed = new Map<number, number>()
  const isUp = (port: number): boolean => (missed.get(port) ?? 0) < FALL
  const check = (port: number): void => {
    const note = (hasAnswered: boolean): void => {
      missed.set(port, hasAnswered ? 0 : (missed.get(port) ?? 0) + 1)
      if (!isUp(port)) for (const far of open.get(port) ?? []) far.destroy(new Error('no answer'))
    }
    const asking = get({
      ...{ port, host: hostOf(port), path: '/health', agent: false, timeout: CHECK_MS, ...local },
    })
    asking.on('timeout', () => asking.destroy(new Error('no answer')))
    asking.on('error', () => note(false))
    asking.on('response', (answer) => {
      answer.resume()
      note(true)
    })
  }
  const checks = setInterval(() => {
    for (const port of balancer.ports) check(port)
  }, CHECK_MS)
  let turn = 0
  const server = createServer((near) => {
    near.on('error', () => {})
    const tryNext = (left: number): void => {
      if (left === 0) return void near.destroy()
      const port = balancer.ports[turn++ % balancer.ports.length]!
      if (!isUp(port)) return void tryNext(left - 1)
      const far = connect({ port, host: hostOf(port), ...local })
      const others = open.get(port) ?? new Set()
      open.set(port, others.add(far))
      far.on('close', () => others.delete(far))
      let isOpen = false
      far.once('connect', () => {
        isOpen = true
        near.pipe(far).pipe(near)
      })
      far.on('error', () => {
        if (isOpen) near.destroy()
        else tryNext(left - 1)
      })
      far.on('close', () => isOpen && near.destroy())
      near.on('close', () => far.destroy())
      sockets.add(far)
      far.on('close', () => sockets.delete(far))
    }
    sockets.add(near)
    near.on('close', () => sockets.delete(near))
    tryNext(balancer.ports.length)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const hostOf = (one: number): string => balancer.hosts.get(one) ?? host
  const balancer: Balancer = {
    ...{ url: `http://127.0.0.1:${port}`, port, ports, hosts: new Map<number, string>() },
    close: () => {
      clearInterval(checks)
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
  return balancer
}

/** A way to one port, which a test can lead elsewhere or block: packets vanish, and no connection ends. */
export interface Way {
  port: number
  /** Where new connections lead. */
  target: number
  /** Blocks it; what was sent meanwhile is lost, and its connections are cut when it is opened again. */
  block: () => void
  open: () => void
  /** Cuts all connections. */
  cut: () => void
  /** Open connections (count). */
  readonly size: number
  close: () => void
}

export const startWay = async (target: number): Promise<Way> => {
  const pairs = new Set<readonly [Socket, Socket]>()
  let isBlocked = false
  const server = createServer((near) => {
    const far = connect(way.target, '127.0.0.1')
    const pair = [near, far] as const
    pairs.add(pair)
    for (const [from, to] of [pair, [far, near] as const]) {
      from.on('error', () => {})
      from.on('data', (chunk) => isBlocked || to.write(chunk))
      from.on('close', () => {
        if (isBlocked) return
        pairs.delete(pair)
        to.destroy()
      })
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.destroy()
    pairs.clear()
  }
  const way: Way = {
    ...{ port: (server.address() as AddressInfo).port, target, cut },
    block: () => {
      isBlocked = true
    },
    open: () => {
      isBlocked = false
      cut()
    },
    get size() {
      return pairs.size
    },
    close: () => {
      server.close()
      cut()
    },
  }
  return way
}
