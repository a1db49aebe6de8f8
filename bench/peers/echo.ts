import { listen } from './listen.ts'

listen((ws) => {
  ws.on('message', (message: Buffer) => ws.send(message))
})
