import type { Socket } from 'node:net'
import { frameOf, GREETING, listen } from './listen.ts'

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
