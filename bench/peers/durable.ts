import type { Socket } from 'node:net'
import { Level } from 'level'
import { frameOf, GREETING, listen } from './listen.ts'

/**
 * Keeps its word and does nothing else: relays messages within a room (the path), each after it is fsync'd, with all
 * rooms' messages that came meanwhile in one LevelDB batch. No document, no rules, no members.
 */
interface Room {
  sockets: Set<Socket>
  waiting: Buffer[]
}

const db = new Level<string, Uint8Array>(process.argv[2]!, { valueEncoding: 'view' })
await db.open()
const rooms = new Map<string, Room>()
const dirty = new Set<Room>()
let isWriting = false
let position = 0

const write = async (): Promise<void> => {
  isWriting = true
  while (dirty.size > 0) {
    const due = [...dirty].map((room) => ({ room, bytes: Buffer.concat(room.waiting) }))
    for (const { room } of due) room.waiting = []
    dirty.clear()
    const puts = due.map(({ bytes }) => ({
      ...{ type: 'put' as const, key: String(position++).padStart(12, '0'), value: bytes },
    }))
    await db.batch(puts, { sync: true })
    for (const { room, bytes } of due) for (const socket of room.sockets) socket.write(bytes)
  }
  isWriting = false
}

listen((ws, request, socket) => {
  const room = rooms.get(request.url!) ?? { sockets: new Set(), waiting: [] }
  rooms.set(request.url!, room)
  ws.on('close', () => room.sockets.delete(socket))
  ws.on('message', (message: Buffer) => {
    room.waiting.push(frameOf(message))
    dirty.add(room)
    if (!isWriting) setImmediate(() => isWriting || void write())
  })
  ws.send(GREETING)
  room.sockets.add(socket)
})
