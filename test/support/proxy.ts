import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { standIn } from './server.ts'

/** A TCP proxy between clients and a server on this machine: a network that can fail. */
export interface Network {
  /** `http://127.0.0.1:PORT` */
  url: string
  /** A partition: ends all connections, and refuses new ones. */
  cut: () => void
  heal: () => void
  /** Forwards nothing more on the connections there are, and ends none of them, whatever happens to either side. */
  stall: () => void
  close: () => void
}

/** `onAnswer` sees what the server sends before it is forwarded, and may stall the proxy: then it is not. */
export const startProxy = async (
  port: number,
  onAnswer: (chunk: Buffer) => void = () => {},
): Promise<Network> => {
  const sockets = new Set<Socket>()
  let isCut = false
  let stalled = new AbortController()
  const server = createServer((near) => {
    near.on('error', () => {})
    if (isCut) return near.destroy()
    const { signal } = stalled
    const far = connect(port, '127.0.0.1')
    far.on('error', () => near.destroy())
    far.on('data', (chunk) => {
      if (!signal.aborted) onAnswer(chunk)
    })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('data', (chunk) => {
        if (!signal.aborted) to.write(chunk)
      })
      from.on('close', () => {
        sockets.delete(from)
        if (!signal.aborted) to.end()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const own = (server.address() as AddressInfo).port
  standIn(own, port)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: () => {
      isCut = true
      for (const socket of sockets) socket.destroy()
    },
    heal: () => {
      isCut = false
    },
    stall: () => {
      stalled.abort()
      stalled = new AbortController()
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
