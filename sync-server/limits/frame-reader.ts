import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import { CLOSE } from '../../protocol/frames.ts'
import { LEAST_PROGRESS_BYTES, LEAST_WAITED_FOR_BYTES } from '../config/quotas.ts'
import type { Hold } from '../sync/held.ts'
import type { Principal } from '../sync/principal.ts'
import { readSlowly } from './body.ts'
import { BufferPool } from './buffer-pool.ts'
import { type Incoming, readEarly } from './frames.ts'

/** One that is read from, and how far it had come at the last look. */
interface Heard {
  incoming: Incoming
  speaker: Principal
  message: number
  came: number
}

/** Is told that a connection is closed for what it sent; what so many bytes were taken in for counts the more. */
type OnClose = (code: number, reason: string, by: Principal, bytes?: number) => void

/** Reads what comes on WebSockets. */
export class FrameReader {
  /** Of large messages: who has done with one gives its memory back. */
  readonly pool = new BufferPool()
  readonly #onClose: OnClose
  readonly #heard = new Map<WebSocket, Heard>()

  constructor(onClose: OnClose) {
    this.#onClose = onClose
  }

  /** Reads messages of `most` bytes; they are held from their first byte on. */
  hear(ws: WebSocket, socket: Socket, speaker: Principal, most: number, hold: Hold): void {
    const incoming = readEarly(socket, most, () => ws.isPaused, this.pool, hold)
    this.#heard.set(ws, { incoming, speaker, message: 0, came: 0 })
    ws.once('close', () => {
      this.#heard.delete(ws)
      hold.close()
    })
    ws.on('error', (err) => {
      incoming.end()
      const code = closeCodeOf(err)
      // What is too large still comes, and is read for nothing: it counts as what was taken in does.
      this.#onClose(code, err.message, speaker, code === 1009 ? most : 0)
      readSlowly(socket) // until the client has read why
    })
  }

  /** Cuts off those of which a message has begun, and hardly any of it came since the last look. */
  cutStalled(): void {
    for (const [ws, heard] of this.#heard) {
      const { incoming, message, came } = heard
      heard.message = incoming.isPartial ? incoming.message : 0
      heard.came = incoming.came
      const isSame = incoming.isPartial && incoming.message === message
      if (incoming.size < LEAST_WAITED_FOR_BYTES) continue
      // Who is not listened to cannot come on.
      if (!isSame || ws.isPaused || incoming.came - came >= LEAST_PROGRESS_BYTES) continue
      const reason = 'a message does not come on'
      this.#onClose(CLOSE.slowReader, reason, heard.speaker)
      ws.close(CLOSE.slowReader, reason)
      ws.terminate()
    }
  }
}

/** The close code that `ws` sends for broken WebSocket data. */
const closeCodeOf = (error: Error & { code?: string }): number => {
  if (error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') return 1009
  return error.code === 'WS_ERR_INVALID_UTF8' ? 1007 : 1002
}
