import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { credentialFor } from './credential.ts'
import { clientFrame, readServerFrames, type Wire } from './wire.ts'

/** Read at once from a socket (bytes). */
const READ_SIZE = 64 * 1024

/**
 * A WebSocket client that hands over the server's bytes as they come, undecoded, so that one process can be many
 * clients and the server stays the bottleneck. It answers no pings: it lives for seconds.
 */
export interface RawClient {
  send: (frames: Buffer) => void
  /** From now on, called with the server's bytes; they are valid until it returns. */
  onBytes: (bytes: Buffer) => void
  /** Called when the server ends the connection. */
  onEnd: () => void
  close: () => void
}

const upgrade = (socket: Socket, path: string, credential: string | null) => {
  const key = randomBytes(16).toString('base64')
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n` +
      `${credential === null ? '' : `Authorization: Bearer ${credential}\r\n`}\r\n`,
  )
}

/**
 * Connects, says hello and resolves when the server has welcomed it. `arrived` gets the data messages up to then,
 * the welcome included. `shown`: the token or credential; left out, it joins if the server has left an invite.
 */
export const connectRaw = async (
  wire: Wire,
  port: number,
  room: string,
  arrived: (message: Buffer) => void = () => {},
  shown?: string,
): Promise<RawClient> => {
  const credential = shown ?? (await credentialFor(port, room))
  let handle: (bytes: Buffer) => void = () => {}
  const socket = connect({
    host: '127.0.0.1',
    port,
    noDelay: true,
    onread: {
      buffer: Buffer.allocUnsafe(READ_SIZE),
      callback: (size, buffer) => {
        handle((buffer as Buffer).subarray(0, size))
        return true
      },
    },
  })
  const client: RawClient = {
    send: (frames) => void socket.write(frames),
    onBytes: () => {},
    onEnd: () => {},
    close: () => {
      client.onEnd = () => {}
      socket.destroy()
    },
  }
  await once(socket, 'connect')
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the server closed the connection')))
    let bytes = Buffer.alloc(0)
    let upgraded = false
    handle = (chunk) => {
      bytes = Buffer.concat([bytes, chunk])
      if (!upgraded) {
        const end = bytes.indexOf('\r\n\r\n')
        if (end === -1) return
        const status = bytes.toString('latin1', 0, end)
        if (!status.startsWith('HTTP/1.1 101')) reject(new Error(`no upgrade: ${status}`))
        bytes = bytes.subarray(end + 4)
        upgraded = true
        for (const message of wire.hello(room)) client.send(clientFrame(message))
      }
      const { messages, read } = readServerFrames(bytes)
      bytes = bytes.subarray(read)
      for (const message of messages) arrived(message)
      if (!messages.some(wire.isWelcome)) return
      handle = (more) => client.onBytes(more)
      socket.once('close', () => client.onEnd())
      resolve()
    }
    upgrade(socket, wire.path(room), credential)
  })
  return client
}
