import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { WebSocket } from 'ws'
import { messageYjsSyncStep2, readSyncMessage, writeUpdate } from 'y-protocols/sync'
import { WebsocketProvider } from 'y-websocket'
import type * as Y from 'yjs'
import { socketWith } from './credential.ts'
import { WIRES, type WireName } from './wire.ts'

/** A real Yjs client of a document. */
export interface DocClient {
  /** The server has said that this client has everything. It may be wrong. */
  synced: Promise<void>
  close: () => void
}

/** y-websocket's own provider, as anyone uses it. */
const connectStock = (
  port: number,
  room: string,
  doc: Y.Doc,
  credential: string | null,
): DocClient => {
  const provider = new WebsocketProvider(`ws://127.0.0.1:${port}/sync`, room, doc, {
    disableBc: true,
    WebSocketPolyfill: socketWith(credential),
  })
  return {
    synced: new Promise((resolve) => provider.once('sync', () => resolve())),
    close: () => {
      provider.destroy()
      provider.awareness.destroy()
    },
  }
}

const HOCUSPOCUS_SYNC = 0
const HOCUSPOCUS_SYNC_REPLY = 4

/** The part of Hocuspocus' provider that keeps a document in step. */
const connectHocuspocus = (port: number, room: string, doc: Y.Doc): DocClient => {
  const ws = new WebSocket(`ws://127.0.0.1:${port}`)
  ws.binaryType = 'nodebuffer'
  const send = (write: (encoder: encoding.Encoder) => void) => {
    if (ws.readyState !== ws.OPEN) return
    ws.send(
      encoding.encode((encoder) => {
        encoding.writeVarString(encoder, room)
        encoding.writeVarUint(encoder, HOCUSPOCUS_SYNC)
        write(encoder)
      }),
    )
  }
  const onUpdate = (update: Uint8Array, origin: unknown) => {
    if (origin !== ws) send((encoder) => writeUpdate(encoder, update))
  }
  doc.on('update', onUpdate)
  ws.on('error', () => ws.terminate())
  ws.on('open', () => {
    for (const message of WIRES.hocuspocus.hello(room)) ws.send(message)
  })
  const synced = new Promise<void>((resolve) => {
    ws.on('message', (message: Buffer) => {
      const decoder = decoding.createDecoder(message)
      decoding.readVarString(decoder)
      const type = decoding.readVarUint(decoder)
      if (type !== HOCUSPOCUS_SYNC && type !== HOCUSPOCUS_SYNC_REPLY) return
      const answer = encoding.createEncoder()
      const step = readSyncMessage(decoder, answer, doc, ws)
      if (encoding.length(answer) > 0) {
        send((encoder) => encoding.writeUint8Array(encoder, encoding.toUint8Array(answer)))
      }
      if (step === messageYjsSyncStep2) resolve()
    })
  })
  return {
    synced,
    close: () => {
      doc.off('update', onUpdate)
      ws.terminate()
    },
  }
}

/** `credential` is what a clawlink-sync asks for. */
export const connectDoc = (
  wire: WireName,
  port: number,
  room: string,
  doc: Y.Doc,
  credential: string | null,
): DocClient =>
  wire === 'hocuspocus'
    ? connectHocuspocus(port, room, doc)
    : connectStock(port, room, doc, credential)

/** Resolves when `holds` does, which is asked after each change of the document; rejects after `limit` ms. */
export const whenDoc = (doc: Y.Doc, holds: () => boolean, limit: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      doc.off('afterTransaction', check)
      reject(new Error(`not within ${limit} ms`))
    }, limit)
    const check = () => {
      if (!holds()) return
      clearTimeout(timer)
      doc.off('afterTransaction', check)
      resolve()
    }
    doc.on('afterTransaction', check)
    check()
  })
