import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A proxy before a server on loopback, which can hold back what passes and cut all connections. */
export interface CuttingProxy {
  port: number
  /** From now on nothing of the server passes, but for about this many bytes (default: 0). */
  holdAnswers: (but?: number) => void
  /** From now on nothing of the clients passes. */
  holdRequests: () => void
  /** Resolves once something is held back. */
  held: () => Promise<void>
  /** Cuts all connections, and lets everything through again. */
  cut: () => void
  close: () => void
}

export const cuttingProxy = async (to: number): Promise<CuttingProxy> => {
  let holds: 'answers' | 'requests' | null = null
  let passing = 0
  let tell = () => {}
  let held = new Promise<void>((resolve) => {
    tell = resolve
  })
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(to, '127.0.0.1')
    const ways = [
      [client, upstream, 'requests'],
      [upstream, client, 'answers'],
    ] as const
    for (const [from, other, what] of ways) {
      sockets.add(from)
      from.on('data', (chunk) => {
        if (holds === what && passing <= 0) return tell()
        passing -= chunk.length
        other.write(chunk)
      })
      from.on('error', () => {})
      from.on('close', () => {
        sockets.delete(from)
        other.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as { port: number }).port,
    holdAnswers: (but = 0) => {
      holds = 'answers'
      passing = but
    },
    holdRequests: () => {
      holds = 'requests'
      passing = 0
    },
    held: () => held,
    cut: () => {
      for (const socket of sockets) socket.destroy()
      holds = null
      held = new Promise((resolve) => {
        tell = resolve
      })
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
