import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { standIn } from './server.ts'

/** What the proxy lets through of one request: so many bytes, and then? */
export interface Limit {
  bytes: number
  end: 'cut' | 'hold'
}

export interface Limits {
  /** Of the bodies that are uploaded: one limit a request, in this order; none: all of it. */
  puts: Limit[]
  /** Of what is downloaded. */
  gets: Limit[]
}

/** A bad line to a server: forwards connections until a limit of theirs is reached. */
export const startBadLine = async (port: number, limits: Limits) => {
  const sockets = new Set<Socket>()
  const reached: Limit[] = []
  const proxy = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    const ends = [near, far]
    const cut = () => {
      for (const end of ends) end.destroy()
    }
    for (const end of ends) {
      sockets.add(end)
      end.on('error', cut)
      end.on('close', () => {
        sockets.delete(end)
        cut()
      })
    }
    let put: Limit | undefined
    let get: Limit | undefined
    let isFirst = true
    const forward = (from: Socket, to: Socket, limitOf: () => Limit | undefined) => {
      let passed = 0
      from.on('data', (chunk: Buffer) => {
        // The server proves itself first, on the same connection.
        if (from === near && isFirst && !chunk.includes('/api/prove')) {
          isFirst = false
          if (chunk.subarray(0, 4).equals(Buffer.from('PUT '))) put = limits.puts.shift()
          if (chunk.subarray(0, 4).equals(Buffer.from('GET '))) {
            if (chunk.includes('/blobs/')) get = limits.gets.shift()
          }
        }
        const limit = limitOf()
        const left = (limit?.bytes ?? Number.POSITIVE_INFINITY) - passed
        if (limit !== undefined) passed += chunk.length
        if (chunk.length <= left) {
          if (!to.write(chunk)) {
            from.pause()
            to.once('drain', () => from.resume())
          }
          return
        }
        from.pause()
        reached.push(limit!)
        to.write(chunk.subarray(0, left), () => {
          if (limit!.end === 'cut') cut()
        })
      })
      from.on('end', () => to.end())
    }
    forward(near, far, () => put)
    forward(far, near, () => get)
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  standIn((proxy.address() as AddressInfo).port, port)
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    /** The limits that were reached so far. */
    reached,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      proxy.close()
      await once(proxy, 'close')
    },
  }
}
