import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'

/**
 * A WebSocket server on a free loopback port; prints its address once it listens, as clawlink-sync does. Returns
 * what ends it and its connections.
 */
export const listen = (
  connected: (ws: WebSocket, request: IncomingMessage, socket: Socket) => void,
): (() => void) => {
  const wss = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  const server = createServer()
  server.on('upgrade', (request, socket, head) => {
    wss.handleUpgrade(request, socket, head, (ws) => {
      ws.on('error', () => ws.terminate())
      connected(ws, request, socket as Socket)
    })
  })
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
    console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  })
  return () => {
    server.close()
    for (const ws of wss.clients) ws.terminate()
  }
}

/** What the floors say to a new client, so that it knows it is in. */
export const GREETING = Buffer.from([0])

const FIN_BINARY = 0x82

/** A message of less than 64 KiB as one WebSocket frame of a server. */
export const frameOf = (message: Buffer): Buffer => {
  const head =
    message.length < 126
      ? Buffer.from([FIN_BINARY, message.length])
      : Buffer.from([FIN_BINARY, 126, message.length >> 8, message.length & 255])
  return Buffer.concat([head, message])
}
