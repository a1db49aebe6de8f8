import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A balancer that hands each connection to the next port that accepts it, and knows nothing of what goes through. */
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
  let turn = 0
  const server = createServer((near) => {
    near.on('error', () => {})
    const tryNext = (left: number): void => {
      if (left === 0) return void near.destroy()
      const port = balancer.ports[turn++ % balancer.ports.length]!
      const far = connect({
        port,
        host: hostOf(port),
        ...(from !== undefined && { localAddress: from }),
      })
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
