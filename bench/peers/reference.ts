import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import type { WebSocket } from 'ws'
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness'
import { readSyncMessage, writeSyncStep1, writeUpdate } from 'y-protocols/sync'
import * as Y from 'yjs'
import { listen } from './listen.ts'
import { UpdateStore } from './update-store.ts'

/*
 * y-websocket's own server design: a document a room in memory; what changes it is encoded anew and sent to every
 * connection, the sender's too; every change is also handed to the store, which nobody waits for; a client is
 * answered before the store has loaded.
 */
const SYNC = 0
const AWARENESS = 1

interface Room {
  doc: Y.Doc
  awareness: Awareness
  connections: Set<WebSocket>
}

const store = new UpdateStore(process.argv[2]!)
const rooms = new Map<string, Room>()

const bindStore = async (name: string, doc: Y.Doc): Promise<void> => {
  const stored = await store.load(name)
  void store.append(name, Y.encodeStateAsUpdate(doc))
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(stored))
  doc.on('update', (update: Uint8Array) => void store.append(name, update))
}

const openRoom = (name: string): Room => {
  const doc = new Y.Doc()
  const awareness = new Awareness(doc)
  awareness.setLocalState(null)
  const room: Room = { doc, awareness, connections: new Set() }
  doc.on('update', (update: Uint8Array) => {
    const message = encoding.encode((encoder) => {
      encoding.writeVarUint(encoder, SYNC)
      writeUpdate(encoder, update)
    })
    for (const connection of room.connections) send(room, connection, message)
  })
  awareness.on('update', (changed: Record<'added' | 'updated' | 'removed', number[]>) => {
    const clients = [...changed.added, ...changed.updated, ...changed.removed]
    const message = encoding.encode((encoder) => {
      encoding.writeVarUint(encoder, AWARENESS)
      encoding.writeVarUint8Array(encoder, encodeAwarenessUpdate(awareness, clients))
    })
    for (const connection of room.connections) send(room, connection, message)
  })
  void bindStore(name, doc)
  return room
}

const close = (room: Room, ws: WebSocket) => {
  room.connections.delete(ws)
  ws.close()
}

const send = (room: Room, ws: WebSocket, message: Uint8Array) => {
  if (ws.readyState > ws.OPEN) close(room, ws)
  ws.send(message, {}, (error) => {
    if (error) close(room, ws)
  })
}

const stopListening = listen((ws, request) => {
  const name = request.url!
  const room = rooms.get(name) ?? openRoom(name)
  rooms.set(name, room)
  room.connections.add(ws)
  ws.binaryType = 'arraybuffer'
  ws.on('close', () => close(room, ws))
  ws.on('message', (message: ArrayBuffer) => {
    const decoder = decoding.createDecoder(new Uint8Array(message))
    const type = decoding.readVarUint(decoder)
    if (type === AWARENESS) {
      applyAwarenessUpdate(room.awareness, decoding.readVarUint8Array(decoder), ws)
    } else if (type === SYNC) {
      const answer = encoding.createEncoder()
      encoding.writeVarUint(answer, SYNC)
      readSyncMessage(decoder, answer, room.doc, ws)
      if (encoding.length(answer) > 1) send(room, ws, encoding.toUint8Array(answer))
    }
  })
  const greeting = encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, SYNC)
    writeSyncStep1(encoder, room.doc)
  })
  send(room, ws, greeting)
})

process.once('SIGTERM', () => {
  stopListening()
  for (const { awareness } of rooms.values()) awareness.destroy()
  void store.close()
})
