import type { WebSocket } from 'ws'
import { GREETING, listen } from './listen.ts'

const clients = new Set<WebSocket>()

listen((ws) => {
  clients.add(ws)
  ws.on('close', () => clients.delete(ws))
  ws.on('message', (message: Buffer) => {
    for (const client of clients) if (client !== ws) client.send(message)
  })
  ws.send(GREETING)
})
