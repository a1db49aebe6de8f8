import type { Socket } from 'node:net'
import { GREETING, listen } from './listen.ts'

const FIN_BINARY = 0x82

const frameOf = (message: Buffer): Buffer => {
  const head =
    message.length < 126
      ? Buffer.from([FIN_BINARY, message.length])
      : Buffer.from([FIN_BINARY, 126, message.length >> 8, message.length & 255])
  return Buffer.concat([head, message])
}

const sockets = new Set<Socket>()
let waiting: Buffer[] = []

/** Also the sender gets its messages: one buffer for all is cheaper than leaving them out for some. */
const flush = () => {
  const bytes = Buffer.concat(waiting)
  waiting = []
  for (const socket of sockets) socket.write(bytes)
}

listen((ws, _request, socket) => {
  ws.on('close', () => sockets.delete(socket))
  ws.on('message', (message: Buffer) => {
    if (waiting.length === 0) setImmediate(flush)
    waiting.push(frameOf(message))
  })
  ws.send(GREETING)
  sockets.add(socket)
})
