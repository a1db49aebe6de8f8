import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import { CLOSE } from '../../protocol/frames.ts'
import { LEAST_PROGRESS_BYTES, LEAST_WAITED_FOR_BYTES } from '../config/quotas.ts'
import type { Hold } from '../sync/held.ts'
import type { Principal } from '../sync/principal.ts'
import { readSlowly } from './body.ts'
import { BufferPool } from './buffer-pool.ts'
import { type Incoming, readEarly } from './frames.ts'

/** A connection, and its progress at the last check. */
interface Heard {
  incoming: Incoming
  speaker: Principal
  message: number
  came: number
}

/**
 * Called when a connection is closed for a message it sent. `bytes`: bytes received of it; more
 * bytes make a heavier offence.
 */
type OnClose = (code: number, reason: string, by: Principal, bytes?: number) => void

/** Reads the messages of WebSocket connections. */
export class FrameReader {
  /** Memory of large messages; the handler of a message returns it. */
  readonly pool = new BufferPool()
  readonly #onClose: OnClose
  readonly #heard = new Map<WebSocket, Heard>()

  constructor(onClose: OnClose) {
    this.#onClose = onClose
  }

  /** Reads messages of at most `most` bytes; their bytes count as held from the first one on. */
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
      // The rest of a too large message is still read and discarded, so it counts as received.
      this.#onClose(code, err.message, speaker, code === 1009 ? most : 0)
      readSlowly(socket) // until the client has read why
    })
  }

  /** Closes connections whose current message made hardly any progress since the last call. */
  cutStalled(): void {
    for (const [ws, heard] of this.#heard) {
      const { incoming, message, came } = heard
      heard.message = incoming.isPartial ? incoming.message : 0
      heard.came = incoming.came
      const isSame = incoming.isPartial && incoming.message === message
      if (incoming.size < LEAST_WAITED_FOR_BYTES) continue
      // A paused connection cannot make progress.
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
